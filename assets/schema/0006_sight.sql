-- The tickets of a column in the order in which people see them, and how many there are: what is read of a large board before
-- anything else. The order is that of `domain::board::order`.
CREATE INDEX tickets_by_place ON tickets (
    board_id, state, priority DESC, hand_order IS NULL, hand_order, number, state_why
) WHERE removed_at IS NULL;
