"""The statements that carry the inbox's guarantees. Times come from the database unless given."""

# One statement, so that it happens as a whole: if it is admitted, deliveries arrive, their lanes are
# due, and the workers wake up at its commit. Deliveries take their ids in the order of the source's
# commits, and the lanes' rows are locked in sorted order, so that two relays appending at once cannot
# wait for each other. What is there already (sent again after a crash or a rewind) is not inserted
# twice. A new arrival neither ends a lane's backoff nor wakes a parked lane, unless it compensates.
# Only the relay notifies: a NOTIFY in the publishers' own transactions would serialise their commits.
_APPEND = """
WITH admitted AS ({admission}),
clock AS (SELECT coalesce(%(now)s::timestamptz, clock_timestamp()) AS at_once),
arrived AS (
    INSERT INTO seams_delivery
        (event_id, source, type, module, key, handler, body, headers, compensates,
         state, attempts, error, appended_at)
    SELECT event_id, %(source)s, type, module, key, handler, body, headers, compensates,
           'waiting', 0, '', at_once
    FROM admitted, clock,
         ROWS FROM (jsonb_to_recordset(%(deliveries)s::jsonb)
                    AS (event_id uuid, type text, module text, key text, handler text,
                        body jsonb, headers jsonb, compensates bool))
             WITH ORDINALITY AS new (event_id, type, module, key, handler, body, headers, compensates, nth)
    ORDER BY nth
    ON CONFLICT (event_id, handler) DO NOTHING
    RETURNING module, key, compensates
),
opened AS (
    INSERT INTO seams_lane AS lane (module, key, due_at, arrivals, parked)
    SELECT module, key, at_once, count(*), false
    FROM clock, arrived GROUP BY module, key, at_once ORDER BY module, key
    ON CONFLICT (module, key) DO UPDATE SET
        arrivals = lane.arrivals + EXCLUDED.arrivals,
        due_at = CASE
            WHEN lane.parked AND EXISTS (
                SELECT FROM arrived
                WHERE arrived.module = lane.module AND arrived.key = lane.key AND compensates)
            THEN coalesce(lane.due_at, EXCLUDED.due_at) ELSE lane.due_at END
    RETURNING module
)
SELECT (SELECT count(*) FROM admitted),
       (SELECT count(pg_notify('seams_inbox_' || module, ''))
        FROM (SELECT DISTINCT module FROM opened) AS woken)
"""

APPEND = _APPEND.format(admission="SELECT true")

# Compare and append: the position moves only from where the relay believes it to be. If it does not
# move, then another relay, a loss or a fork of history has moved it, and nothing is appended.
COMPARE_AND_APPEND = _APPEND.format(
    admission="""
    UPDATE seams_position
    SET lsn = %(end)s::pg_lsn, commit_at = coalesce(%(commit_at)s::timestamptz, commit_at),
        appended_at = clock_timestamp()
    WHERE source = %(source)s AND epoch = %(epoch)s AND lsn = %(expected)s::pg_lsn
    RETURNING true"""
)

# Claims from the small table of lanes, never from the deliveries (whose cost grows with what waits
# behind one key). Only lanes whose head this worker has a handler for; in a parked lane only what
# compensates counts. SKIP LOCKED lets workers pass each other.
# Answers each lane with what waits in it, oldest first. `arrivals` is read from the statement's
# snapshot, like the deliveries, and not from the locked row: what the relay appends in between is in
# neither, so that closing the lane by that number finds it out.
CLAIM = """
WITH due AS (
    SELECT lane.module, lane.key
    FROM seams_lane AS lane
    CROSS JOIN LATERAL (
        SELECT handler FROM seams_delivery AS delivery
        WHERE delivery.module = lane.module AND delivery.key = lane.key AND delivery.state = 'waiting'
          AND (delivery.compensates OR NOT lane.parked)
        ORDER BY delivery.id LIMIT 1
    ) AS head
    WHERE lane.module = %(module)s
      AND lane.due_at <= coalesce(%(now)s::timestamptz, clock_timestamp())
      AND (lane.leased_until IS NULL OR lane.leased_until <= coalesce(%(now)s::timestamptz, clock_timestamp()))
      AND head.handler = ANY(%(handlers)s)
    ORDER BY lane.due_at
    LIMIT %(lanes)s
    FOR UPDATE OF lane SKIP LOCKED
),
claimed AS (
    UPDATE seams_lane AS lane
    SET token = gen_random_uuid(),
        leased_until = coalesce(%(now)s::timestamptz, clock_timestamp()) + %(lease)s * interval '1 s'
    FROM due WHERE lane.module = due.module AND lane.key = due.key
    RETURNING lane.module, lane.key, lane.token, lane.parked
)
SELECT claimed.key, claimed.token, snapshot.arrivals,
       open.id, open.event_id, open.type, open.handler, open.body, open.headers, open.attempts
FROM claimed
JOIN seams_lane AS snapshot ON snapshot.module = claimed.module AND snapshot.key = claimed.key
LEFT JOIN LATERAL (
    SELECT * FROM seams_delivery AS delivery
    WHERE delivery.module = claimed.module AND delivery.key = claimed.key AND delivery.state = 'waiting'
      AND (delivery.compensates OR NOT claimed.parked)
    ORDER BY delivery.id LIMIT %(deliveries)s
) AS open ON true
ORDER BY open.id
"""

