-- A ticket that takes the landed change of another one back, and the landing that its job takes back: `{"branch", "from", "to"}`.

ALTER TABLE tickets ADD COLUMN reverts TEXT REFERENCES tickets (id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE jobs ADD COLUMN takes_back TEXT CHECK (json_valid(takes_back));

CREATE INDEX tickets_by_revert ON tickets (reverts) WHERE reverts IS NOT NULL;
