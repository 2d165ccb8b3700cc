//! The real port: HTTPS to Slack.

use std::sync::Arc;

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::Value;

use super::{Answer, Method, SlackApi, SlackError};
use crate::base::Clock;

pub struct HttpSlackSettings {
    /// `https://slack.com/api/`, or the sandbox's.
    pub base_url: url::Url,
    pub token: SecretString,
}

pub struct HttpSlack {
    settings: HttpSlackSettings,
    clock: Arc<dyn Clock>,
}

impl HttpSlack {
    pub fn new(settings: HttpSlackSettings, clock: Arc<dyn Clock>) -> Result<Self, SlackError> {
        Ok(Self { settings, clock })
    }
}

impl SlackApi for HttpSlack {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        todo!(
            "{method:?} {arguments} {} {}",
            self.clock.now(),
            self.settings.base_url
        )
    }

    fn respond<'a>(
        &'a self,
        response_url: &'a str,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        todo!("{response_url} {body}")
    }
}
