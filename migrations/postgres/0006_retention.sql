-- What is old is reduced: bodies go, and what is left says who, when and what came of it.

ALTER TABLE audit ADD COLUMN reduced_by BIGINT;      -- the record with the hash of what was left here
ALTER TABLE requests ADD COLUMN reduced_at BIGINT;   -- the envelope is JSON Remains from then on
ALTER TABLE executions ADD COLUMN reduced_at BIGINT;
ALTER TABLE runs ADD COLUMN reduced_at BIGINT;

CREATE INDEX audit_reduced ON audit (workspace, reduced_by) WHERE reduced_by IS NOT NULL;
CREATE INDEX audit_refused ON audit (workspace, at)
  WHERE kind = 'click.refused' AND reduced_by IS NULL;
CREATE INDEX requests_whole ON requests (workspace, asked_at, id)
  WHERE outcome IS NOT NULL AND reduced_at IS NULL;
CREATE INDEX runs_whole ON runs (workspace, updated_at, id)
  WHERE state IN ('done', 'failed') AND reduced_at IS NULL;
CREATE INDEX runs_by_thread ON runs (thread_id);
CREATE INDEX notices_by_age ON notices (workspace, created_at) WHERE state <> 'owed';
CREATE INDEX notices_of_run ON notices (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX notices_owed_of_request ON notices (request_id) WHERE state = 'owed';
CREATE INDEX intake_by_age ON intake (workspace, received_at);
