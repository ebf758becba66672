-- What the close of `today` publishes, once `r0` is decided: scores, contributions, leaderboards, sash changes.

INSERT INTO scores
WITH ranked AS (
  SELECT bin, 100 * (sum(people) OVER (ORDER BY bin) - people / 2) / sum(people) OVER () AS percentile FROM bins
)
SELECT today(), account, raw, score_of(raw), p.score, percentile
FROM raws JOIN ranked USING (bin)
LEFT JOIN (SELECT account, score FROM scores WHERE day = before()) p USING (account);

INSERT INTO contributions
SELECT today(), account, network, action, (score_of(raw) - score_of(0)) * amplification * part / total
FROM (
  SELECT p.account, p.network, p.action, p.part, v.amplification,
         sum(v.amplification * p.part) OVER (PARTITION BY p.account) AS total
  FROM parts p JOIN voices v ON v.account = p.account AND v.network = p.network
  WHERE p.kind = 'reaction' AND p.part > 0
) JOIN raws USING (account)
UNION ALL
SELECT today(), account, 'laurel', 'base', score_of(0) FROM raws;

-- A network's mean stays as it was while nobody posts there. After 45 closes that measured it, it moves by 0.4 % at most.
INSERT INTO means
SELECT today(), network,
  CASE WHEN n.mean IS NULL THEN o.mean
       WHEN o.days >= 45 THEN greatest(o.mean / 1.004, least(o.mean * 1.004, n.mean))
       ELSE n.mean END,
  coalesce(o.days, 0) + CASE WHEN n.mean IS NULL THEN 0 ELSE 1 END
FROM (
  SELECT network, greatest(0.2, least(100, sum(reactions) / sum(posts))) AS mean FROM voices WHERE posts > 0 GROUP BY network
) n
FULL OUTER JOIN (SELECT network, mean, days FROM means WHERE day = before()) o USING (network);

CREATE OR REPLACE TEMP TABLE ranked AS
SELECT topic, person, strength, plus_k,
  CASE WHEN strength > 0
    THEN row_number() OVER (PARTITION BY topic ORDER BY strength DESC, person) END AS influencer_rank,
  CASE WHEN plus_k > 0
    THEN row_number() OVER (PARTITION BY topic ORDER BY plus_k DESC, strength DESC, person) END AS plus_k_rank
FROM (
  SELECT topic, person, CAST(sum(weight * f) AS BIGINT) AS strength, CAST(sum(plus_k) AS BIGINT) AS plus_k
  FROM topic_buckets JOIN fade ON age = today() - day
  WHERE admit <= today()
  GROUP BY topic, person
);

INSERT INTO leaderboards
SELECT today(), topic, 'influencer', influencer_rank, person, strength, plus_k FROM ranked WHERE influencer_rank > 0
UNION ALL
SELECT today(), topic, 'plus_k', plus_k_rank, person, strength, plus_k FROM ranked WHERE plus_k_rank > 0;

-- Levels: 0 none, 1 blue, 2 gold, 3 blue and gold. More is an upgrade.
CREATE OR REPLACE TEMP TABLE decided AS
SELECT person, topic, influencer_rank, plus_k_rank,
       CASE WHEN influencer_rank <= 20 THEN 2 ELSE 0 END + CASE WHEN plus_k_rank <= 50 THEN 1 ELSE 0 END AS level
FROM ranked;

INSERT INTO sashes
SELECT today(), person, topic, ['none', 'blue', 'gold', 'blue_and_gold'][now + 1],
  CASE WHEN earlier = 0 THEN 'awarded' WHEN now = 0 THEN 'lost' WHEN now > earlier THEN 'upgraded' ELSE 'downgraded' END,
  influencer_rank, plus_k_rank
FROM (
  SELECT person, topic, influencer_rank, plus_k_rank, coalesce(d.level, 0) AS now, coalesce(w.level, 0) AS earlier
  FROM decided d FULL OUTER JOIN worn w USING (person, topic)
)
WHERE now <> earlier;

DELETE FROM worn;
INSERT INTO worn SELECT person, topic, level FROM decided WHERE level > 0;
INSERT INTO closed VALUES (today());
