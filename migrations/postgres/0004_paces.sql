-- How fast Slack may be called, shared by every replica.

CREATE TABLE paces (
  workspace TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body      TEXT COLLATE "C" NOT NULL  -- JSON Paces: whatever is not at rest
);
