-- Why the scores of `today` differ from those of `before`: earlier reactions age, new ones come, posts are held against them, and
-- what is left is calibration. `means_from` is the close whose means that of `before` used, `old_r0` is its unit.

INSERT INTO score_changes
WITH actions AS (
  SELECT account, network, action, kind, day,
         greatest(coalesce(sum(weight) FILTER (admit <= before()), 0), 0) AS old_weight, greatest(sum(weight), 0) AS weight,
         coalesce(sum(count) FILTER (admit <= before()), 0) AS old_count, sum(count) AS count
  FROM buckets WHERE admit <= today() GROUP BY account, network, action, kind, day
), amounts AS (
  SELECT account, network, kind, old_count, count, day = max(day) OVER one AND action = max(action) OVER one AS first,
         counted(sum(old_weight) OVER one) AS old_weight, counted(sum(weight) OVER one) AS weight,
         coalesce(e.f, 0) AS was, coalesce(t.f, 0) AS is_now
  FROM actions a LEFT JOIN fade e ON e.age = before() - a.day LEFT JOIN fade t ON t.age = today() - a.day
  WINDOW one AS (PARTITION BY account, network, day)
), sums AS (
  SELECT account, network,
         coalesce(sum(old_weight * was) FILTER (first), 0) AS part_then,
         coalesce(sum(old_weight * is_now) FILTER (first), 0) AS part_aged,
         coalesce(sum(weight * is_now) FILTER (first), 0) AS part_now,
         coalesce(sum(old_count * was) FILTER (kind = 'reaction'), 0) AS reactions_then,
         coalesce(sum(old_count * is_now) FILTER (kind = 'reaction'), 0) AS reactions_aged,
         coalesce(sum(count * is_now) FILTER (kind = 'reaction'), 0) AS reactions_now,
         coalesce(sum(old_count * was) FILTER (kind = 'post'), 0) AS posts_then,
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
