-- Many messages to the same people at once become one; and what is shown first is what is most urgent.

ALTER TABLE notices ADD COLUMN audience TEXT COLLATE "C"; -- who hears it: a channel's name in the configuration, or a Slack id
ALTER TABLE notices ADD COLUMN digest TEXT COLLATE "C";   -- state gathered: the notice that tells it together with others
CREATE INDEX notices_heard ON notices (workspace, audience, created_at) WHERE audience IS NOT NULL;
CREATE INDEX notices_gathered ON notices (digest) WHERE digest IS NOT NULL;
CREATE INDEX notices_digests ON notices (workspace, audience, created_at) WHERE kind = 'digest';

ALTER TABLE cards ADD COLUMN due_by BIGINT NOT NULL DEFAULT 0; -- what is owed sooner is shown first
CREATE INDEX cards_to_post ON cards (place, due_by, id)
  WHERE state = 'open' AND shown_version < want_version AND message_ts IS NULL;
CREATE INDEX cards_to_update ON cards (due_by, id)
  WHERE state = 'open' AND shown_version < want_version AND message_ts IS NOT NULL;

-- Of the runs that wait, which may be a million, only those are looked at that have something to show.
DROP INDEX shows_due;
CREATE INDEX shows_due ON shows (retry_at)
  WHERE state <> 'over' AND (told > seen OR due_at IS NOT NULL);
