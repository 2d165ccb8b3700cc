-- The whole desk, as migrations/sqlite has it: the same tables, columns and rules, so that one text of
-- SQL serves both. Text is compared by its bytes, as SQLite does: the order of ids is theirs alone.
-- Times are unix milliseconds, booleans 0/1, JSON and ids text. Every row carries its workspace.

CREATE TABLE desk_turn (           -- one row: whoever has locked it is the one that writes
  one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1)
);
INSERT INTO desk_turn (one) VALUES (1);

CREATE TABLE intake (              -- what came in, once: events, clicks, submissions, API calls
  workspace   TEXT COLLATE "C" NOT NULL,
  key         TEXT COLLATE "C" NOT NULL, -- event:<event_id>, message:<channel>:<ts>, click:<…>, view:<…>
  body_hash   TEXT COLLATE "C" NOT NULL, -- another body under the same key is a conflict
  received_at BIGINT NOT NULL,
  verdict     TEXT COLLATE "C" NOT NULL, -- JSON: what was answered, so that a repetition hears the same
  PRIMARY KEY (workspace, key)
);

CREATE TABLE threads (             -- one conversation with an agent
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace  TEXT COLLATE "C" NOT NULL,
  agent      TEXT COLLATE "C" NOT NULL,
  channel    TEXT COLLATE "C", -- Slack channel id; absent when a caller of the API holds it
  thread_ts  TEXT COLLATE "C", -- ts of the root message
  caller     TEXT COLLATE "C", -- which caller of the API holds it
  name       TEXT COLLATE "C", -- what that caller calls it
  created_at BIGINT NOT NULL,
  UNIQUE (workspace, channel, thread_ts),
  UNIQUE (workspace, caller, name),
  CHECK ((channel IS NULL) = (thread_ts IS NULL)),
  CHECK ((caller IS NULL) = (name IS NULL)),
  CHECK ((channel IS NULL) <> (caller IS NULL))
);

