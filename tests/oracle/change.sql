-- Why the scores of `today` differ from those of `before`: earlier reactions age, new ones come, posts are held against them, and
-- what is left is calibration. `means_from` is the close whose means that of `before` used, `old_r0` is its unit.

INSERT INTO score_changes
WITH amounts AS (
  SELECT account, network, kind, weight, count, b.admit <= before() AS old,
         coalesce(e.f, 0) AS was, coalesce(t.f, 0) AS is_now
  FROM buckets b LEFT JOIN fade e ON e.age = before() - b.day LEFT JOIN fade t ON t.age = today() - b.day
  WHERE b.admit <= today()
), sums AS (
  SELECT account, network,
         coalesce(sum(weight * was) FILTER (old), 0) AS part_then, coalesce(sum(weight * is_now) FILTER (old), 0) AS part_aged,
         sum(weight * is_now) AS part_now,
         coalesce(sum(count * was) FILTER (old AND kind = 'reaction'), 0) AS reactions_then,
         coalesce(sum(count * is_now) FILTER (old AND kind = 'reaction'), 0) AS reactions_aged,
         coalesce(sum(count * is_now) FILTER (kind = 'reaction'), 0) AS reactions_now,
         coalesce(sum(count * was) FILTER (old AND kind = 'post'), 0) AS posts_then,
         coalesce(sum(count * is_now) FILTER (kind = 'post'), 0) AS posts_now
  FROM amounts GROUP BY account, network
), raw_steps AS (
  SELECT account,
         sum(amplified(reactions_then, posts_then, m) * part_then / 65536e6) AS began,
         sum(amplified(reactions_aged, posts_then, m) * part_aged / 65536e6) AS aged,
         sum(amplified(reactions_now, posts_then, m) * part_now / 65536e6) AS reacted,
         sum(amplified(reactions_now, posts_now, m) * part_now / 65536e6) AS posted
  FROM (
    SELECT s.*, coalesce(means.mean, 1.0)::DOUBLE AS m
    FROM sums s LEFT JOIN means ON means.network = s.network AND means.day = getvariable('means_from')
  ) GROUP BY account
), steps AS (
  SELECT account, score_with(began, old_r0()) AS began, score_with(aged, old_r0()) AS aged,
         score_with(reacted, old_r0()) AS reacted, score_with(posted, old_r0()) AS posted
  FROM raw_steps
)
SELECT today(), account, reacted - aged, aged - began, posted - reacted, score - posted
FROM steps JOIN scores s USING (account)
WHERE s.day = today() AND s.previous IS NOT NULL;