# The log of what was handled: inserted before the handler runs and committed with its effects, so
# that an event delivered again finds its row and has no second effect.
RECEIVE = """
INSERT INTO received (id, msg_id, headers, body, added, expires_at, retry, status)
VALUES (gen_random_uuid(), %(msg_id)s, NULL, NULL, clock_timestamp(), clock_timestamp() + interval '1 day', 0, 2)
ON CONFLICT (msg_id) DO NOTHING
"""

# The handler's transaction ends with one of these two. Both fail (no row) when the lease was lost.
FINISH_AND_KEEP = """
WITH handled AS (DELETE FROM seams_delivery WHERE id = %(id)s)
UPDATE seams_lane SET leased_until = coalesce(%(now)s, clock_timestamp()) + %(lease)s * interval '1 s'
WHERE module = %(module)s AND key = %(key)s AND token = %(token)s
"""
FINISH_AND_DELETE = """
WITH handled AS (DELETE FROM seams_delivery WHERE id = %(id)s)
DELETE FROM seams_lane
WHERE module = %(module)s AND key = %(key)s AND token = %(token)s AND arrivals = %(arrivals)s AND NOT parked
"""

# Something arrived while the lane was worked on, or it is parked: lock its row first, then look
# again in new statements, since what the relay appends under that row's lock is not in the snapshot
# of a statement that waited for it.
HOLD_LANE = "SELECT 1 FROM seams_lane WHERE module = %(module)s AND key = %(key)s AND token = %(token)s FOR UPDATE"
DELETE_IF_EMPTY = """
DELETE FROM seams_lane AS lane
WHERE module = %(module)s AND key = %(key)s
  AND NOT EXISTS (SELECT FROM seams_delivery AS open WHERE open.module = lane.module AND open.key = lane.key)
"""
RELEASE = """
UPDATE seams_lane AS lane SET
    token = NULL, leased_until = NULL, parked = now_parked,
    due_at = CASE WHEN NOT now_parked OR passing
             THEN coalesce(%(now)s, clock_timestamp()) + %(delay)s * interval '1 s' END
FROM (
    SELECT EXISTS (SELECT FROM seams_delivery WHERE module = %(module)s AND key = %(key)s AND state = 'dead'),
           EXISTS (SELECT FROM seams_delivery
                   WHERE module = %(module)s AND key = %(key)s AND state = 'waiting' AND compensates)
) AS look (now_parked, passing)
WHERE module = %(module)s AND key = %(key)s
"""

FAIL = "UPDATE seams_delivery SET attempts = attempts + 1, error = %(error)s WHERE id = %(id)s"
BURY = """
UPDATE seams_delivery SET state = 'dead', attempts = attempts + 1, error = %(error)s, dead_at = clock_timestamp()
WHERE id = %(id)s
"""

# An operator's replay or discard: make the lane's row if it is gone, then look at it afresh.
REOPEN_LANE = """
INSERT INTO seams_lane (module, key, due_at, arrivals, parked)
VALUES (%(module)s, %(key)s, clock_timestamp(), 0, false)
ON CONFLICT (module, key) DO UPDATE SET arrivals = seams_lane.arrivals + 1
"""