CREATE TABLE runs (                -- one pass of an agent's graph
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace   TEXT COLLATE "C" NOT NULL,
  thread_id   TEXT COLLATE "C" NOT NULL REFERENCES threads (id),
  agent       TEXT COLLATE "C" NOT NULL,
  graph_hash  TEXT COLLATE "C" NOT NULL, -- the definition it started with
  input       TEXT COLLATE "C" NOT NULL, -- JSON: text, user, ts
  requester   TEXT COLLATE "C", -- JSON Requester, once the directory has named them
  state       TEXT COLLATE "C" NOT NULL, -- queued | running | waiting | done | failed
  epoch       BIGINT NOT NULL,
  owner       TEXT COLLATE "C",
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,
  retry_at    BIGINT NOT NULL,     -- not to be claimed before
  error       TEXT COLLATE "C",
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE INDEX runs_by_state ON runs (state, retry_at);
CREATE INDEX runs_unfinished ON runs (thread_id, created_at, id)
  WHERE state IN ('queued', 'running', 'waiting');

CREATE TABLE checkpoints (
  thread_id  TEXT COLLATE "C" NOT NULL REFERENCES threads (id),
  seq        BIGINT NOT NULL,      -- the order they were written in, from 1
  id         TEXT COLLATE "C" NOT NULL, -- the graph's own name for it
  workspace  TEXT COLLATE "C" NOT NULL,
  run_id     TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  namespace  TEXT COLLATE "C" NOT NULL, -- '' for the root graph
  parent     TEXT COLLATE "C",
  step       BIGINT NOT NULL,
  keys       TEXT COLLATE "C" NOT NULL, -- JSON list: the state keys that have a value
  body       TEXT COLLATE "C" NOT NULL, -- JSON, the graph's own form, without the values
  created_at BIGINT NOT NULL,
  PRIMARY KEY (thread_id, seq)
);

CREATE TABLE state_values (        -- what each checkpoint changed; a branch repeats all of them
  thread_id  TEXT COLLATE "C" NOT NULL,
  namespace  TEXT COLLATE "C" NOT NULL,
  key        TEXT COLLATE "C" NOT NULL,
  seq        BIGINT NOT NULL,      -- of the checkpoint that changed it
  workspace  TEXT COLLATE "C" NOT NULL,
  start      BIGINT NOT NULL,      -- 0: a whole value; else further entries of a list, from here
  value      TEXT COLLATE "C" NOT NULL, -- JSON
  PRIMARY KEY (thread_id, namespace, key, seq)
);

CREATE TABLE pending_writes (      -- finished tasks of a superstep that is not finished
  thread_id  TEXT COLLATE "C" NOT NULL,
  checkpoint BIGINT NOT NULL,      -- the seq of the one it hangs on
  task_id    TEXT COLLATE "C" NOT NULL,
  workspace  TEXT COLLATE "C" NOT NULL,
  body       TEXT COLLATE "C" NOT NULL, -- JSON, the graph's own form
  PRIMARY KEY (thread_id, checkpoint, task_id)
);

CREATE TABLE interrupts (          -- open and answered questions of a run
  run_id      TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  id          TEXT COLLATE "C" NOT NULL, -- the graph's own name for it
  workspace   TEXT COLLATE "C" NOT NULL,
  value       TEXT COLLATE "C" NOT NULL, -- JSON: what was asked
  answer      TEXT COLLATE "C", -- JSON: the order to resume; carries no authority
  created_at  BIGINT NOT NULL,
  answered_at BIGINT,
  consumed_at BIGINT,              -- set together with the next checkpoint, once
  PRIMARY KEY (run_id, id),
  CHECK ((answer IS NULL) = (answered_at IS NULL)),
  CHECK (consumed_at IS NULL OR answered_at IS NOT NULL)
);

CREATE TABLE requests (
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace     TEXT COLLATE "C" NOT NULL,
  run_id        TEXT COLLATE "C" REFERENCES runs (id), -- absent when no run waits for it
  interrupt_id  TEXT COLLATE "C",
  person        TEXT COLLATE "C" NOT NULL, -- who asks; for lists, the envelope is the truth
  envelope      TEXT COLLATE "C" NOT NULL, -- canonical bytes: what was shown is what runs
  digest        TEXT COLLATE "C" NOT NULL,
  claim         TEXT COLLATE "C", -- the agent's own words; never a fact
  because       TEXT COLLATE "C", -- why the policy asked although a condition failed
  show          TEXT COLLATE "C" NOT NULL, -- JSON list: arguments pinned on top of the card
  terms         TEXT COLLATE "C" NOT NULL, -- JSON Terms
  asked_at      BIGINT NOT NULL,
  version       BIGINT NOT NULL,
  stage         BIGINT NOT NULL,
  stage_since   BIGINT NOT NULL,
  outcome       TEXT COLLATE "C", -- null while pending
  decision      TEXT COLLATE "C", -- JSON Decision
  undeliverable TEXT COLLATE "C", -- why nobody could be shown it, if so
  UNIQUE (run_id, interrupt_id),
  CHECK ((outcome IS NULL) = (decision IS NULL)),
  CHECK ((run_id IS NULL) = (interrupt_id IS NULL))
);
CREATE INDEX requests_by_age ON requests (workspace, asked_at, id);
CREATE INDEX requests_pending ON requests (workspace, asked_at, id) WHERE outcome IS NULL;
CREATE INDEX requests_by_person ON requests (workspace, person, asked_at);

CREATE TABLE votes (
  request_id TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
  person     TEXT COLLATE "C" NOT NULL, -- distinct humans, not accounts
  workspace  TEXT COLLATE "C" NOT NULL,
  seq        BIGINT NOT NULL,      -- the order of the votes on a request, from 1
  body       TEXT COLLATE "C" NOT NULL, -- JSON Vote
  evidence   TEXT COLLATE "C" NOT NULL, -- JSON: delivery, signature time, channel, message, stages
  digest     TEXT COLLATE "C" NOT NULL, -- what they saw
  at         BIGINT NOT NULL,
  PRIMARY KEY (request_id, person)
);

CREATE TABLE executions (
  id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace    TEXT COLLATE "C" NOT NULL,
  request_id   TEXT COLLATE "C" UNIQUE REFERENCES requests (id), -- absent when a rule allowed the action
  run_id       TEXT COLLATE "C" REFERENCES runs (id),
  interrupt_id TEXT COLLATE "C",
  retry_class  TEXT COLLATE "C" NOT NULL,
  envelope     TEXT COLLATE "C" NOT NULL,
  digest       TEXT COLLATE "C" NOT NULL,
  key          TEXT COLLATE "C" NOT NULL, -- the idempotency key, the same for every attempt
  state        TEXT COLLATE "C" NOT NULL, -- ordered | claimed | started | succeeded | failed | unknown | refused
  epoch        BIGINT NOT NULL,
  owner        TEXT COLLATE "C",
  lease_until  BIGINT,
  attempts     BIGINT NOT NULL,    -- how often the call has begun
  start_by     BIGINT NOT NULL,
  ordered_at   BIGINT NOT NULL,
  started_at   BIGINT,             -- first attempt
  ended_at     BIGINT,
  note         TEXT COLLATE "C", -- the result, or why there is none
  note_hash    TEXT COLLATE "C", -- SHA-256 of it, as the audit log has it
  UNIQUE (run_id, interrupt_id),
  CHECK ((attempts = 0) = (started_at IS NULL))
);
CREATE INDEX executions_open ON executions (state, ordered_at)
  WHERE state IN ('ordered', 'claimed', 'started');

CREATE TABLE timers (
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace  TEXT COLLATE "C" NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
  kind       TEXT COLLATE "C" NOT NULL, -- JSON TimerKind
  due_at     BIGINT NOT NULL,
  done_at    BIGINT                -- fired or void
);
CREATE INDEX timers_due ON timers (due_at) WHERE done_at IS NULL;
CREATE INDEX timers_live ON timers (request_id) WHERE done_at IS NULL;

CREATE TABLE cards (               -- which revision of a request's card is shown where
  id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace     TEXT COLLATE "C" NOT NULL,
  request_id    TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
  kind          TEXT COLLATE "C" NOT NULL, -- stage | status
  stage         BIGINT,            -- of a stage card
  place         TEXT COLLATE "C" NOT NULL, -- stage: a channel's name in the configuration; status: a Slack id
  thread_ts     TEXT COLLATE "C", -- of a status line: the requester's thread
  channel       TEXT COLLATE "C", -- once posted
  message_ts    TEXT COLLATE "C", -- once posted
  want_version  BIGINT NOT NULL,   -- raised by one whenever the card must look different
  shown_version BIGINT NOT NULL,   -- 0 = nothing is shown
  shown_blocks  TEXT COLLATE "C", -- JSON: exactly what people saw last
  shown_hash    TEXT COLLATE "C",
  complete      BIGINT NOT NULL,   -- 1 = every byte of the action can be seen
  state         TEXT COLLATE "C" NOT NULL, -- open | dead
  intent_at     BIGINT,            -- when a post was begun whose outcome is not known (yet)
  epoch         BIGINT NOT NULL,
  owner         TEXT COLLATE "C",
  lease_until   BIGINT,
  attempts      BIGINT NOT NULL,
  retry_at      BIGINT NOT NULL,
  error         TEXT COLLATE "C"
);
CREATE INDEX cards_by_request ON cards (request_id);
CREATE INDEX cards_owed ON cards (retry_at) WHERE state = 'open' AND shown_version < want_version;

CREATE TABLE buttons (             -- opaque tokens; the value of a button names nothing else
  token      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace  TEXT COLLATE "C" NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL REFERENCES requests (id),
  card_id    TEXT COLLATE "C" NOT NULL REFERENCES cards (id),
  choice     TEXT COLLATE "C" NOT NULL -- approve | reject | show_all | withdraw
);
CREATE INDEX buttons_by_card ON buttons (card_id);

CREATE TABLE notices (             -- one-off messages owed to Slack
  id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  workspace   TEXT COLLATE "C" NOT NULL,
  request_id  TEXT COLLATE "C",
  run_id      TEXT COLLATE "C",
  kind        TEXT COLLATE "C" NOT NULL, -- reminder | decided | undeliverable | reply | …
  body        TEXT COLLATE "C" NOT NULL, -- JSON: what to say and where
  state       TEXT COLLATE "C" NOT NULL, -- owed | sent | dead
  intent_at   BIGINT,              -- when a post was begun whose outcome is not known (yet)
  channel     TEXT COLLATE "C", -- once sent
  message_ts  TEXT COLLATE "C", -- once sent
  epoch       BIGINT NOT NULL,
  owner       TEXT COLLATE "C",
  lease_until BIGINT,
  attempts    BIGINT NOT NULL,
  retry_at    BIGINT NOT NULL,
  error       TEXT COLLATE "C",
  created_at  BIGINT NOT NULL
);
CREATE INDEX notices_owed ON notices (retry_at) WHERE state = 'owed';

CREATE TABLE switches (            -- the stop switch of a workspace
  workspace  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  stopped    BIGINT NOT NULL,
  by_whom    TEXT COLLATE "C" NOT NULL,
  reason     TEXT COLLATE "C" NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE audit (
  workspace TEXT COLLATE "C" NOT NULL,
  seq       BIGINT NOT NULL,       -- gapless from 1
  at        BIGINT NOT NULL,       -- never before its predecessor
  kind      TEXT COLLATE "C" NOT NULL,
  subject   TEXT COLLATE "C" NOT NULL, -- the request, run or execution it is about
  body      TEXT COLLATE "C" NOT NULL, -- canonical JSON
  prev_hash TEXT COLLATE "C" NOT NULL,
  hash      TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace, seq)
);
CREATE INDEX audit_by_subject ON audit (subject, seq);

CREATE TABLE audit_heads (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  seq       BIGINT NOT NULL,
  at        BIGINT NOT NULL,       -- the high-water mark of time: it never goes back
  hash      TEXT COLLATE "C" NOT NULL
);

CREATE FUNCTION audit_moves_its_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_heads (workspace, seq, at, hash)
  VALUES (new.workspace, new.seq, new.at, new.hash)
  ON CONFLICT (workspace) DO UPDATE SET seq = excluded.seq, at = excluded.at, hash = excluded.hash;
  RETURN NULL;
END;
$$;

CREATE TRIGGER audit_moves_its_head AFTER INSERT ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_moves_its_head();
