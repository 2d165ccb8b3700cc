//! A Slack for unit tests: answers from a function, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::Value;

use super::{Answer, Identity, Method, ResponseUrl, SlackApi, SlackError};

type Respond = dyn Fn(Method, &Value) -> Result<Value, SlackError> + Send + Sync;

pub(crate) struct FakeSlack {
    respond: Box<Respond>,
    calls: Mutex<Vec<(Method, Value)>>,
}

impl FakeSlack {
    pub(crate) fn answering(
        respond: impl Fn(Method, &Value) -> Result<Value, SlackError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { respond: Box::new(respond), calls: Mutex::default() })
    }

    pub(crate) fn as_dyn(&self) -> &dyn SlackApi {
        self
    }

    pub(crate) fn calls(&self) -> Vec<(Method, Value)> {
        self.calls.lock().unwrap().clone()
    }
}

/// The body may hold `scopes` and `date`, which Slack says in headers.
impl SlackApi for FakeSlack {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        let answer = (self.respond)(method, &arguments).map(|mut body| Answer {
            scopes: serde_json::from_value(body["scopes"].take()).unwrap(),
            date: serde_json::from_value(body["date"].take()).unwrap(),
            body,
        });
        self.calls.lock().unwrap().push((method, arguments));
        Box::pin(std::future::ready(answer))
    }

    fn respond<'a>(
        &'a self,
        _: &'a ResponseUrl,
        _: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

pub(crate) fn us() -> Identity {
    Identity {
        team: "T0WRKSPC01".to_owned(),
        team_name: "Acme Engineering".to_owned(),
        enterprise: None,
        org_wide: false,
        bot_user: "U0BOTUSER1".to_owned(),
        bot_id: "B0BOTPROF1".to_owned(),
        app_id: None,
        scopes: None,
        date: None,
    }
}
