//! Somebody is looking at the database when its server falls silent.
//!
//! It needs a server: `scripts/test` starts one and names it in `COUNTERSIGN_TEST_POSTGRES`.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use url::Url;

use crate::base::{RandomIds, SystemClock, WorkspaceId};
use crate::store::{Rehearsal, Store, StoreError};

const NEEDS: &str = "COUNTERSIGN_TEST_POSTGRES names a server";
/// As many as may look at once, if nobody pressed a button.
const READERS: usize = 3;
const SOON: Duration = Duration::from_secs(4);

/// A way to a server that can fall silent: whoever is on it then hears nothing more, and is not told
/// that there is nobody any more; whoever comes later gets through.
struct Way {
    url: String,
    silent: watch::Sender<()>,
}

impl Way {
    async fn to(server: &Rehearsal) -> Self {
        let mut url = Url::parse(&server.url()).expect("a URL");
        let folder = url.host_str().expect("a folder with a socket").to_owned();
        let socket = format!("{}/.s.PGSQL.5432", percent_decode_str(&folder).decode_utf8_lossy());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        let silent = watch::Sender::new(());
        let falls = silent.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let mut falls = falls.subscribe();
                let mut to = UnixStream::connect(&socket).await.expect("a server");
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut to) => return,
                        _ = falls.changed() => {}
                    }
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { url: url.to_string(), silent }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whoever_looks_hears_that_nobody_answers_and_the_next_find_another_way() {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(NEEDS);
    let server = Rehearsal::on(&server, &RandomIds).await.expect("a database");
    let way = Way::to(&server).await;
    let store = Store::open(&way.url, Arc::new(SystemClock), Arc::new(RandomIds)).await;
    let store = store.expect("a store");
    let (asked, mut all_asked) = tokio::sync::mpsc::channel(READERS);
    let looks = [(); READERS].map(|()| {
        let (store, asked) = (store.clone(), asked.clone());
        tokio::spawn(async move {
            let mut reader = store.reader().await?;
            asked.send(()).await.expect("the test listens");
            sqlx::raw_sql("SELECT pg_sleep(2)").execute(&mut reader).await?;
            Ok::<_, StoreError>(())
        })
    });
    for _ in 0..READERS {
        all_asked.recv().await.expect("it asks");
    }
    way.silent.send_replace(());
    for look in looks {
        let told = look.await.expect("it ends");
        assert!(matches!(told, Err(StoreError::Lost(_))), "{told:?}");
    }
    let acme = WorkspaceId::existing("T1");
    let next = tokio::time::timeout(SOON, store.switch(&acme)).await;
    let next = next.expect("the next one is answered");
    assert!(next.expect("it can be read").is_none());
}

/// Lists that take long, one after the other.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whoever_presses_a_button_waits_for_nobody_who_looks() {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(NEEDS);
    let server = Rehearsal::on(&server, &RandomIds).await.expect("a database");
    let store = Store::open(&server.url(), Arc::new(SystemClock), Arc::new(RandomIds)).await;
    let store = store.expect("a store");
    let (looks, mut looking) = tokio::sync::mpsc::channel(READERS);
    let crowd = [(); 2 * READERS].map(|()| {
        let (store, looks) = (store.clone(), looks.clone());
        tokio::spawn(async move {
            let _reader = store.reader().await.expect("it looks at last");
            // Nobody hears the last ones, and nobody has to.
            let _ = looks.send(()).await;
            std::future::pending::<()>().await;
        })
    });
    for _ in 0..READERS {
        looking.recv().await.expect("it looks");
    }
    let acme = WorkspaceId::existing("T1");
    let pressed = tokio::time::timeout(SOON, store.pressed(&acme, "no token of ours")).await;
    assert!(pressed.expect("nobody is in the way").expect("it can be read").is_none());
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
    store.close().await;
}
