-- What may happen for a goal without a person, and what its tickets may cost.

ALTER TABLE goals ADD COLUMN autonomy_enabled INTEGER NOT NULL DEFAULT 0 CHECK (autonomy_enabled IN (0, 1));
ALTER TABLE goals ADD COLUMN auto_approve_tickets INTEGER NOT NULL DEFAULT 0 CHECK (auto_approve_tickets IN (0, 1));
ALTER TABLE goals ADD COLUMN auto_approve_revisions INTEGER NOT NULL DEFAULT 0 CHECK (auto_approve_revisions IN (0, 1));
ALTER TABLE goals ADD COLUMN auto_merge INTEGER NOT NULL DEFAULT 0 CHECK (auto_merge IN (0, 1));
ALTER TABLE goals ADD COLUMN auto_approve_followups INTEGER NOT NULL DEFAULT 0 CHECK (auto_approve_followups IN (0, 1));
ALTER TABLE goals ADD COLUMN max_auto_approvals INTEGER CHECK (max_auto_approvals BETWEEN 0 AND 4294967295);
ALTER TABLE goals ADD COLUMN auto_approval_count INTEGER NOT NULL DEFAULT 0
    CHECK (auto_approval_count BETWEEN 0 AND 4294967295);
ALTER TABLE goals ADD COLUMN budget_micros INTEGER CHECK (budget_micros >= 0);
