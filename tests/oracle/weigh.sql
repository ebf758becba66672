-- What each accepted engagement adds before the engager's score multiplies it. In: `accepted`, `memory`.
-- Out: `increments` (an accepted event and its `inc` in micro-points; 0 for posts and +Ks).

-- What each reaction uses of its pair's memory, and what the pair used before it on the same day of the actor's clock.
CREATE TABLE pair_events AS
SELECT seq, pair, now, used, CAST(sum(used) OVER (PARTITION BY pair, now ORDER BY seq) AS BIGINT) - used AS used_before
FROM (
  SELECT seq, now, dense_rank() OVER (ORDER BY actor, target) AS pair,
         micro * (CASE WHEN ordinal <= 10 THEN 1000000 ELSE 10000000 // ordinal END) // 1000000 AS used
  FROM accepted WHERE kind = 'reaction' AND actor IS NOT NULL
);

CREATE TABLE pair_days AS
SELECT pair, now, CAST(sum(used) AS BIGINT) AS used, row_number() OVER (PARTITION BY pair ORDER BY now) AS turn
FROM pair_events GROUP BY pair, now;

-- Memory at the beginning of each of a pair's days, from the one at the beginning of its day before.
CREATE TABLE pair_memory AS
WITH RECURSIVE walk AS (
  SELECT pair, turn, now, used, CAST(0 AS BIGINT) AS memory FROM pair_days WHERE turn = 1
  UNION ALL
  SELECT p.pair, p.turn, p.now, p.used, points_for((potential(w.memory + w.used) * m.kept) >> 16)
  FROM walk w
  JOIN pair_days p ON p.pair = w.pair AND p.turn = w.turn + 1
  JOIN memory m ON m.age = least(p.now - w.now, 90)
)
SELECT pair, now, memory FROM walk;

CREATE TABLE increments AS
SELECT a.seq, a.event_id, a.actor, a.target, a.network, a.action, a.kind, a.topics, a.day, a.admit, a.epoch,
  CASE
    WHEN a.kind <> 'reaction' THEN 0
    WHEN a.actor IS NULL THEN potential(a.micro // 2)
    ELSE potential(m.memory + e.used_before + e.used) - potential(m.memory + e.used_before)
  END AS inc
FROM accepted a
LEFT JOIN pair_events e ON e.seq = a.seq
LEFT JOIN pair_memory m ON m.pair = e.pair AND m.now = e.now;
