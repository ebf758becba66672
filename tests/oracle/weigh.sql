-- What each accepted engagement adds before the engager's score multiplies it. In: `accepted`, `memory`.
-- Out: `increments` (an accepted event and its micro-points, `over` / `under`; 0 for posts and +Ks).

-- What each reaction uses of its pair's memory, and when that was taken back.
CREATE TABLE pair_acts AS
SELECT a.seq, a.now, r.seq AS back, dense_rank() OVER (ORDER BY actor, target) AS pair,
       micro * (CASE WHEN ordinal <= 10 THEN 1000000 ELSE 10000000 // ordinal END) // 1000000 AS used
FROM accepted a LEFT JOIN reversals r ON r.source = a.seq
WHERE kind = 'reaction' AND actor IS NOT NULL;

-- Which of the stretches in which its pair was remembered each reaction is of: one ends 90 days after the last act that stood then.
CREATE TABLE stretches AS
SELECT seq, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY pair ORDER BY seq) AS stretch
FROM (
  SELECT a.seq, a.pair, count(x.seq) = 0 AS begins
  FROM pair_acts a
  LEFT JOIN pair_acts x ON x.pair = a.pair AND x.seq < a.seq AND x.now > a.now - 90 AND coalesce(x.back > a.seq, true)
  GROUP BY a.seq, a.pair
);

-- Each retraction begins another view of its pair: the acts that stand from then on.
CREATE TABLE pair_views AS
SELECT pair, since, row_number() OVER (PARTITION BY pair ORDER BY since) AS view
FROM (SELECT DISTINCT pair, -1 AS since FROM pair_acts UNION ALL SELECT pair, back FROM pair_acts WHERE back IS NOT NULL);

CREATE TABLE pair_events AS
SELECT a.seq, v.pair, v.view, a.now, a.used,
       CAST(sum(a.used) OVER (PARTITION BY v.pair, v.view, a.now ORDER BY a.seq) AS BIGINT) - a.used AS used_before
FROM pair_views v JOIN pair_acts a ON a.pair = v.pair AND coalesce(a.back > v.since, true);

CREATE TABLE pair_days AS
SELECT pair, view, now, CAST(sum(used) AS BIGINT) AS used, row_number() OVER (PARTITION BY pair, view ORDER BY now) AS turn
FROM pair_events GROUP BY pair, view, now;

-- Memory at the beginning of each of a pair's days, from the one at the beginning of its day before.
CREATE TABLE pair_memory AS
WITH RECURSIVE walk AS (
  SELECT pair, view, turn, now, used, CAST(0 AS BIGINT) AS memory FROM pair_days WHERE turn = 1
  UNION ALL
  SELECT p.pair, p.view, p.turn, p.now, p.used, points_for((potential(w.memory + w.used) * m.kept) >> 16)
  FROM walk w
  JOIN pair_days p ON p.pair = w.pair AND p.view = w.view AND p.turn = w.turn + 1
  JOIN memory m ON m.age = least(p.now - w.now, 90)
)
SELECT pair, view, now, memory FROM walk;

CREATE TABLE seen_in AS
SELECT a.seq, v.view FROM pair_acts a ASOF JOIN pair_views v ON v.pair = a.pair AND v.since < a.seq;

CREATE TABLE increments AS
SELECT a.seq, a.event_id, a.actor, a.target, a.network, a.action, a.kind, a.topics, a.day, a.admit, a.epoch,
  added_over(before, used) AS over, added_under(before, used) AS under
FROM (
  SELECT a.*,
    CASE WHEN a.kind <> 'reaction' OR a.actor IS NULL THEN 0 ELSE m.memory + e.used_before END AS before,
    CASE WHEN a.kind <> 'reaction' THEN 0 WHEN a.actor IS NULL THEN a.micro // 2 ELSE e.used END AS used
  FROM accepted a
  LEFT JOIN seen_in s ON s.seq = a.seq
  LEFT JOIN pair_events e ON e.seq = a.seq AND e.view = s.view
  LEFT JOIN pair_memory m ON m.pair = e.pair AND m.view = e.view AND m.now = e.now
) a;
