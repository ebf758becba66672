-- What looks like gaming about the reactions of those who have a score `today`: of `standing`, as reach.sql left it, and `buckets`.

INSERT INTO signals
WITH known AS (SELECT actor, min(now) AS first FROM fresh WHERE actor IS NOT NULL GROUP BY actor),
engaged AS (
  SELECT target AS account, actor, count(*) AS acts, max(now) AS last FROM standing
  GROUP BY target, actor, stretch HAVING max(now) > today() - 90
),
named AS (
  SELECT account, sum(acts) AS acts, sum(acts * acts) AS squares, count(*) AS people,
         count(*) FILTER (last - first < 7) AS young
  FROM engaged JOIN known USING (actor) GROUP BY account
),
daily AS (
  SELECT account, day, sum(count) AS reactions FROM buckets
  WHERE kind = 'reaction' AND admit <= today() AND day BETWEEN today() - 89 AND today()
  GROUP BY account, day HAVING sum(count) > 0
),
counted AS (SELECT account, sum(reactions) AS reactions, max(reactions) AS busiest FROM daily GROUP BY account),
told AS (
  SELECT account, reactions, coalesce(acts, 0) AS named, CAST(busiest AS DOUBLE) / reactions AS burst,
         coalesce(squares / CAST(acts AS DOUBLE) ** 2, 0) AS concentration,
         coalesce(CAST(young AS DOUBLE) / people, 0) AS youth,
         -- Its sums are of these reactions alone, or of so few people that these can't be less concentrated.
         acts >= people AND (acts <= reactions OR people <= 2) AS whole
  FROM counted LEFT JOIN named USING (account)
  WHERE reactions >= 20 AND account IN (SELECT account FROM scores WHERE day = today())
)
SELECT today(), * EXCLUDE (whole) FROM (
  SELECT *, list_filter(['burst', 'concentration', 'youth'], lambda name:
    CASE name WHEN 'burst' THEN burst >= 0.5
              WHEN 'concentration' THEN concentration >= 0.5 AND named >= 20 AND whole
              ELSE youth >= 0.5 AND named >= 20 END) AS flagged
  FROM told
) WHERE len(flagged) > 0;
