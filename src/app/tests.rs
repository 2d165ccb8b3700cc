use std::path::Path;

use futures::FutureExt;

use super::*;
use crate::base::{RandomIds, TurnableClock};
use crate::demo::{Mishap, Setting, World};
use crate::sandbox::Pace;
use crate::work::Loop;

fn runs_done(database: &Path) -> i64 {
    let database = rusqlite::Connection::open(database).unwrap();
    let done = "SELECT COUNT(*) FROM runs WHERE state = 'done'";
    database.query_row(done, (), |row| row.get(0)).unwrap()
}

/// After a crash people are answered at once, and nothing is done before the file is known to be sound.
#[tokio::test]
async fn no_action_starts_before_every_page_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TurnableClock::running());
    let setting = Setting {
        folder: folder.path(),
        clock: clock.clone(),
        pace: Pace::Unlimited,
        port: 0,
        edits: &[],
    };
    let mut world = World::found(setting).await.unwrap();
    world.slack.person("mia").writes_to_bot("look up order 1042");
    world.slack.deliver_due().await;
    let slack = world.app().unwrap().desk.slack.clone();
    assert_eq!(work::one_turn(&world.app().unwrap().runs, 1).await.unwrap(), 1);
    world.crash_desk().await;

    let (config, database) = (world.config().unwrap(), world.database());
    let store = Store::open(config.store.as_str(), clock.clone(), Arc::new(RandomIds)).await;
    let (store, goes_on) = store.unwrap().in_the_middle_of_a_look(&database);
    let desk = Desk::open_on(store, config, slack, clock, Arc::new(RandomIds)).await.unwrap();
    let app = App::of(desk);
    let mut ear = app.desk.wake.listen(Loop::Deliveries);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.slack.set_bot_url(&format!("http://{}", listener.local_addr().unwrap()));
    let serving = tokio::spawn(app.serve(listener, Roles::default(), CancellationToken::new()));

    world.company.suffer(Mishap::Silence);
    world.slack.person("sam").writes_to_bot("hello");
    world.slack.deliver_due().await;
    while runs_done(&database) == 0 {
        ear.changed().await.unwrap();
    }
    let called = world.company.falls_silent().now_or_never();
    assert!(called.is_none(), "the order waits, however long others are talked with");
    drop(goes_on);
    world.company.falls_silent().await;
    serving.abort();
}
