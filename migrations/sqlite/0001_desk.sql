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
  channel    TEXT,                 -- Slack channel id; absent when a caller of the API holds it
  thread_ts  TEXT,                 -- ts of the root message
  caller     TEXT,                 -- which caller of the API holds it
  name       TEXT,                 -- what that caller calls it
  created_at BIGINT NOT NULL,
  UNIQUE (workspace, channel, thread_ts),
  UNIQUE (workspace, caller, name),
  CHECK ((channel IS NULL) = (thread_ts IS NULL)),
  CHECK ((caller IS NULL) = (name IS NULL)),
  CHECK ((channel IS NULL) <> (caller IS NULL))
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
CREATE INDEX runs_by_state ON runs (state, retry_at);
CREATE INDEX runs_unfinished ON runs (thread_id, created_at, id)
  WHERE state IN ('queued', 'running', 'waiting');

CREATE TABLE checkpoints (
  thread_id  TEXT   NOT NULL REFERENCES threads (id),
  seq        BIGINT NOT NULL,      -- the order they were written in, from 1
  id         TEXT   NOT NULL,      -- the graph's own name for it
  workspace  TEXT   NOT NULL,
  run_id     TEXT   NOT NULL REFERENCES runs (id),
  namespace  TEXT   NOT NULL,      -- '' for the root graph
  parent     TEXT,
  step       BIGINT NOT NULL,
  keys       TEXT   NOT NULL,      -- JSON list: the state keys that have a value
  body       TEXT   NOT NULL,      -- JSON, the graph's own form, without the values
  created_at BIGINT NOT NULL,
  PRIMARY KEY (thread_id, seq)
);

CREATE TABLE state_values (        -- what each checkpoint changed; a branch repeats all of them
  thread_id  TEXT   NOT NULL,
  namespace  TEXT   NOT NULL,
  key        TEXT   NOT NULL,
  seq        BIGINT NOT NULL,      -- of the checkpoint that changed it
  workspace  TEXT   NOT NULL,
  start      BIGINT NOT NULL,      -- 0: a whole value; else further entries of a list, from here
  value      TEXT   NOT NULL,      -- JSON
  PRIMARY KEY (thread_id, namespace, key, seq)
);

CREATE TABLE pending_writes (      -- finished tasks of a superstep that is not finished
  thread_id  TEXT   NOT NULL,
  checkpoint BIGINT NOT NULL,      -- the seq of the one it hangs on
  task_id    TEXT   NOT NULL,
  workspace  TEXT   NOT NULL,
  body       TEXT   NOT NULL,      -- JSON, the graph's own form
  PRIMARY KEY (thread_id, checkpoint, task_id)
);

CREATE TABLE interrupts (          -- open and answered questions of a run
  run_id      TEXT   NOT NULL REFERENCES runs (id),
  id          TEXT   NOT NULL,     -- the graph's own name for it
  workspace   TEXT   NOT NULL,
  value       TEXT   NOT NULL,     -- JSON: what was asked
  answer      TEXT,                -- JSON: the order to resume; carries no authority
  created_at  BIGINT NOT NULL,
  answered_at BIGINT,
  consumed_at BIGINT,              -- set together with the next checkpoint, once
  PRIMARY KEY (run_id, id),
  CHECK ((answer IS NULL) = (answered_at IS NULL)),
  CHECK (consumed_at IS NULL OR answered_at IS NOT NULL)
);

CREATE TABLE requests (
  id            TEXT   NOT NULL PRIMARY KEY,
  workspace     TEXT   NOT NULL,
  run_id        TEXT   REFERENCES runs (id),  -- absent when no run waits for it
  interrupt_id  TEXT,
  person        TEXT   NOT NULL,   -- who asks; for lists, the envelope is the truth
  envelope      TEXT   NOT NULL,   -- canonical bytes: what was shown is what runs
  digest        TEXT   NOT NULL,
  claim         TEXT,              -- the agent's own words; never a fact
  because       TEXT,              -- why the policy asked although a condition failed
  show          TEXT   NOT NULL,   -- JSON list: arguments pinned on top of the card
  terms         TEXT   NOT NULL,   -- JSON Terms
  asked_at      BIGINT NOT NULL,
  version       BIGINT NOT NULL,
  stage         BIGINT NOT NULL,
  stage_since   BIGINT NOT NULL,
  outcome       TEXT,              -- null while pending
  decision      TEXT,              -- JSON Decision
  undeliverable TEXT,              -- why nobody could be shown it, if so
  UNIQUE (run_id, interrupt_id),
  CHECK ((outcome IS NULL) = (decision IS NULL)),
  CHECK ((run_id IS NULL) = (interrupt_id IS NULL))
);
CREATE INDEX requests_by_age ON requests (workspace, asked_at, id);
CREATE INDEX requests_pending ON requests (workspace, asked_at, id) WHERE outcome IS NULL;
CREATE INDEX requests_by_person ON requests (workspace, person, asked_at);

