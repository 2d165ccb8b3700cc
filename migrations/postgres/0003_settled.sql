-- What a human found out about an execution whose outcome is unknown.

ALTER TABLE executions ADD COLUMN settled TEXT;   -- JSON Settled
CREATE INDEX executions_unsettled ON executions (workspace, ended_at)
  WHERE state = 'unknown' AND settled IS NULL;
