-- Reviews and landings.

CREATE TABLE comments (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    ticket_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 500),
    side TEXT NOT NULL CHECK (side IN ('old', 'new')),
    first_line INTEGER CHECK (first_line BETWEEN 1 AND 4294967295),
    last_line INTEGER CHECK (last_line BETWEEN first_line AND 4294967295),
    quoted TEXT NOT NULL,
    hunk TEXT NOT NULL,
    anchor TEXT NOT NULL CHECK (length(anchor) = 16),
    body TEXT NOT NULL CHECK (length(body) > 0),
    author_kind TEXT NOT NULL CHECK (author_kind IN ('human', 'planner', 'system', 'executor')),
    author_name TEXT,
    reply_to TEXT REFERENCES comments (id) DEFERRABLE INITIALLY DEFERRED,
    resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    FOREIGN KEY (ticket_id, revision) REFERENCES revisions (ticket_id, number),
    CHECK ((first_line IS NULL) = (last_line IS NULL))
) STRICT;

CREATE INDEX comments_by_revision ON comments (ticket_id, revision);
CREATE INDEX comments_by_change ON comments (changed);

-- One for each revision: what was decided is not decided again.
CREATE TABLE reviews (
    ticket_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'changes_requested')),
    summary TEXT NOT NULL,
    author_kind TEXT NOT NULL CHECK (author_kind IN ('human', 'planner', 'system', 'executor')),
    author_name TEXT,
    at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, revision),
    FOREIGN KEY (ticket_id, revision) REFERENCES revisions (ticket_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX reviews_by_change ON reviews (changed);

-- How a change is to land, and what is about to be done to its target: `{"branch", "from", "to"}`.
ALTER TABLE jobs ADD COLUMN strategy TEXT CHECK (strategy IN ('squash', 'merge', 'rebase'));
ALTER TABLE jobs ADD COLUMN intent TEXT CHECK (json_valid(intent));

-- More kinds of events. SQLite changes a check only by making the table anew.
CREATE TABLE new_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (
        'created', 'transitioned', 'updated', 'comment', 'job_queued', 'cancel_requested', 'merge_requested',
        'merge_succeeded', 'merge_failed', 'comment_added', 'comment_resolved', 'review_submitted', 'worktree_cleaned',
        'worktree_cleanup_failed', 'worktree_restored'
    )),
    from_state TEXT CHECK (from_state IN (
        'proposed', 'planned', 'executing', 'verifying', 'needs_human', 'blocked', 'done', 'abandoned'
    )),
    to_state TEXT CHECK (to_state IN (
        'proposed', 'planned', 'executing', 'verifying', 'needs_human', 'blocked', 'done', 'abandoned'
    )),
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('human', 'planner', 'system', 'executor')),
    actor_name TEXT,
    reason TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    changed INTEGER NOT NULL
) STRICT;

INSERT INTO new_events
SELECT seq, ticket_id, at, kind, from_state, to_state, actor_kind, actor_name, reason, payload, changed FROM events;

-- A number is never given twice, not even that of an event that somebody deleted by hand.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'events')
WHERE name = 'new_events' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events');

DROP TABLE events;
ALTER TABLE new_events RENAME TO events;

CREATE INDEX events_by_ticket ON events (ticket_id, seq);
CREATE INDEX events_by_change ON events (changed);

CREATE TRIGGER events_are_only_appended BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event is never changed');
END;
