-- The whole desk. Only TEXT, BIGINT and BLOB, so that the same statements run on Postgres.
-- Times are unix milliseconds, booleans 0/1, JSON and ids text. Every row carries its workspace.

CREATE TABLE intake (              -- what came in, once: events, clicks, submissions, API calls
  workspace   TEXT   NOT NULL,
  key         TEXT   NOT NULL,     -- event:<event_id>, message:<channel>:<ts>, click:<…>, view:<…>
  body_hash   TEXT   NOT NULL,     -- another body under the same key is a conflict
  received_at BIGINT NOT NULL,
  verdict     TEXT   NOT NULL,     -- JSON: what was answered, so that a repetition hears the same
  PRIMARY KEY (workspace, key)
);

CREATE TABLE threads (             -- one conversation with an agent
  id         TEXT   NOT NULL PRIMARY KEY,
  workspace  TEXT   NOT NULL,
  agent      TEXT   NOT NULL,
  channel    TEXT   NOT NULL,      -- Slack channel id
  thread_ts  TEXT   NOT NULL,      -- ts of the root message
  created_at BIGINT NOT NULL,
  UNIQUE (workspace, channel, thread_ts)
);

CREATE TABLE runs (                -- one pass of an agent's graph
  id          TEXT   NOT NULL PRIMARY KEY,
  workspace   TEXT   NOT NULL,
  thread_id   TEXT   NOT NULL REFERENCES threads (id),
  agent       TEXT   NOT NULL,
  graph_hash  TEXT   NOT NULL,     -- the definition it started with
  input       TEXT   NOT NULL,     -- JSON: text, user, ts
  requester   TEXT,                -- JSON Requester, once the directory has named them
  state       TEXT   NOT NULL,     -- queued | running | waiting | done | failed
  epoch       BIGINT NOT NULL,
  owner       TEXT,
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,
  retry_at    BIGINT NOT NULL,     -- not to be claimed before
  error       TEXT,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE INDEX runs_by_state ON runs (state, retry_at, lease_until);
CREATE INDEX runs_by_thread ON runs (thread_id, created_at);

CREATE TABLE checkpoints (
  id         TEXT   NOT NULL PRIMARY KEY,
  workspace  TEXT   NOT NULL,
  thread_id  TEXT   NOT NULL,
  run_id     TEXT   NOT NULL,
  namespace  TEXT   NOT NULL,      -- '' for the root graph
  parent     TEXT,
  step       BIGINT NOT NULL,
  body       TEXT   NOT NULL,      -- JSON, the graph's own form
  created_at BIGINT NOT NULL
);
CREATE INDEX checkpoints_by_thread ON checkpoints (thread_id, namespace, step);

CREATE TABLE pending_writes (      -- finished tasks of a superstep that is not finished
  checkpoint_id TEXT   NOT NULL,
  task_id       TEXT   NOT NULL,
  workspace     TEXT   NOT NULL,
  body          TEXT   NOT NULL,   -- JSON
  PRIMARY KEY (checkpoint_id, task_id)
);

CREATE TABLE interrupts (          -- open and answered questions of a run
  id          TEXT   NOT NULL PRIMARY KEY,
  workspace   TEXT   NOT NULL,
  run_id      TEXT   NOT NULL,
  thread_id   TEXT   NOT NULL,
  checkpoint_id TEXT NOT NULL,
  value       TEXT   NOT NULL,     -- JSON: what was asked
  answer      TEXT,                -- JSON: the order to resume; carries no authority
  created_at  BIGINT NOT NULL,
  answered_at BIGINT,
  consumed_at BIGINT               -- set together with the next checkpoint, once
);
CREATE INDEX interrupts_by_run ON interrupts (run_id, answered_at);

CREATE TABLE requests (
  id          TEXT   NOT NULL PRIMARY KEY,
  workspace   TEXT   NOT NULL,
  interrupt_id TEXT,               -- absent when no run waits for it
  run_id      TEXT,
  thread_id   TEXT,
  agent       TEXT,
  tool        TEXT   NOT NULL,
  envelope    TEXT   NOT NULL,     -- canonical bytes: what was shown is what runs
  digest      TEXT   NOT NULL,
  claim       TEXT,                -- the agent's own words; never a fact
  show        TEXT   NOT NULL,     -- JSON list: arguments pinned on top of the card
  terms       TEXT   NOT NULL,     -- JSON Terms
  requester   TEXT   NOT NULL,     -- JSON Requester
  asked_at    BIGINT NOT NULL,
  decide_by   BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  stage       BIGINT NOT NULL,
  stage_since BIGINT NOT NULL,
  outcome     TEXT,                -- null while pending
  decision    TEXT,                -- JSON Decision
  undeliverable TEXT,              -- why nobody could be shown it, if so
  CHECK ((outcome IS NULL) = (decision IS NULL))
);
CREATE INDEX requests_pending ON requests (workspace, outcome, asked_at);
CREATE INDEX requests_by_run ON requests (run_id);

CREATE TABLE votes (
  request_id TEXT   NOT NULL REFERENCES requests (id),
  person     TEXT   NOT NULL,      -- distinct humans, not accounts
  workspace  TEXT   NOT NULL,
  choice     TEXT   NOT NULL,
  body       TEXT   NOT NULL,      -- JSON Vote
  evidence   TEXT   NOT NULL,      -- JSON: delivery, signature time, channel, message, stages
  digest     TEXT   NOT NULL,      -- what they saw
  at         BIGINT NOT NULL,
  PRIMARY KEY (request_id, person)
);

CREATE TABLE executions (
  id          TEXT   NOT NULL PRIMARY KEY,
  workspace   TEXT   NOT NULL,
  request_id  TEXT UNIQUE,         -- absent when a rule allowed the action; one at most a request
  interrupt_id TEXT UNIQUE,
  run_id      TEXT,
  tool        TEXT   NOT NULL,
  retry_class TEXT   NOT NULL,
  envelope    TEXT   NOT NULL,
  digest      TEXT   NOT NULL,
  rule        TEXT   NOT NULL,
  key         TEXT   NOT NULL,     -- the idempotency key, the same for every attempt
  state       TEXT   NOT NULL,     -- ordered | claimed | started | succeeded | failed | unknown | refused
  epoch       BIGINT NOT NULL,
  owner       TEXT,
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,     -- how often the call has begun
  retry_at    BIGINT NOT NULL,
  start_by    BIGINT NOT NULL,
  ordered_at  BIGINT NOT NULL,
  started_at  BIGINT,              -- first attempt
  ended_at    BIGINT,
  result      TEXT,                -- JSON
  result_hash TEXT
);
CREATE INDEX executions_by_state ON executions (state, retry_at, lease_until);

CREATE TABLE timers (
  id         TEXT   NOT NULL PRIMARY KEY,
  workspace  TEXT   NOT NULL,
  request_id TEXT   NOT NULL REFERENCES requests (id),
  kind       TEXT   NOT NULL,      -- JSON TimerKind
  due_at     BIGINT NOT NULL,
  done_at    BIGINT                -- fired or void
);
CREATE INDEX timers_due ON timers (done_at, due_at);
CREATE INDEX timers_by_request ON timers (request_id, done_at);

CREATE TABLE cards (               -- which version of a request is shown where
  id            TEXT   NOT NULL PRIMARY KEY,
  workspace     TEXT   NOT NULL,
  request_id    TEXT   NOT NULL REFERENCES requests (id),
  kind          TEXT   NOT NULL,   -- stage | status
  stage         BIGINT,
  place         TEXT   NOT NULL,   -- a channel's name in the configuration, or a Slack channel id
  thread_ts     TEXT,              -- for a status line in the requester's thread
  channel       TEXT,              -- once posted
  message_ts    TEXT,              -- once posted
  want_version  BIGINT NOT NULL,
  shown_version BIGINT NOT NULL,   -- 0 = never shown
  shown_blocks  TEXT,              -- JSON: exactly what people saw last
  shown_hash    TEXT,
  complete      BIGINT NOT NULL,   -- 1 = every byte of the action could be seen
  state         TEXT   NOT NULL,   -- open | unsure | dead ; unsure = a post whose outcome is unknown
  intent_at     BIGINT,            -- when the last post was begun
  epoch         BIGINT NOT NULL,
  owner         TEXT,
  lease_until   BIGINT,
  attempts      BIGINT NOT NULL,
  retry_at      BIGINT NOT NULL,
  error         TEXT
);
CREATE INDEX cards_by_request ON cards (request_id);
CREATE INDEX cards_owed ON cards (state, retry_at);

CREATE TABLE buttons (             -- opaque tokens; the value of a button names nothing else
  token      TEXT   NOT NULL PRIMARY KEY,
  workspace  TEXT   NOT NULL,
  request_id TEXT   NOT NULL REFERENCES requests (id),
  card_id    TEXT   NOT NULL REFERENCES cards (id),
  choice     TEXT   NOT NULL       -- approve | reject | show_all | withdraw
);
CREATE INDEX buttons_by_card ON buttons (card_id);

CREATE TABLE notices (             -- one-off messages owed to Slack
  id          TEXT   NOT NULL PRIMARY KEY,
  workspace   TEXT   NOT NULL,
  request_id  TEXT,
  run_id      TEXT,
  kind        TEXT   NOT NULL,     -- reminder | decided | reply | refusal | undeliverable | …
  body        TEXT   NOT NULL,     -- JSON: what to say and where
  state       TEXT   NOT NULL,     -- owed | unsure | sent | dead
  intent_at   BIGINT,
  channel     TEXT,
  message_ts  TEXT,
  epoch       BIGINT NOT NULL,
  owner       TEXT,
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,
  retry_at    BIGINT NOT NULL,
  error       TEXT,
  created_at  BIGINT NOT NULL
);
CREATE INDEX notices_owed ON notices (state, retry_at);

CREATE TABLE switches (            -- the stop switch of a workspace
  workspace  TEXT   NOT NULL PRIMARY KEY,
  stopped    BIGINT NOT NULL,
  by_whom    TEXT   NOT NULL,
  reason     TEXT   NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE audit (
  workspace TEXT   NOT NULL,
  seq       BIGINT NOT NULL,       -- gapless from 1
  at        BIGINT NOT NULL,       -- never before its predecessor
  kind      TEXT   NOT NULL,
  subject   TEXT   NOT NULL,       -- the request, run or execution it is about
  body      TEXT   NOT NULL,       -- canonical JSON
  prev_hash TEXT   NOT NULL,
  hash      TEXT   NOT NULL,
  PRIMARY KEY (workspace, seq)
);
CREATE INDEX audit_by_subject ON audit (subject, seq);

CREATE TABLE audit_heads (
  workspace TEXT   NOT NULL PRIMARY KEY,
  seq       BIGINT NOT NULL,
  at        BIGINT NOT NULL,       -- the high-water mark of time: it never goes back
  hash      TEXT   NOT NULL
);
