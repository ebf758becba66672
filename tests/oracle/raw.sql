-- Raw influence of everyone at the close of `today`. Out: `parts`, `voices` (an account's networks), `raws`, `bins`.

CREATE OR REPLACE TEMP TABLE actions AS
SELECT account, network, action, kind, day, f, CAST(greatest(sum(weight), 0) AS BIGINT) AS weight, sum(count) AS count
FROM buckets JOIN fade ON age = today() - day
WHERE admit <= today()
GROUP BY account, network, action, kind, day, f;

CREATE OR REPLACE TEMP TABLE days AS
SELECT account, network, day, f, CAST(sum(weight) AS BIGINT) AS weight, counted(CAST(sum(weight) AS BIGINT)) AS counts
FROM actions GROUP BY account, network, day, f;

CREATE OR REPLACE TEMP TABLE parts AS
SELECT account, network, action, kind, CAST(sum(count * f) AS BIGINT) AS faded_count,
       sum(CAST(round_even(a.weight * (counts / greatest(d.weight, 1)), 0) AS BIGINT) * f)::BIGINT AS part
FROM actions a JOIN days d USING (account, network, day, f)
GROUP BY account, network, action, kind
HAVING sum(count * f) > 0;

CREATE OR REPLACE TEMP TABLE voices AS
WITH totals AS (
  SELECT account, network, any_value(whole) AS part,
         CAST(coalesce(sum(faded_count) FILTER (kind = 'reaction'), 0) AS BIGINT) AS reactions,
         CAST(coalesce(sum(faded_count) FILTER (kind = 'post'), 0) AS BIGINT) AS posts
  FROM parts
  JOIN (SELECT account, network, sum(CAST(counts AS BIGINT) * f)::BIGINT AS whole FROM days GROUP BY ALL) USING (account, network)
  GROUP BY account, network
)
SELECT t.*, amplified(reactions, posts, m) AS amplification
FROM (
  SELECT t.*, coalesce(means.mean, 1.0)::DOUBLE AS m
  FROM totals t LEFT JOIN means ON means.network = t.network AND means.day = before()
) t;

CREATE OR REPLACE TEMP TABLE raws AS
SELECT account, raw, CASE WHEN raw = 0 THEN 0 ELSE greatest(1, least(2047, 1 + floor((log2(raw) + 20) * 32))) END AS bin
FROM (SELECT account, sum(amplification * (part / 65536e6) ORDER BY network) AS raw FROM voices GROUP BY account);

CREATE OR REPLACE TEMP TABLE bins AS
SELECT CAST(bin AS BIGINT) AS bin, count(*) AS people,
       CASE WHEN bin = 0 THEN 0 ELSE pow(2, (bin - 0.5) / 32 - 20) END AS centre
FROM raws GROUP BY bin;
