//! A provider of language models that waits for a sign and then talks as fast as it is listened to.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Response;
use futures::stream::{self, StreamExt};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What it says at the sign: words of six characters.
pub const WORDS: usize = 4_000;

/// Serves it on this machine. The answers are its host, and the sign.
pub async fn serve() -> (String, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let sign = Arc::new(Notify::new());
    let waits = sign.clone();
    let router = Router::new().fallback(move || talk(waits.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (host, sign)
}

async fn talk(sign: Arc<Notify>) -> Response<Body> {
    sign.notified().await;
    let word = json!({ "choices": [{ "delta": { "content": "word, " }, "finish_reason": null }] });
    let word = Bytes::from(format!("data: {word}\n\n"));
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
    let end = Bytes::from(format!("data: {end}\n\ndata: [DONE]\n\n"));
    let words = stream::repeat(word).take(WORDS).chain(stream::once(async { end }));
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(Body::from_stream(words.map(Ok::<_, Infallible>)))
        .expect("a response")
}
