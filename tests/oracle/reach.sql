-- The classic parts of the scores of `today`: whom each account reached in the window, how influential these people are, and
-- its reactions per post. An actor's events count as far as its clock, and the day that was open, had come to `today`.

CREATE OR REPLACE TEMP TABLE standing AS
WITH clocks AS (SELECT actor, seq, now FROM fresh WHERE actor IS NOT NULL),
backs AS (
  SELECT r.source, r.epoch, c.now FROM reversals r JOIN accepted a ON a.seq = r.source
  ASOF JOIN clocks c ON c.actor = a.actor AND c.seq < r.seq
)
SELECT a.actor, a.target, a.seq, a.now, e.earned, s.stretch
FROM accepted a JOIN engagers e USING (seq) JOIN stretches s USING (seq)
WHERE greatest(a.now, a.epoch) <= today()
  AND a.seq NOT IN (SELECT source FROM backs WHERE greatest(now, epoch) <= today());

INSERT INTO reach
WITH people AS (
  SELECT target AS account, actor, arg_max(earned, seq) AS earned FROM standing
  GROUP BY target, actor HAVING max(now) > today() - 90
),
reached AS (SELECT account, count(*) AS people, avg(earned) AS earned FROM people GROUP BY account),
counted AS (
  SELECT account, sum(reactions) AS reactions, sum(posts) AS posts
  FROM (
    SELECT b.account, CASE WHEN kind = 'reaction' THEN b.count * f ELSE 0 END AS reactions,
           CASE WHEN kind = 'post' THEN b.count * f ELSE 0 END AS posts
    FROM buckets b JOIN fade ON age = today() - b.day WHERE admit <= today()
  ) GROUP BY account
)
SELECT today(), s.account, coalesce(people, 0), earned, CASE WHEN posts > 0 THEN reactions / posts END
FROM scores s LEFT JOIN reached USING (account) LEFT JOIN counted USING (account)
WHERE s.day = today();
