-- Which engagements count, and why the others don't. In: tables `events`, `networks`.
-- Out: `refused` (dead letters), `dropped` (repeats and retractions of nothing), `accepted`, `reversals` (a retraction's
-- seq and epoch, and the seq of what it takes back).

CREATE TABLE judged AS
WITH placed AS (
  SELECT e.* EXCLUDE (actor, epoch, record_ts), nullif(e.actor, '') AS actor, n.micro, n.kind,
         e.occurred_at // 86400000 AS day,
         coalesce(e.epoch, e.occurred_at // 86400000) AS epoch,
         e.occurred_at - e.record_ts > 86400000 AS ahead,
         coalesce(e.target, '') = '' AS untargeted,
         coalesce(len(e.topics), 0) AS topic_count,
         e.network IN (SELECT network FROM networks) AS network_known
  FROM events e LEFT JOIN networks n ON n.network = e.network AND n.action = e.action
)
SELECT seq, event_id, retracts, actor, target, network, action, micro, kind, topics, epoch, day,
       greatest(day, epoch) AS admit,
  CASE
    WHEN actor IS NULL AND untargeted THEN 'missing_actor_and_target'
    WHEN untargeted THEN 'missing_target'
    WHEN NOT is_account(target) OR NOT coalesce(is_account(actor), true) THEN 'malformed_account'
    WHEN NOT network_known THEN 'unknown_network'
    WHEN kind IS NULL THEN 'unknown_action'
    WHEN private THEN 'private'
    WHEN occurred_at IS NULL OR occurred_at < 0 THEN 'malformed_timestamp'
    WHEN ahead OR day - epoch > 30 THEN 'future'
    WHEN epoch - day >= 90 THEN 'expired'
    WHEN kind <> 'post' AND actor = target THEN 'self_engagement'
    WHEN topic_count > 20 THEN 'too_many_topics'
    WHEN kind = 'plus_k' AND (topic_count <> 1 OR actor IS NULL) THEN 'plus_k_topic'
  END AS reason
FROM placed;

-- Rows that speak of one event id, each among the owner's 256 rows after the one before, are one chain: only its first row
-- can count, and only one retraction takes that back. Anonymous events belong to the target's account.
CREATE TABLE linked AS
WITH owned AS (
  SELECT * EXCLUDE (reason), coalesce(actor, target) AS owner, coalesce(retracts, event_id) AS subject
  FROM judged WHERE reason IS NULL
),
placed AS (SELECT *, row_number() OVER (PARTITION BY owner ORDER BY seq) AS place FROM owned),
spaced AS (SELECT *, place - lag(place) OVER (PARTITION BY owner, subject ORDER BY seq) AS gap FROM placed),
chained AS (
  SELECT *, count(*) FILTER (coalesce(gap, 257) > 256) OVER (PARTITION BY owner, subject ORDER BY seq) AS chain FROM spaced
)
SELECT * EXCLUDE (place, gap), row_number() OVER (PARTITION BY owner, subject, chain ORDER BY seq) AS link FROM chained;

-- `now` is the actor's own clock: the newest day among its events so far.
CREATE TABLE fresh AS
SELECT *, max(day) OVER (PARTITION BY actor ORDER BY seq) AS now FROM linked WHERE link = 1 AND retracts IS NULL;

-- Position of a reaction among its actor's reactions of the same day: also the ordinal that selectivity uses.
CREATE TABLE ordinals AS
SELECT seq, row_number() OVER (PARTITION BY actor, now ORDER BY seq) AS ordinal
FROM fresh WHERE kind = 'reaction' AND actor IS NOT NULL;

-- A giver's +Ks one after another: each is judged by those of the same giver that were accepted before it.
CREATE TABLE gifts AS
SELECT seq, actor, {'now': now, 'target': target, 'topic': topics[1]} AS gift,
       row_number() OVER (PARTITION BY actor ORDER BY seq) AS turn
FROM fresh WHERE kind = 'plus_k';

CREATE TABLE gift_verdicts AS
WITH RECURSIVE walk AS (
  SELECT seq, actor, turn, CAST(NULL AS VARCHAR) AS reason, [gift] AS given FROM gifts WHERE turn = 1
  UNION ALL
  SELECT seq, actor, turn, reason, CASE WHEN reason IS NULL THEN list_append(given, gift) ELSE given END
  FROM (
    SELECT g.seq, g.actor, g.turn, g.gift, w.given,
      CASE
        WHEN len(list_filter(w.given, lambda x: x.target = g.gift.target AND x.topic = g.gift.topic
                                                AND g.gift.now - x.now < 7)) > 0 THEN 'plus_k_repeat'
        WHEN len(list_filter(w.given, lambda x: x.now = g.gift.now)) >= 5 THEN 'plus_k_quota'
      END AS reason
    FROM walk w JOIN gifts g ON g.actor = w.actor AND g.turn = w.turn + 1
  )
)
SELECT seq, reason FROM walk;

CREATE TABLE refused AS
SELECT seq, event_id, reason FROM judged WHERE reason IS NOT NULL
UNION ALL
SELECT seq, event_id, 'daily_limit' FROM fresh JOIN ordinals USING (seq) WHERE ordinal > 5000
UNION ALL
SELECT seq, event_id, v.reason FROM fresh JOIN gift_verdicts v USING (seq) WHERE v.reason IS NOT NULL;

CREATE TABLE accepted AS
SELECT f.* EXCLUDE (retracts, link), o.ordinal
FROM fresh f LEFT JOIN ordinals o USING (seq)
WHERE seq NOT IN (SELECT seq FROM refused);

-- A retraction must repeat whom and what it takes back: otherwise it could take from someone else what they never got.
CREATE TABLE reversals AS
SELECT min(l.seq) AS seq, arg_min(l.epoch, l.seq) AS epoch, a.seq AS source
FROM linked l JOIN accepted a
  ON a.owner = l.owner AND a.subject = l.subject AND a.chain = l.chain
 AND a.target = l.target AND a.network = l.network AND a.action = l.action
WHERE l.retracts IS NOT NULL AND l.seq > a.seq
GROUP BY a.seq;

CREATE TABLE dropped AS
SELECT seq, event_id, CASE WHEN retracts IS NULL THEN 'repeat' ELSE 'unmatched' END AS why
FROM linked
WHERE seq NOT IN (SELECT seq FROM fresh) AND seq NOT IN (SELECT seq FROM reversals);
