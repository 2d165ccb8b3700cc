//! The Slack port, and the calls we make through it.
//!
//! [`SlackApi`] is one Web API call, or one note to a response URL. The typed calls are methods on
//! any `dyn SlackApi`: `slack.post_message(&post).await`. [`HttpSlack`] is the real port.

mod answer;
mod channels;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod http;
mod identity;
mod lookup;
mod messages;
mod method;
mod pages;
mod people;
mod places;
mod respond;
mod streams;
mod views;

pub use answer::Answer;
pub use channels::Channels;
pub use error::SlackError;
pub use http::{HttpSlack, HttpSlackError, HttpSlackSettings};
pub use identity::Identity;
pub use lookup::{OurPosts, Search};
pub use messages::{About, Ephemeral, Place, Post, Posted, Update};
pub use method::{Method, Tier};
pub use people::Account;
pub use places::Channel;
pub use respond::ResponseUrl;
pub use streams::{Chunk, StreamStart};

use futures::future::BoxFuture;
use serde_json::Value;

/// The Slack port: one Web API call, or one note to a response URL.
pub trait SlackApi: Send + Sync {
    /// Makes one call. `arguments` is an object; null ones are left out, and nested ones are sent
    /// as JSON text, as the official SDKs do.
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>>;

    /// Posts to the response URL of a click or a command: five times within 30 minutes at most.
    /// Any error means that the person is to be told in another way.
    fn respond<'a>(
        &'a self,
        response_url: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>>;
}
