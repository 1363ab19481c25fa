-- A result is remembered by tree, command and surroundings: a number for what else decides how a check ends. What was stored
-- before has none, and is not taken for a result again.

ALTER TABLE evidence ADD COLUMN surroundings TEXT CHECK (length(surroundings) = 40);

CREATE INDEX evidence_by_tree ON evidence (tree) WHERE tree IS NOT NULL;
