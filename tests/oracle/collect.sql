-- Final weights of the engagements that arrived while a day up to `today` was open, and the buckets they fall into.
-- An engager counts by the points above the score of no influence, whole, of the newest closed day at least two before
-- the day that was open then.

CREATE OR REPLACE TEMP TABLE due AS
WITH openings AS (
  SELECT epoch, (SELECT max(day) FROM closed WHERE day <= epoch - 2) AS reference
  FROM (SELECT DISTINCT epoch FROM increments WHERE epoch > weighed_to() AND epoch <= today())
)
SELECT i.*, CAST(over * CAST(round_even(1000000 + 2500000 * sqrt(earned), 0) AS BIGINT) // under AS BIGINT) AS weight
FROM (
  SELECT i.*, round_even(greatest(coalesce(s.score - score_with(0, c.r0), 0), 0), 0) AS earned
  FROM increments i
  JOIN openings o ON o.epoch = i.epoch
  LEFT JOIN scores s ON s.day = o.reference AND s.account = i.actor
  LEFT JOIN calendar c ON c.day = o.reference
) i;

INSERT INTO weights SELECT seq, event_id, weight FROM due;
INSERT INTO engagers SELECT seq, CAST(earned AS BIGINT) FROM due;

CREATE OR REPLACE TEMP TABLE changes AS
SELECT seq, target, day, admit, network, action, kind, topics, weight, 1 AS sign FROM due
UNION ALL
SELECT r.seq, i.target, i.day, greatest(i.day, r.epoch), i.network, i.action, i.kind, i.topics, -w.weight, -1
FROM reversals r JOIN increments i ON i.seq = r.source JOIN weights w ON w.seq = r.source
WHERE r.epoch > weighed_to() AND r.epoch <= today();

INSERT INTO buckets
SELECT target, day, admit, network, action, kind, CAST(sum(weight) AS BIGINT), CAST(sum(sign) AS BIGINT) FROM changes
GROUP BY target, day, admit, network, action, kind;

INSERT INTO topic_buckets
SELECT topic, target, day, admit, CAST(sum(weight) AS BIGINT),
       CAST(sum(CASE WHEN kind = 'plus_k' THEN sign ELSE 0 END) AS BIGINT)
FROM (SELECT DISTINCT seq, target, day, admit, kind, weight, sign, unnest(topics) AS topic FROM changes WHERE kind <> 'post')
GROUP BY topic, target, day, admit;
