-- Which engagements count, and why the others don't. In: tables `events`, `networks`.
-- Out: `refused` (dead letters), `dropped` (repeats, what was taken back before it came, retractions that take nothing back),
-- `accepted`, `reversals` (a retraction's seq and epoch, and the seq of what it takes back).

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

-- Anonymous events belong to the target's account. What an event is called by others: its id and what it does.
CREATE TABLE owned AS
SELECT * EXCLUDE (reason), coalesce(actor, target) AS owner,
       {'id': coalesce(retracts, event_id), 'target': target, 'network': network, 'action': action, 'topics': topics} AS name
FROM judged WHERE reason IS NULL;

-- Of the same engagement, known by its name and its day, only the first counts.
CREATE TABLE firsts AS
SELECT * FROM owned WHERE retracts IS NULL
QUALIFY row_number() OVER (PARTITION BY owner, name, day ORDER BY seq) = 1;

-- What each retraction is about: the newest engagement of that name before it, unless that is forgotten; else the next one.
CREATE TABLE aims AS
WITH newest AS (SELECT owner, seq, max(day) OVER (PARTITION BY owner ORDER BY seq) AS newest FROM firsts),
horizons AS (
  SELECT r.seq, r.owner, r.name, r.epoch, n.newest - 120 AS horizon
  FROM owned r ASOF LEFT JOIN newest n ON n.owner = r.owner AND n.seq < r.seq WHERE r.retracts IS NOT NULL
),
behind AS (
  SELECT h.*, CASE WHEN f.day > h.horizon THEN f.seq END AS source
  FROM horizons h ASOF LEFT JOIN firsts f ON f.owner = h.owner AND f.name = h.name AND f.seq < h.seq
)
SELECT b.seq, b.owner, b.name, b.epoch, b.source, CASE WHEN b.source IS NULL THEN f.seq END AS awaited
FROM behind b ASOF LEFT JOIN firsts f ON f.owner = b.owner AND f.name = b.name AND f.seq > b.seq;

-- `now` is the actor's own clock: the newest day among its events so far.
CREATE TABLE fresh AS
SELECT *, max(day) OVER (PARTITION BY actor ORDER BY seq) AS now FROM firsts
WHERE seq NOT IN (SELECT awaited FROM aims WHERE awaited IS NOT NULL);

-- The first retraction of each engagement.
CREATE TABLE takes AS
SELECT source, min(seq) AS back, arg_min(epoch, seq) AS epoch FROM aims WHERE source IN (SELECT seq FROM fresh) GROUP BY source;

-- Position of a reaction among its actor's reactions of the same day, which the daily limit holds against; and its position
-- among those that stood when it came, which selectivity uses.
CREATE TABLE places AS
SELECT seq, actor, now, row_number() OVER (PARTITION BY actor, now ORDER BY seq) AS place
FROM fresh WHERE kind = 'reaction' AND actor IS NOT NULL;

CREATE TABLE ordinals AS
WITH backs AS (SELECT p.actor, p.now, t.back FROM takes t JOIN places p ON p.seq = t.source WHERE p.place <= 5000),
gone AS (SELECT p.seq, count(*) AS taken FROM places p JOIN backs b ON b.actor = p.actor AND b.now = p.now AND b.back < p.seq GROUP BY p.seq)
SELECT p.seq, p.place, p.place - coalesce(g.taken, 0) AS ordinal FROM places p LEFT JOIN gone g USING (seq);

-- A giver's +Ks one after another: each is judged by those of the same giver that were accepted before it and still stand.
CREATE TABLE gifts AS
SELECT *, row_number() OVER (PARTITION BY actor ORDER BY seq) AS turn
FROM (
  SELECT seq, actor, {'seq': seq, 'now': now, 'target': target, 'topic': topics[1]} AS gift, CAST(NULL AS BIGINT) AS source
  FROM fresh WHERE kind = 'plus_k'
  UNION ALL
  SELECT t.back, f.actor, NULL, t.source FROM takes t JOIN fresh f ON f.seq = t.source WHERE f.kind = 'plus_k'
);

CREATE TABLE gift_verdicts AS
WITH RECURSIVE walk AS (
  SELECT seq, actor, turn, CAST(NULL AS VARCHAR) AS reason, [gift] AS given FROM gifts WHERE turn = 1
  UNION ALL
  SELECT seq, actor, turn, reason,
         CASE WHEN source IS NOT NULL THEN list_filter(given, lambda x: x.seq <> source)
              WHEN reason IS NULL THEN list_append(given, gift) ELSE given END
  FROM (
    SELECT g.seq, g.actor, g.turn, g.gift, g.source, w.given,
      CASE
        WHEN g.source IS NOT NULL THEN NULL
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
SELECT seq, event_id, 'daily_limit' FROM fresh JOIN ordinals USING (seq) WHERE place > 5000
UNION ALL
SELECT seq, event_id, v.reason FROM fresh JOIN gift_verdicts v USING (seq) WHERE v.reason IS NOT NULL;

CREATE TABLE accepted AS
SELECT f.* EXCLUDE (retracts, name), o.ordinal
FROM fresh f LEFT JOIN ordinals o USING (seq)
WHERE seq NOT IN (SELECT seq FROM refused);

CREATE TABLE reversals AS
SELECT back AS seq, epoch, source FROM takes WHERE source IN (SELECT seq FROM accepted);

CREATE TABLE dropped AS
SELECT seq, event_id, 'repeat' AS why FROM owned WHERE retracts IS NULL AND seq NOT IN (SELECT seq FROM firsts)
UNION ALL
SELECT seq, event_id, 'withdrawn' FROM firsts WHERE seq NOT IN (SELECT seq FROM fresh)
UNION ALL
SELECT seq, event_id,
       CASE WHEN a.source IS NULL AND row_number() OVER (PARTITION BY a.owner, a.name, a.source, a.awaited ORDER BY seq) = 1
            THEN 'waiting' ELSE 'unmatched' END
FROM aims a JOIN owned USING (seq) WHERE seq NOT IN (SELECT seq FROM reversals);
