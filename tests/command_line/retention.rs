//! What has been reduced: the commands say so, and whoever changes the rest of it is found.

use crate::bench::Desk;
use crate::readable::readable;
use crate::tampering::after;

#[tokio::test]
async fn the_commands_say_what_is_left() {
    let desk = Desk::with_an_old_past().await;
    let verified = desk.runs(&["verify"]).await;
    insta::assert_snapshot!("retention_verify", readable(&verified.shown()));
    let listed = desk.runs(&["requests", "list", "--all"]).await;
    insta::assert_snapshot!("retention_list", readable(&listed.shown()));
    let approved = listed.out.lines().find(|line| line.contains("approved")).expect("one");
    let id = approved.split(' ').next().unwrap_or_default();
    let shown = desk.runs(&["requests", "show", id]).await;
    insta::assert_snapshot!("retention_show", readable(&shown.shown()));
}

/// What is done to the rest, and what `verify` says of it.
const CHANGES: [(&str, &str); 15] = [
    (
        "UPDATE audit SET body = replace(body, '\"approve\"', '\"reject\"')
         WHERE kind = 'request.approved'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE executions SET state = 'failed' WHERE request_id IS NOT NULL AND state = 'succeeded'",
        "it did not end as the log says",
    ),
    (
        "UPDATE executions SET state = 'failed' WHERE request_id IS NOT NULL AND state = 'succeeded';
         UPDATE audit SET kind = 'execution.failed' WHERE kind = 'execution.succeeded'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE audit SET kind = 'request.expired' WHERE kind = 'request.rejected'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE audit SET at = at + 1 WHERE kind = 'request.rejected'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE audit SET subject = 'req_other' WHERE kind = 'request.rejected'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE audit SET body = (SELECT body FROM audit AS other WHERE other.kind = 'request.rejected')
         WHERE kind = 'request.approved'",
        "what is left of it is not what was left of it",
    ),
    (
        "UPDATE audit SET body = '{}', reduced_by = seq + 1 WHERE kind = 'desk.opened'",
        "it is said to be reduced, and no later record says so",
    ),
    (
        "UPDATE audit SET reduced_by = NULL WHERE kind = 'request.rejected'",
        "it was changed after it was written",
    ),
    (
        "UPDATE audit SET body = replace(body, 'requests', 'requestz') WHERE kind = 'desk.reduced'",
        "it was changed after it was written",
    ),
    (
        "UPDATE requests SET reduced_at = 1 WHERE outcome IS NULL",
        "it is said to be reduced, and its record in the log is whole",
    ),
    (
        "UPDATE requests SET envelope = replace(envelope, 'payments.refund', 'db.delete_sessions');
         UPDATE executions SET envelope = replace(envelope, 'payments.refund', 'db.delete_sessions')
         WHERE request_id IS NOT NULL",
        "what is left of it is not what the log says",
    ),
    (
        "UPDATE executions SET envelope = replace(envelope, 'payments.refund', 'payments.nothing')
         WHERE request_id IS NULL",
        "what is left of it is not what the log says",
    ),
    (
        "UPDATE votes SET body = replace(body, '\"reject\"', '\"approve\"')",
        "its votes are not those in the log",
    ),
    (
        "UPDATE executions SET reduced_at = NULL WHERE request_id IS NOT NULL",
        "it is reduced and its request is not, or the other way round",
    ),
];

#[tokio::test]
async fn whoever_changes_what_is_left_is_found() {
    let desk = Desk::with_an_old_past().await;
    let clean = desk.runs(&["verify"]).await;
    assert_eq!(clean.code, 0, "{}", clean.all());
    for (change, said) in CHANGES {
        let ran = after(&desk, change).await;
        assert_eq!(ran.code, 1, "{change}: {}", ran.all());
        assert!(ran.err.contains(said), "{change}: {}", ran.err);
    }
}
