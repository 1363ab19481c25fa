-- Goals are edited, removed and brought back; the tickets of a removed one keep their link, so that it comes back with them.

ALTER TABLE goals ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE goals ADD COLUMN removed_at INTEGER;

UPDATE goals SET updated_at = created_at;
