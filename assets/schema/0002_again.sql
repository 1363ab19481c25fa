-- What leads a ticket on that has worked before, the autopilot, and the ports of a worktree.

ALTER TABLE boards ADD COLUMN autopilot TEXT CHECK (autopilot IN ('on', 'off', 'finish'));
-- The change that set the autopilot last.
ALTER TABLE boards ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

ALTER TABLE tickets ADD COLUMN base_branch TEXT;
ALTER TABLE tickets ADD COLUMN message TEXT;
ALTER TABLE tickets ADD COLUMN message_at INTEGER CHECK ((message IS NULL) = (message_at IS NULL));
ALTER TABLE tickets ADD COLUMN worktree_port INTEGER CHECK (worktree_port BETWEEN 1 AND 65535);

-- No two worktrees have the same ports, on whatever board.
CREATE UNIQUE INDEX tickets_by_port ON tickets (worktree_port) WHERE worktree_port IS NOT NULL;

ALTER TABLE jobs ADD COLUMN rework INTEGER CHECK (rework BETWEEN 0 AND 4294967295);
ALTER TABLE jobs ADD COLUMN message TEXT;
