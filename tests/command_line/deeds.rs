//! What somebody with the file in their hands could do to it.

/// What is done, as SQL, and what `verify` must say of it.
pub const TAMPERING: &[(&str, &str, &str)] = &[
    (
        "an audit body is edited",
        "UPDATE audit SET body = replace(body, 'checked with the bank', 'checked with my bank')",
        "I6 at T0DEMO:[n]: it was changed after it was written",
    ),
    (
        "the last records are cut off",
        "DELETE FROM audit WHERE seq > (SELECT max(seq) - 3 FROM audit)",
        "I6 at T0DEMO: the log does not end where its head says",
    ),
    (
        "the head is taken away",
        "DELETE FROM audit_heads",
        "I6 at T0DEMO: the log does not end where its head says",
    ),
    (
        "a record is taken out",
        "DELETE FROM audit WHERE seq = 7",
        "I6 at T0DEMO:[n]: the record 7 before it is missing",
    ),
    (
        "two records change places",
        "UPDATE audit SET seq = -5 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
         UPDATE audit SET seq = 6 WHERE seq = -5",
        "I6 at T0DEMO:[n]: it does not follow the record before it",
    ),
    (
        "a record's time is moved back",
        "UPDATE audit SET at = 1 WHERE seq = 5",
        "I20 at T0DEMO:[n]: it is older than the record before it",
    ),
    (
        "the timers of a pending request are deleted",
        "DELETE FROM timers WHERE done_at IS NULL",
        "I4 at req: it is pending and no timer ends its stage",
    ),
    (
        "a timer of an ended request is revived",
        "UPDATE timers SET done_at = NULL",
        "I10 at req: it has ended and still has a live timer",
    ),
    (
        "the card of a pending request dies",
        "UPDATE cards SET state = 'dead'",
        "I14 at req: it is pending, and nobody was or will be shown it",
    ),
    (
        "the card of a pending request is moved to a stage that was not reached",
        "UPDATE cards SET stage = stage + 1 WHERE kind = 'stage'",
        "I14 at req: it is pending, and nobody was or will be shown it",
    ),
    (
        "an execution's envelope is changed",
        "UPDATE executions SET envelope = replace(envelope, '640', '9640')",
        "I1 at exe: what it is to run is not what was approved",
    ),
    (
        "so is the request's",
        "UPDATE executions SET envelope = replace(envelope, '640', '9640');
         UPDATE requests SET envelope = replace(envelope, '640', '9640')",
        "I1 at req: its envelope is damaged: its digest is another one",
    ),
    (
        "what must happen once has begun twice",
        "UPDATE executions SET attempts = 2 WHERE retry_class = 'once'",
        "I5 at exe: it was begun more than once, and its tool can neither be repeated nor asked",
    ),
    (
        "a beginning is denied",
        "UPDATE executions SET attempts = 0, started_at = NULL WHERE retry_class = 'once'",
        "I6 at exe: its beginnings and the log's do not match",
    ),
    (
        "the requester votes",
        "UPDATE votes SET body = json_set(body, '$.by.person',
           (SELECT person FROM requests WHERE id = votes.request_id))",
        "I7 at req: the requester decided on their own request",
    ),
    (
        "one person votes twice",
        "INSERT INTO votes SELECT request_id, 'per_nobody', workspace, 2, body, evidence, digest, at
           FROM votes",
        "I7 at req: one person voted twice",
    ),
    (
        "a pending request is approved without votes",
        "UPDATE requests SET outcome = 'approved',
           decision = (SELECT decision FROM requests WHERE outcome = 'approved')
         WHERE outcome IS NULL",
        "I1 at req: it is approved without a quorum of votes",
    ),
    (
        "and with them, but not in the log",
        "INSERT INTO votes SELECT (SELECT id FROM requests WHERE outcome IS NULL),
           person, workspace, seq, body, evidence, digest, at
           FROM votes WHERE body LIKE '%checked with the bank%';
         UPDATE requests SET outcome = 'approved',
           decision = (SELECT decision FROM requests WHERE outcome = 'approved')
         WHERE outcome IS NULL",
        "I2 at req: the log does not hold exactly one end of it",
    ),
    (
        "the votes for an approval are deleted",
        "DELETE FROM votes WHERE body LIKE '%\"approve\"%'",
        "I1 at req: it is approved without a quorum of votes",
    ),
    (
        "the vote for a rejection is deleted",
        "DELETE FROM votes WHERE body LIKE '%\"reject\"%'",
        "I1 at req: it is rejected and nobody rejected it",
    ),
    (
        "a no becomes a yes",
        "UPDATE votes SET body = replace(body, '\"reject\"', '\"approve\"');
         UPDATE requests SET outcome = 'approved',
           decision = replace(decision, '\"rejected\"', '\"approved\"') WHERE outcome = 'rejected'",
        "I6 at req: its votes are not those in the log",
    ),
    (
        "a rejection becomes an expiry",
        "UPDATE requests SET outcome = 'expired' WHERE outcome = 'rejected'",
        "I2 at req: its outcome is not the one of its decision",
    ),
    (
        "a decision gets another reason",
        "UPDATE requests SET decision = replace(decision, 'way back', 'way home')",
        "I6 at req: its decision is not the one in the log",
    ),
    (
        "an approval is moved past the deadline",
        "UPDATE requests SET decision = json_set(decision, '$.at', 4102444800000)
         WHERE outcome = 'approved'",
        "I1 at req: it was approved after its deadline",
    ),
    (
        "a quorum is lowered",
        "UPDATE requests SET terms = replace(terms, '\"quorum\":1', '\"quorum\":0')",
        "I6 at req: its terms are not those in the log",
    ),
    (
        "a result is rewritten",
        "UPDATE executions SET note = replace(note, '640', '64') WHERE note LIKE '%640%'",
        "I6 at exe: its result is not the one in the log",
    ),
    (
        "an approval is taken back after the start",
        "UPDATE requests SET outcome = NULL, decision = NULL WHERE outcome = 'approved'",
        "I1 at exe: it has started without an approval",
    ),
    (
        "a start is moved past the end of its approval",
        "UPDATE executions SET start_by = started_at",
        "I1 at exe: it started after its approval had lapsed",
    ),
    (
        "a request is deleted",
        "DELETE FROM requests WHERE outcome = 'rejected'",
        "I6 at req: the log knows this request, and it is gone",
    ),
    (
        "an execution is deleted",
        "DELETE FROM executions WHERE retry_class = 'once'",
        "I6 at exe: the log knows this execution, and it is gone",
    ),
    (
        "an execution ends anew",
        "UPDATE executions SET state = 'started', ended_at = NULL WHERE retry_class = 'once'",
        "I6 at exe: the log does not hold exactly one end of it",
    ),
    (
        "a waiting run's question is answered by hand",
        "UPDATE interrupts SET answer = '{}', answered_at = 1 WHERE answer IS NULL",
        "I15 at run: it waits although every question has an answer",
    ),
    (
        "a finished run's answer is taken away",
        "UPDATE interrupts SET answer = NULL, answered_at = NULL, consumed_at = NULL",
        "I15 at run: it is done and a question of its own was never answered",
    ),
    (
        "a request is moved to another stage",
        "UPDATE requests SET stage = stage + 1 WHERE outcome IS NULL",
        "I6 at req: it does not stand where the log left it",
    ),
    (
        "a stage is made to look younger",
        "UPDATE requests SET stage_since = stage_since + 60000 WHERE outcome IS NULL",
        "I6 at req: it does not stand where the log left it",
    ),
    (
        "a version is turned back",
        "UPDATE requests SET version = version - 1 WHERE outcome = 'rejected'",
        "I6 at req: it does not stand where the log left it",
    ),
    (
        "an approval is made to last longer",
        "UPDATE executions SET start_by = start_by + 3600000",
        "I6 at exe: its time to start is not the one in the log",
    ),
];
