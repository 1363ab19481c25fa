-- A ticket that was removed keeps its row, its number and all that was learned about it, so that it can come back.

ALTER TABLE tickets ADD COLUMN removed_at INTEGER;
