-- Raw influence of everyone at the close of `today`. Out: `parts`, `voices` (an account's networks), `raws`, `bins`.

CREATE OR REPLACE TEMP TABLE parts AS
SELECT account, network, action, kind,
       CAST(sum(weight * f) AS BIGINT) AS part, CAST(sum(count * f) AS BIGINT) AS faded_count
FROM buckets JOIN fade ON age = today() - day
WHERE admit <= today()
GROUP BY account, network, action, kind
HAVING sum(count * f) > 0;

CREATE OR REPLACE TEMP TABLE voices AS
WITH totals AS (
  SELECT account, network, CAST(sum(part) AS BIGINT) AS part,
         CAST(coalesce(sum(faded_count) FILTER (kind = 'reaction'), 0) AS BIGINT) AS reactions,
         CAST(coalesce(sum(faded_count) FILTER (kind = 'post'), 0) AS BIGINT) AS posts
  FROM parts GROUP BY account, network
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
