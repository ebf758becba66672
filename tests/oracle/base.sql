-- Functions, constants and the tables that fill day by day. Variables: today, before (last closed day or NULL), weighed_to.

CREATE MACRO is_account(x) AS position(':' IN x) BETWEEN 2 AND length(x) - 1 AND length(x) <= 256;
CREATE MACRO potential(x) AS CAST(2000000 * CAST(x AS HUGEINT) // (x + 1000000) AS BIGINT);
CREATE MACRO points_for(x) AS CAST(1000000 * CAST(x AS HUGEINT) // (2000000 - x) AS BIGINT);
-- What `u` after `memory` adds to that, times a factor in millionths: a numerator and a denominator, whole.
CREATE MACRO added_over(memory, u) AS 2000000000 * CAST(u AS HUGEINT) // (memory + 1000000);
CREATE MACRO added_under(memory, u) AS CAST(memory + u + 1000000 AS HUGEINT) * 1000;
-- What the weights of an account's day on a network count, micro-points.
CREATE MACRO counted(w) AS round_even(2.0 * w / (1.0 + sqrt(1.0 + w / 1e5)), 0);
CREATE MACRO today() AS CAST(getvariable('today') AS BIGINT);
CREATE MACRO before() AS CAST(getvariable('before') AS BIGINT);
CREATE MACRO weighed_to() AS CAST(getvariable('weighed_to') AS BIGINT);
CREATE MACRO r0() AS CAST(getvariable('r0') AS DOUBLE);
-- 17 points are lent to everybody.
CREATE MACRO score_with(raw, unit) AS least(100, 1 + 99 * ln(1 + (raw + 17::DOUBLE) / unit) / ln(10001.0::DOUBLE));
CREATE MACRO score_of(raw) AS score_with(raw, r0());

CREATE MACRO old_r0() AS CAST(getvariable('old_r0') AS DOUBLE);
CREATE MACRO amplified(reactions, posts, m) AS 0.5 + 0.5 * least(1, (reactions / 65536 + 10 * m) / ((posts / 65536 + 10) * m));

CREATE TABLE fade AS
SELECT age, greatest(1, CAST(round_even(65536 * pow(2, -age / 30e0) * pow(1 - pow(age / 90e0, 2), 3), 0) AS BIGINT)) AS f
FROM range(90) t(age);

CREATE TABLE memory AS
SELECT age, CAST(CASE WHEN age < 90 THEN round_even(65536 * pow(2, -age / 20e0) * pow(1 - pow(age / 90e0, 2), 3), 0) ELSE 0 END AS BIGINT) AS kept
FROM range(91) t(age);

CREATE TABLE weights (seq BIGINT, event_id VARCHAR, weight BIGINT);
CREATE TABLE engagers (seq BIGINT, earned BIGINT);
-- Counts and +Ks are signed: a retraction takes back what was added, from the day it was added to.
CREATE TABLE buckets (account VARCHAR, day BIGINT, admit BIGINT, network VARCHAR, action VARCHAR, kind VARCHAR,
                      weight BIGINT, count BIGINT);
CREATE TABLE topic_buckets (topic VARCHAR, person VARCHAR, day BIGINT, admit BIGINT, weight BIGINT, plus_k BIGINT);
CREATE TABLE closed (day BIGINT);
CREATE TABLE means (day BIGINT, network VARCHAR, mean DOUBLE, days BIGINT);
CREATE TABLE calendar (day BIGINT, people BIGINT, r0 DOUBLE, mean DOUBLE, binned_mean DOUBLE);
CREATE TABLE scores (day BIGINT, account VARCHAR, raw DOUBLE, score DOUBLE, previous DOUBLE, percentile DOUBLE);
CREATE TABLE contributions (day BIGINT, account VARCHAR, network VARCHAR, action VARCHAR, points DOUBLE);
CREATE TABLE score_changes (day BIGINT, account VARCHAR, reactions DOUBLE, fading DOUBLE, posts DOUBLE, calibration DOUBLE);
CREATE TABLE leaderboards (day BIGINT, topic VARCHAR, kind VARCHAR, rank BIGINT, person VARCHAR, strength BIGINT,
                           plus_k BIGINT);
CREATE TABLE reach (day BIGINT, account VARCHAR, true_reach BIGINT, network_influence DOUBLE, amplification DOUBLE);
CREATE TABLE signals (day BIGINT, account VARCHAR, reactions BIGINT, named BIGINT, burst DOUBLE, concentration DOUBLE, youth DOUBLE,
                      flagged VARCHAR[]);
CREATE TABLE worn (person VARCHAR, topic VARCHAR, level INTEGER);
CREATE TABLE sashes (day BIGINT, person VARCHAR, topic VARCHAR, sash VARCHAR, change VARCHAR, influencer_rank BIGINT,
                     plus_k_rank BIGINT);
