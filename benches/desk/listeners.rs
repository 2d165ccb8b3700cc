//! One run that talks, and so many who listen over real sockets.
//!
//! The listeners are a process of their own, which this program starts from itself: else the
//! memory would be theirs as well.

use std::path::Path;
use std::process::Stdio;

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::io::StreamReader;
use tokio_util::sync::CancellationToken;

use countersign::app::Roles;

use crate::office::{API_KEY, Database, Office};
use crate::talker::WORDS;
use crate::times::{now, resident};

const LEVELS: [usize; 3] = [1, 100, 1_000];
/// Names the run to a program that shall listen, and how many listeners it shall be.
const LISTEN: &str = "COUNTERSIGN_BENCH_LISTEN";

/// Prints a line for each level.
pub async fn measure(database: &Database, few: bool) {
    let name = database.name();
    println!("\none run says {WORDS} tokens on {name}; every listener hears all of them");
    for count in LEVELS {
        let count = if few { count.min(3) } else { count };
        let (office, app) = Office::open(database).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let stop = CancellationToken::new();
        let desk = app.desk.clone();
        let serving = tokio::spawn(app.serve(listener, Roles::default(), stop.clone()));

        let run = ask(&host).await;
        let before = resident(Path::new("/proc/self/status"));
        let mut listeners = Command::new(std::env::current_exe().expect("this program"))
            .env(LISTEN, format!("{host} {run} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the listeners start");
        let mut said = BufReader::new(listeners.stdout.take().expect("an output")).lines();
        said.next_line().await.expect("a line").expect("all listen");
        let silent = resident(Path::new("/proc/self/status"));
        office.talk.notify_one();
        let heard = said.next_line().await.expect("a line").expect("all heard it");
        let loud = resident(Path::new("/proc/self/status"));
        assert!(listeners.wait().await.expect("they end").success());
        println!(
            "  {count:>5} listening: {heard}; memory {before} MB before, {silent} MB with them, \
             {loud} MB after they heard it all"
        );
        stop.cancel();
        serving.await.expect("it serves").expect("it serves to the end");
        desk.store.close().await;
    }
}

/// Asks for the run, and leaves: it goes on by itself.
async fn ask(host: &str) -> String {
    let answer = client()
        .post(format!("http://{host}/agent/stream"))
        .bearer_auth(API_KEY)
        .json(&json!({ "message": "Talk.", "agent": "talker" }))
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.headers()["countersign-run"].to_str().expect("a run").to_owned()
}

/// The other process: listens, says when all are there, and then how it went.
pub async fn listen_if_asked() -> bool {
    let Ok(asked) = std::env::var(LISTEN) else { return false };
    let mut words = asked.split(' ');
    let mut word = || words.next().expect("three words");
    let (host, run, count) = (word(), word(), word().parse().expect("a number"));
    let url = format!("http://{host}/agent/stream/{run}");
    let client = client();
    let opened = join_all((0..count).map(|_| client.get(&url).bearer_auth(API_KEY).send())).await;
    let mut out = tokio::io::stdout();
    out.write_all(b"all listen\n").await.expect("it is said");
    out.flush().await.expect("it is said");
    let heard = opened.into_iter().map(|answer| tokio::spawn(hear(answer.expect("an answer"))));
    let heard = join_all(heard).await.into_iter().map(|heard| heard.expect("no listener panics"));
    let (firsts, lasts): (Vec<_>, Vec<_>) = heard.unzip();
    let took = *lasts.iter().max().expect("a listener") - *firsts.iter().min().expect("one");
    let (own, all) = (WORDS as f64 / took.as_secs_f64(), (WORDS * count) as f64);
    let all = all / took.as_secs_f64();
    println!("{own:.0} tokens/s to each, {all:.0}/s to all, {:.2} s", took.as_secs_f64());
    true
}

/// When the first token came, and when the last.
async fn hear(answer: reqwest::Response) -> (std::time::Instant, std::time::Instant) {
    assert!(answer.status().is_success(), "{}", answer.status());
    let bytes = answer.bytes_stream().map_err(std::io::Error::other).boxed();
    let mut lines = BufReader::new(StreamReader::new(bytes)).lines();
    let (mut tokens, mut first) = (0, None);
    while let Some(line) = lines.next_line().await.expect("the stream goes on") {
        if line.contains(r#""type":"token""#) {
            tokens += 1;
            first.get_or_insert_with(now);
        }
        if line.contains(r#""type":"done""#) {
            assert_eq!(tokens, WORDS, "each token once");
            return (first.expect("a token"), now());
        }
    }
    panic!("the stream ended after {tokens} tokens");
}

#[expect(clippy::disallowed_methods, reason = "a bench is its own client")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}
