-- The first schema. A released migration is history: never edit it, add the next file instead.
--
-- UUIDs are text: a row costs twenty bytes more than with blobs, and people can read and paste them in any SQLite
-- shell. Times are milliseconds since 1970 UTC. A path is text where it is UTF-8 and a blob where it is not.
-- Rows that the screen shows carry `changed`, the number of the change that wrote them last, from `counter`.

CREATE TABLE counter (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    changed INTEGER NOT NULL CHECK (changed >= 0)
) STRICT;

INSERT INTO counter (only_row, changed) VALUES (1, 0);

CREATE TABLE boards (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    name TEXT NOT NULL,
    repo_root ANY NOT NULL UNIQUE CHECK (typeof(repo_root) IN ('text', 'blob')),
    base_branch TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE goals (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    board_id TEXT NOT NULL REFERENCES boards (id),
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

CREATE INDEX goals_by_board ON goals (board_id);
CREATE INDEX goals_by_change ON goals (changed);

CREATE TABLE tickets (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    board_id TEXT NOT NULL REFERENCES boards (id),
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    goal_id TEXT REFERENCES goals (id),
    title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'proposed', 'planned', 'executing', 'verifying', 'needs_human', 'blocked', 'done', 'abandoned'
    )),
    -- The job that holds the ticket. A ticket and its job name each other, so this is checked when all is written.
    state_job_id TEXT REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    state_why TEXT,
    reason TEXT NOT NULL,
    priority INTEGER CHECK (priority BETWEEN 0 AND 100),
    hand_order INTEGER,
    verify TEXT NOT NULL CHECK (json_type(verify) = 'array'),
    agent TEXT,
    model TEXT,
    worktree_path ANY CHECK (typeof(worktree_path) IN ('null', 'text', 'blob')),
    worktree_branch TEXT,
    worktree_base_branch TEXT,
    worktree_base TEXT,
    input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
    output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
    cost_micros INTEGER CHECK (cost_micros >= 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (board_id, number),
    CHECK ((state IN ('executing', 'verifying')) = (state_job_id IS NOT NULL)),
    CHECK (CASE state
        WHEN 'needs_human' THEN state_why IS NOT NULL AND state_why IN (
            'review', 'question', 'handover', 'approved', 'landing', 'conflict', 'refused'
        )
        WHEN 'blocked' THEN state_why IS NOT NULL AND state_why IN (
            'failed', 'canceled', 'lost', 'refused', 'dependency'
        )
        ELSE state_why IS NULL
    END),
    CHECK ((worktree_path IS NULL) = (worktree_branch IS NULL)),
    CHECK ((worktree_path IS NULL) = (worktree_base_branch IS NULL)),
    CHECK ((worktree_path IS NULL) = (worktree_base IS NULL))
) STRICT;

CREATE INDEX tickets_by_goal ON tickets (goal_id);
CREATE INDEX tickets_by_state_job ON tickets (state_job_id);
CREATE INDEX tickets_by_change ON tickets (changed);

CREATE TRIGGER tickets_stay_themselves BEFORE UPDATE OF board_id, number, created_at ON tickets
WHEN OLD.board_id <> NEW.board_id OR OLD.number <> NEW.number OR OLD.created_at <> NEW.created_at
BEGIN
    SELECT RAISE(ABORT, 'a ticket keeps its board, its number and its time of creation');
END;

-- Who waits for whom: the ticket may run once the blocker is done.
CREATE TABLE blockers (
    ticket_id TEXT NOT NULL REFERENCES tickets (id) DEFERRABLE INITIALLY DEFERRED,
    place INTEGER NOT NULL CHECK (place >= 0),
    blocker_id TEXT NOT NULL REFERENCES tickets (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (ticket_id, place),
    UNIQUE (ticket_id, blocker_id),
    CHECK (ticket_id <> blocker_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX blockers_by_blocker ON blockers (blocker_id);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    kind TEXT NOT NULL CHECK (kind IN ('execute', 'verify', 'resume', 'land')),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled', 'lost')),
    cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1)),
    attempt INTEGER NOT NULL CHECK (attempt BETWEEN 0 AND 4294967295),
    steps INTEGER CHECK (steps BETWEEN 0 AND 4294967295),
    agent TEXT,
    model TEXT,
    session TEXT,
    exit_code INTEGER,
    signal INTEGER,
    reason TEXT NOT NULL,
    input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
    output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
    cost_micros INTEGER CHECK (cost_micros >= 0),
    queued_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    changed INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX jobs_one_active ON jobs (ticket_id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_by_ticket ON jobs (ticket_id, queued_at, id);
CREATE INDEX jobs_by_change ON jobs (changed);

CREATE TRIGGER jobs_stay_themselves BEFORE UPDATE OF ticket_id, kind, queued_at ON jobs
WHEN OLD.ticket_id <> NEW.ticket_id OR OLD.kind <> NEW.kind OR OLD.queued_at <> NEW.queued_at
BEGIN
    SELECT RAISE(ABORT, 'a job keeps its ticket, its kind and the time when it was asked for');
END;

CREATE TABLE runs (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    n INTEGER NOT NULL CHECK (n BETWEEN 0 AND 4294967295),
    kind TEXT NOT NULL CHECK (kind IN ('setup', 'execute', 'check', 'cleanup')),
    command TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    end_how TEXT CHECK (end_how IN (
        'exited', 'signaled', 'timed_out', 'silent', 'too_much_output', 'stopped', 'not_started', 'lost'
    )),
    end_code INTEGER,
    end_signal INTEGER,
    end_error TEXT,
    changed INTEGER NOT NULL,
    PRIMARY KEY (job_id, n),
    CHECK ((end_how IS 'exited') = (end_code IS NOT NULL)),
    CHECK ((end_how IS 'signaled') = (end_signal IS NOT NULL)),
    CHECK ((end_how IS 'not_started') = (end_error IS NOT NULL))
) STRICT;

CREATE INDEX runs_by_change ON runs (changed);

CREATE TABLE evidence (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    job_id TEXT NOT NULL,
    run_n INTEGER NOT NULL,
    folder TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('executor_stdout', 'verify_stdout')),
    command TEXT NOT NULL,
    end_how TEXT NOT NULL CHECK (end_how IN (
        'exited', 'signaled', 'timed_out', 'silent', 'too_much_output', 'stopped', 'not_started', 'lost'
    )),
    end_code INTEGER,
    end_signal INTEGER,
    end_error TEXT,
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    tree TEXT,
    at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    UNIQUE (job_id, run_n),
    FOREIGN KEY (job_id, run_n) REFERENCES runs (job_id, n),
    CHECK ((end_how = 'exited') = (end_code IS NOT NULL)),
    CHECK ((end_how = 'signaled') = (end_signal IS NOT NULL)),
    CHECK ((end_how = 'not_started') = (end_error IS NOT NULL))
) STRICT;

CREATE INDEX evidence_by_ticket ON evidence (ticket_id);
CREATE INDEX evidence_by_change ON evidence (changed);

CREATE TABLE revisions (
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    job_id TEXT NOT NULL REFERENCES jobs (id),
    status TEXT NOT NULL CHECK (status IN ('open', 'changes_requested', 'approved', 'superseded')),
    base TEXT NOT NULL,
    tree TEXT NOT NULL,
    head TEXT NOT NULL,
    files INTEGER NOT NULL CHECK (files >= 0),
    insertions INTEGER NOT NULL CHECK (insertions >= 0),
    deletions INTEGER NOT NULL CHECK (deletions >= 0),
    at INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, number),
    UNIQUE (ticket_id, job_id)
) STRICT;

CREATE UNIQUE INDEX revisions_one_open ON revisions (ticket_id) WHERE status = 'open';
CREATE INDEX revisions_by_job ON revisions (job_id);
CREATE INDEX revisions_by_change ON revisions (changed);

-- AUTOINCREMENT, so that a number is never given twice.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN (
        'created', 'transitioned', 'updated', 'comment', 'job_queued', 'cancel_requested', 'merge_requested',
        'merge_succeeded', 'merge_failed', 'worktree_cleaned', 'worktree_cleanup_failed', 'worktree_restored'
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

CREATE INDEX events_by_ticket ON events (ticket_id, seq);
CREATE INDEX events_by_change ON events (changed);

CREATE TRIGGER events_are_only_appended BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'an event is never changed');
END;

-- The text of each repository's configuration that the user trusts to run commands.
CREATE TABLE trusts (
    repo_root ANY PRIMARY KEY NOT NULL CHECK (typeof(repo_root) IN ('text', 'blob')),
    content TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- What processes that are not the engine want from it, and what it answered.
CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    board_id TEXT NOT NULL REFERENCES boards (id),
    request TEXT NOT NULL CHECK (json_valid(request)),
    asked_at INTEGER NOT NULL,
    answered_at INTEGER,
    -- Why it was refused; nothing where it was done.
    refused TEXT CHECK (json_valid(refused)),
    CHECK (refused IS NULL OR answered_at IS NOT NULL)
) STRICT;

CREATE INDEX commands_pending ON commands (board_id, id) WHERE answered_at IS NULL;

-- Who says that it is a board's engine. The lock file decides; this row is for people.
CREATE TABLE engines (
    board_id TEXT PRIMARY KEY REFERENCES boards (id),
    pid INTEGER NOT NULL CHECK (pid BETWEEN 1 AND 4294967295),
    since INTEGER NOT NULL
) STRICT;
