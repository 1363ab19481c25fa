-- The boxes of the merge checklist that somebody ticked for a revision: `[{"item", "by", "at"}]`; nothing where none is.

ALTER TABLE revisions ADD COLUMN ticks TEXT CHECK (json_valid(ticks));
