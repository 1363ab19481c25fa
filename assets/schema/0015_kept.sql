-- How many checks had passed when a job was asked for, and which revision of a ticket came to its target last: both stay true whatever
-- is done with the ticket afterwards.

ALTER TABLE jobs ADD COLUMN checked TEXT CHECK (json_valid(checked));
ALTER TABLE tickets ADD COLUMN landed INTEGER CHECK (landed > 0);

-- The newest revision that was there when the ticket was done.
UPDATE tickets SET landed = (
    SELECT max(revisions.number) FROM revisions WHERE revisions.ticket_id = tickets.id AND revisions.at <= (
        SELECT max(events.at) FROM events WHERE events.ticket_id = tickets.id AND events.to_state = 'done'
    )
);