CREATE TABLE votes (
  request_id TEXT   NOT NULL REFERENCES requests (id),
  person     TEXT   NOT NULL,      -- distinct humans, not accounts
  workspace  TEXT   NOT NULL,
  seq        BIGINT NOT NULL,      -- the order of the votes on a request, from 1
  body       TEXT   NOT NULL,      -- JSON Vote
  evidence   TEXT   NOT NULL,      -- JSON: delivery, signature time, channel, message, stages
  digest     TEXT   NOT NULL,      -- what they saw
  at         BIGINT NOT NULL,
  PRIMARY KEY (request_id, person)
);

CREATE TABLE executions (
  id           TEXT   NOT NULL PRIMARY KEY,
  workspace    TEXT   NOT NULL,
  request_id   TEXT   UNIQUE REFERENCES requests (id),  -- absent when a rule allowed the action
  run_id       TEXT   REFERENCES runs (id),
  interrupt_id TEXT,
  retry_class  TEXT   NOT NULL,
  envelope     TEXT   NOT NULL,
  digest       TEXT   NOT NULL,
  key          TEXT   NOT NULL,    -- the idempotency key, the same for every attempt
  state        TEXT   NOT NULL,    -- ordered | claimed | started | succeeded | failed | unknown | refused
  epoch        BIGINT NOT NULL,
  owner        TEXT,
  lease_until  BIGINT,
  attempts     BIGINT NOT NULL,    -- how often the call has begun
  start_by     BIGINT NOT NULL,
  ordered_at   BIGINT NOT NULL,
  started_at   BIGINT,             -- first attempt
  ended_at     BIGINT,
  note         TEXT,               -- the result, or why there is none
  note_hash    TEXT,               -- SHA-256 of it, as the audit log has it
  UNIQUE (run_id, interrupt_id),
  CHECK ((attempts = 0) = (started_at IS NULL))
);
CREATE INDEX executions_open ON executions (state, ordered_at)
  WHERE state IN ('ordered', 'claimed', 'started');

CREATE TABLE timers (
  id         TEXT   NOT NULL PRIMARY KEY,
  workspace  TEXT   NOT NULL,
  request_id TEXT   NOT NULL REFERENCES requests (id),
  kind       TEXT   NOT NULL,      -- JSON TimerKind
  due_at     BIGINT NOT NULL,
  done_at    BIGINT                -- fired or void
);
CREATE INDEX timers_due ON timers (due_at) WHERE done_at IS NULL;
CREATE INDEX timers_live ON timers (request_id) WHERE done_at IS NULL;

CREATE TABLE cards (               -- which revision of a request's card is shown where
  id            TEXT   NOT NULL PRIMARY KEY,
  workspace     TEXT   NOT NULL,
  request_id    TEXT   NOT NULL REFERENCES requests (id),
  kind          TEXT   NOT NULL,   -- stage | status
  stage         BIGINT,            -- of a stage card
  place         TEXT   NOT NULL,   -- stage: a channel's name in the configuration; status: a Slack id
  thread_ts     TEXT,              -- of a status line: the requester's thread
  channel       TEXT,              -- once posted
  message_ts    TEXT,              -- once posted
  want_version  BIGINT NOT NULL,   -- raised by one whenever the card must look different
  shown_version BIGINT NOT NULL,   -- 0 = nothing is shown
  shown_blocks  TEXT,              -- JSON: exactly what people saw last
  shown_hash    TEXT,
  complete      BIGINT NOT NULL,   -- 1 = every byte of the action can be seen
  state         TEXT   NOT NULL,   -- open | dead
  intent_at     BIGINT,            -- when a post was begun whose outcome is not known (yet)
  epoch         BIGINT NOT NULL,
  owner         TEXT,
  lease_until   BIGINT,
  attempts      BIGINT NOT NULL,
  retry_at      BIGINT NOT NULL,
  error         TEXT
);
CREATE INDEX cards_by_request ON cards (request_id);
CREATE INDEX cards_owed ON cards (retry_at) WHERE state = 'open' AND shown_version < want_version;

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
  kind        TEXT   NOT NULL,     -- reminder | decided | undeliverable | reply | …
  body        TEXT   NOT NULL,     -- JSON: what to say and where
  state       TEXT   NOT NULL,     -- owed | sent | dead
  intent_at   BIGINT,              -- when a post was begun whose outcome is not known (yet)
  channel     TEXT,                -- once sent
  message_ts  TEXT,                -- once sent
  epoch       BIGINT NOT NULL,
  owner       TEXT,
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,
  retry_at    BIGINT NOT NULL,
  error       TEXT,
  created_at  BIGINT NOT NULL
);
CREATE INDEX notices_owed ON notices (retry_at) WHERE state = 'owed';

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

CREATE TRIGGER audit_moves_its_head AFTER INSERT ON audit
BEGIN
  INSERT INTO audit_heads (workspace, seq, at, hash)
  VALUES (new.workspace, new.seq, new.at, new.hash)
  ON CONFLICT (workspace) DO UPDATE SET seq = excluded.seq, at = excluded.at, hash = excluded.hash;
END;
