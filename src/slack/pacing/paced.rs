//! The way to Slack that keeps to a pace.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::{NotNow, Pacer, slots};
use crate::base::Haste;
use crate::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};

/// Makes the calls for which there is a slot. One that is too early is not made and ends in
/// [`SlackError::Paced`], with when to come again.
pub struct PacedSlack {
    slack: Arc<dyn SlackApi>,
    pacer: Arc<dyn Pacer>,
    haste: fn(Method) -> Haste,
}

/// How long a call that somebody waits for asks for its slot, of the 3 s that Slack gives a click.
/// Then it is made all the same: a pace keeps us polite, and Slack can still say no.
const ASKING: Duration = Duration::from_millis(300);

impl PacedSlack {
    /// The way for whoever may be waited for: what a click needs comes ahead of all else.
    pub fn new(slack: Arc<dyn SlackApi>, pacer: Arc<dyn Pacer>) -> Self {
        let haste = |method: Method| match method.somebody_waits() {
            true => Haste::Ahead,
            false => Haste::InTurn,
        };
        Self { slack, pacer, haste }
    }

    /// The way for what has time, whatever the method: it leaves room for clicks.
    pub fn in_turn(slack: Arc<dyn SlackApi>, pacer: Arc<dyn Pacer>) -> Self {
        Self { slack, pacer, haste: |_| Haste::InTurn }
    }

    async fn admit(&self, method: Method, channel: Option<&str>) -> Result<(), SlackError> {
        let haste = (self.haste)(method);
        let asked = self.pacer.take(slots(method, channel), haste);
        let answer = match haste {
            Haste::Ahead => match tokio::time::timeout(ASKING, asked).await {
                Ok(Err(NotNow::Unknown(_))) | Err(_) => Ok(()),
                Ok(answer) => answer,
            },
            Haste::InTurn => asked.await,
        };
        answer.map_err(|why| match why {
            NotNow::Until(until) => SlackError::Paced { until },
            NotNow::Unknown(why) => SlackError::NotDone { why },
        })
    }
}

impl SlackApi for PacedSlack {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        async move {
            self.admit(method, arguments["channel"].as_str()).await?;
            let answer = self.slack.call(method, arguments).await;
            if let Err(SlackError::RateLimited { retry_after }) = &answer {
                self.pacer.hold(method.name(), *retry_after).await;
            }
            answer
        }
        .boxed()
    }

    /// A response URL counts by itself, five times.
    fn respond<'a>(
        &'a self,
        response_url: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        self.slack.respond(response_url, body)
    }
}
