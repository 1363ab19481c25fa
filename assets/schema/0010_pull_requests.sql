-- Pull requests: what the host said last, and the comments there.

ALTER TABLE tickets ADD COLUMN pull_request TEXT CHECK (json_valid(pull_request));

CREATE TABLE remarks (
    ticket_id TEXT PRIMARY KEY REFERENCES tickets (id),
    remarks TEXT NOT NULL CHECK (json_valid(remarks))
) STRICT;

-- One more kind of job, and what such a job is to do. SQLite changes a check only by making the table anew.
CREATE TABLE new_jobs (
    id TEXT PRIMARY KEY CHECK (length(id) = 36),
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    kind TEXT NOT NULL CHECK (kind IN ('execute', 'verify', 'resume', 'land', 'pull_request')),
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
    changed INTEGER NOT NULL,
    rework INTEGER CHECK (rework BETWEEN 0 AND 4294967295),
    message TEXT,
    strategy TEXT CHECK (strategy IN ('squash', 'merge', 'rebase')),
    intent TEXT CHECK (json_valid(intent)),
    errand TEXT CHECK (json_valid(errand)),
    CHECK ((kind = 'pull_request') = (errand IS NOT NULL))
) STRICT;

INSERT INTO new_jobs
SELECT
    id, ticket_id, kind, status, cancel_requested, attempt, steps, agent, model, session, exit_code, signal, reason,
    input_tokens, output_tokens, cost_micros, queued_at, started_at, finished_at, changed, rework, message, strategy,
    intent, NULL
FROM jobs;

DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;

CREATE UNIQUE INDEX jobs_one_active ON jobs (ticket_id) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_by_ticket ON jobs (ticket_id, queued_at, id);
CREATE INDEX jobs_by_change ON jobs (changed);
CREATE INDEX jobs_by_end ON jobs (finished_at, cost_micros) WHERE cost_micros > 0;

CREATE TRIGGER jobs_stay_themselves BEFORE UPDATE OF ticket_id, kind, queued_at ON jobs
WHEN OLD.ticket_id <> NEW.ticket_id OR OLD.kind <> NEW.kind OR OLD.queued_at <> NEW.queued_at
BEGIN
    SELECT RAISE(ABORT, 'a job keeps its ticket, its kind and the time when it was asked for');
END;
