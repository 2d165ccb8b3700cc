-- What runs tell while they go on. Each row is a batch of events that were committed together, with
-- whatever made them true.

CREATE TABLE run_events (
  run_id     TEXT   NOT NULL REFERENCES runs (id),
  first_seq  BIGINT NOT NULL,      -- of its first event in the run; the run's first is 1
  last_seq   BIGINT NOT NULL,
  workspace  TEXT   NOT NULL,
  body       TEXT   NOT NULL,      -- JSON list of events, in order
  created_at BIGINT NOT NULL,
  PRIMARY KEY (run_id, first_seq)
);
CREATE INDEX run_events_by_age ON run_events (created_at);
