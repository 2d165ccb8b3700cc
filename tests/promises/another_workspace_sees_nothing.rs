//! I13: with the ids of one workspace, another one finds and changes nothing.

use countersign::approval::Finding;
use countersign::base::{RequestId, WorkspaceId};
use countersign::store::StoreError;

use crate::office::{INVOICE, Office, REFUND};
use crate::reckoning::text;

#[tokio::test]
async fn whatever_it_asks_for_by_its_right_name_it_gets_nothing() {
    let office = Office::opens().await;
    let (_, paid) = office.asks("mia", REFUND).await;
    office.approves("jonas", &paid).await;
    let (_, waits) = office.asks("mia", INVOICE).await;
    let desk = office.database().await;
    let request = text(&desk, "SELECT id FROM requests WHERE outcome IS NULL").await;
    let execution = text(&desk, "SELECT id FROM executions").await;
    let token = text(&desk, "SELECT token FROM buttons WHERE choice = 'approve'").await;
    desk.close().await;

    let store = &office.world.app().unwrap().desk.store;
    let (other, request) = (WorkspaceId::existing("T0OTHER"), RequestId::existing(request));
    assert!(store.request(&other, &request).await.unwrap().is_none());
    assert!(store.pending_requests(&other, None, 10).await.unwrap().requests.is_empty());
    assert!(store.all_requests(&other, None, 10).await.unwrap().requests.is_empty());
    assert!(store.button(&other, &token).await.unwrap().is_none());
    assert!(store.executions_under_way(&other).await.unwrap().is_empty());
    assert!(store.unsettled(&other, 10).await.unwrap().is_empty());
    assert!(store.switch(&other).await.unwrap().is_none());
    let cancelled = store.cancel(&other, &request, "olga", "mine").await;
    assert!(matches!(cancelled, Err(StoreError::NotFound(_))), "{cancelled:?}");
    let settled =
        store.settle_unknown(&other, &execution, Finding::Happened, "olga", "I looked").await;
    assert!(matches!(settled, Err(StoreError::NotFound(_))), "{settled:?}");

    office.approves("jonas", &waits).await;
    assert_eq!((office.refunds().await, office.invoices_paid().await), (1, 1), "nothing changed");
    office.closes().await;
}
