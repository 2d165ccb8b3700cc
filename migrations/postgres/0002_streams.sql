-- What runs tell while they go on. Each row is a batch of events that were committed together, with
-- whatever made them true.

CREATE TABLE run_events (
  run_id     TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  first_seq  BIGINT NOT NULL,      -- of its first event in the run; the run's first is 1
  last_seq   BIGINT NOT NULL,
  workspace  TEXT COLLATE "C" NOT NULL,
  body       TEXT COLLATE "C" NOT NULL, -- JSON list of events, in order
  created_at BIGINT NOT NULL,
  PRIMARY KEY (run_id, first_seq)
);
CREATE INDEX run_events_by_age ON run_events (created_at);

CREATE TABLE shows (               -- what the Slack thread of a run shows of it while it goes on
  run_id      TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES runs (id),
  workspace   TEXT COLLATE "C" NOT NULL,
  told        BIGINT NOT NULL,     -- the last event that there is
  seen        BIGINT NOT NULL,     -- the last event that was taken in
  body        TEXT COLLATE "C" NOT NULL, -- JSON Show
  state       TEXT COLLATE "C" NOT NULL, -- idle | live | over; live = a message may be growing
  epoch       BIGINT NOT NULL,
  owner       TEXT COLLATE "C",
  lease_until BIGINT,
  retry_at    BIGINT NOT NULL,     -- nothing before, whatever is told
  due_at      BIGINT               -- something then, even if nothing more is told
);
CREATE INDEX shows_due ON shows (retry_at) WHERE state <> 'over';
