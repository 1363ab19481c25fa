-- A board that was removed keeps its rows, so that it can come back.

ALTER TABLE boards ADD COLUMN removed_at INTEGER;
