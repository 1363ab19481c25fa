-- A land job that only checks what would be on the target, as long as nobody asks for the landing.

ALTER TABLE jobs ADD COLUMN recheck INTEGER NOT NULL DEFAULT 0 CHECK (recheck IN (0, 1));
