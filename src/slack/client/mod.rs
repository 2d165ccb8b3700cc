//! The Slack port and the calls we make through it.

mod calls;
mod error;
mod http;
mod method;

pub use calls::{
    Account, Channel, Ephemeral, FoundMessage, Identity, MetadataQuery, NoteKind, Place, Post,
    Posted, Update,
};
pub use error::SlackError;
pub use http::{HttpSlack, HttpSlackSettings};
pub use method::{Method, Tier, Verb};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::base::Timestamp;

/// What Slack answered to a call that it did (`ok: true`).
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub body: Value,
    /// The scopes our token has (`x-oauth-scopes`), when Slack said so.
    pub scopes: Option<Vec<String>>,
    /// Slack's clock (the `Date` header), to the second.
    pub date: Option<Timestamp>,
}

/// The Slack port: one Web API call, or one note to a response URL.
pub trait SlackApi: Send + Sync {
    /// `arguments` is an object; nested objects are sent as JSON text, as the SDKs do.
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>>;

    /// Posts to the response URL of a click or a command. Any error means: take another way.
    fn respond<'a>(
        &'a self,
        response_url: &'a str,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>>;
}
