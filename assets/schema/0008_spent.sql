-- What was spent since a moment is asked at each start. Few jobs say what they cost, and each of them once.
CREATE INDEX jobs_by_end ON jobs (finished_at, cost_micros) WHERE cost_micros > 0;
