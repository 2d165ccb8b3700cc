//! I13: with the ids of one workspace, another one finds and changes nothing; and the desk of another one
//! does not open on its database.

use std::sync::Arc;

use countersign::approval::Finding;
use countersign::base::{RandomIds, RequestId, WorkspaceId};
use countersign::desk::{Desk, StartError};
use countersign::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};
use countersign::store::StoreError;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::office::{INVOICE, Office, REFUND};
use crate::reckoning::{count, text};

/// The way to Slack with the token of another workspace.
struct TokenOfOthers(Arc<dyn SlackApi>);

impl SlackApi for TokenOfOthers {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        async move {
            let mut answer = self.0.call(method, arguments).await?;
            if method == Method::AuthTest {
                answer.body["team_id"] = json!("T0OTHER");
            }
            Ok(answer)
        }
        .boxed()
    }

    fn respond<'a>(
        &'a self,
        url: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        self.0.respond(url, body)
    }
}

#[tokio::test]
async fn whoever_comes_with_the_token_of_another_does_not_open() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let first = &office.world.app().unwrap().desk;
    let (store, config) = (first.store.clone(), office.world.config().unwrap());
    let way = Arc::new(TokenOfOthers(first.slack.clone()));
    let (clock, ids) = (office.clock.clone(), Arc::new(RandomIds));
    let opened = Desk::open_on(store, config, way, clock, ids).await;
    let Err(StartError::Store(StoreError::Elsewhere { theirs, ours })) = opened else {
        panic!("it opened on what is somebody else's")
    };
    assert_eq!((&theirs, ours.as_str()), (&first.workspace, "T0OTHER"));
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM audit_heads").await, 1, "it wrote nothing down");
    desk.close().await;

    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

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
    assert!(store.pressed(&other, &token).await.unwrap().is_none());
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
