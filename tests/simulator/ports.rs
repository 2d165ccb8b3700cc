//! The ports of a replica: each stops before and behind what it does, and may meet a fault there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::agent::{
    ArgumentError, CallOutcome, Model, ModelError, ProbeOutcome, Prompt, Reply, Resolved,
    ScriptedModel, Standing, TokenSink, Tool, ToolDescription,
};
use countersign::approval::{RetryClass, ToolFacts, Warrant};
use countersign::base::{Clock, Span};
use countersign::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};
use countersign::store::{StoreError, Turnstile};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::booth::{Point, claim, current, park};
use crate::company::{Company, Deed};
use crate::faults::Fault;
use crate::slack::Slack;
use crate::time::VirtualClock;

/// The way to the database. Behind a commit it marks that there is something new to check.
pub struct Door(pub Arc<AtomicBool>);

impl Turnstile for Door {
    fn before(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        async {
            match park(Point::Transaction).await {
                Some(Fault::CommitUnknownUndone) => Err(StoreError::Unknown),
                Some(_) => Err(StoreError::Full),
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn after(&self) -> BoxFuture<'static, Result<(), StoreError>> {
        self.0.store(true, Ordering::SeqCst);
        async { park(Point::Committed).await.map_or(Ok(()), |_| Err(StoreError::Unknown)) }.boxed()
    }
}

/// The way to Slack.
pub struct Wire {
    pub slack: Arc<Slack>,
    pub clock: Arc<VirtualClock>,
}

impl Wire {
    async fn make(&self, method: Method, given: Value) -> Result<Answer, SlackError> {
        if matches!(method, Method::ChatPostEphemeral | Method::ViewsOpen)
            && let Some(booth) = current()
        {
            booth.tells();
        }
        let unknown = |why: &str| SlackError::Unknown { why: why.to_owned() };
        let place = |code: &str| SlackError::PlaceWrong { code: code.to_owned() };
        let gone = || SlackError::InstallationGone { code: "token_revoked".to_owned() };
        match park(Point::Slack(method)).await {
            None => {}
            Some(Fault::NoConnection) => {
                return Err(SlackError::NotDone { why: "no connection".to_owned() });
            }
            Some(Fault::RateLimited) => {
                return Err(SlackError::RateLimited { retry_after: Span::seconds(20) });
            }
            Some(Fault::ServiceUnavailable) => {
                return Err(SlackError::NotDone { why: "service_unavailable".to_owned() });
            }
            Some(Fault::TokenRevoked) => return Err(gone()),
            Some(Fault::ScopeMissing) => {
                let code = "missing_scope".to_owned();
                return Err(SlackError::SetupWrong { code, needed: None });
            }
            Some(Fault::UnknownCode) => {
                let code = "something_new".to_owned();
                return Err(SlackError::OurBug { code, messages: Vec::new() });
            }
            Some(fault @ (Fault::CannotUpdate | Fault::EditWindowClosed)) => {
                self.slack.look().freeze(&given);
                let closed = fault == Fault::EditWindowClosed;
                return Err(place(if closed {
                    "edit_window_closed"
                } else {
                    "cant_update_message"
                }));
            }
            Some(Fault::HashConflict) => return Err(place("hash_conflict")),
            Some(Fault::AnswerUnreadable) => return Err(unknown("the answer cannot be read")),
            Some(_) => return Err(unknown("Slack answered 500")),
        }
        let answered = self.slack.look().answer(method, &given, self.clock.now());
        // To have asked in vain and to have got no answer is the same, where nothing was changed.
        if changes(method) && park(Point::SlackAnswered(method)).await.is_some() {
            return Err(unknown("no answer that can be read"));
        }
        match answered {
            Ok(body) => Ok(Answer { body, scopes: None, date: None }),
            Err("token_revoked") => Err(gone()),
            Err(code) => Err(place(code)),
        }
    }
}

fn changes(method: Method) -> bool {
    match method {
        Method::ChatPostMessage
        | Method::ChatUpdate
        | Method::ChatDelete
        | Method::ChatStartStream
        | Method::ChatAppendStream
        | Method::ChatStopStream
        | Method::ViewsOpen => true,
        Method::AuthTest
        | Method::ChatPostEphemeral
        | Method::AgentsSessionsSetStatus
        | Method::ConversationsInfo
        | Method::ConversationsList
        | Method::ConversationsMembers
        | Method::ConversationsHistory
        | Method::ConversationsReplies
        | Method::UsersInfo
        | Method::UsersLookupByEmail
        | Method::UsergroupsUsersList
        | Method::ViewsPublish => false,
    }
}

impl SlackApi for Wire {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        self.make(method, arguments).boxed()
    }

    fn respond<'a>(
        &'a self,
        _: &'a ResponseUrl,
        _: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        async {
            if let Some(booth) = current() {
                booth.tells();
            }
            match park(Point::Respond).await {
                None => Ok(()),
                Some(Fault::ResponseUrlGone) => {
                    Err(SlackError::PlaceWrong { code: "response_url_gone".to_owned() })
                }
                Some(_) => Err(SlackError::Unknown { why: "no answer in time".to_owned() }),
            }
        }
        .boxed()
    }
}

/// A configured tool whose calls go to the simulated company.
pub struct Service {
    pub tool: Arc<dyn Tool>,
    pub company: Arc<Company>,
}

impl Service {
    async fn calls(&self, warrant: &Warrant) -> CallOutcome {
        {
            let mut books = self.company.look();
            let holder = books.holder.entry(warrant.key().to_owned()).or_default();
            *holder = (*holder).max(claim());
        }
        let retry = self.tool.facts().retry;
        let lost = |why: &str| match retry {
            RetryClass::Pure => CallOutcome::NotDone { why: why.to_owned() },
            RetryClass::Keyed | RetryClass::Probe | RetryClass::Once => {
                CallOutcome::Unknown { why: why.to_owned() }
            }
        };
        match park(Point::Call).await {
            None => {}
            Some(Fault::CallRefused) => {
                return CallOutcome::NotDone { why: "the books are closed".to_owned() };
            }
            Some(_) => return lost("the request got lost"),
        }
        // What a probe says holds of calls that are over, so whoever was probed about is dead: of
        // a worker that wakes after that nothing is promised (tests/model says so too).
        let asked = self.company.look().asked.get(warrant.key()).copied();
        if asked.is_some_and(|asked| asked > claim()) {
            park(Point::Dead).await;
        }
        let envelope = warrant.sealed().envelope();
        self.company.look().does(Deed {
            key: warrant.key().to_owned(),
            tool: envelope.tool.name.clone(),
            retry,
            arguments: envelope.arguments.clone(),
            unchecked: true,
        });
        match park(Point::Called).await {
            None => CallOutcome::Done { content: "{\"done\": true}".to_owned() },
            Some(_) => lost("the answer got lost"),
        }
    }

    async fn probes(&self, warrant: &Warrant) -> ProbeOutcome {
        if park(Point::Probe).await.is_some() {
            return ProbeOutcome::Unknown { why: "nobody answers".to_owned() };
        }
        let mut books = self.company.look();
        let asked = books.asked.entry(warrant.key().to_owned()).or_default();
        *asked = (*asked).max(claim());
        match books.knows(warrant.key()) {
            true => ProbeOutcome::Applied { content: "{\"done\": true}".to_owned() },
            false => ProbeOutcome::NotApplied,
        }
    }
}

impl Tool for Service {
    fn description(&self) -> &ToolDescription {
        self.tool.description()
    }

    fn facts(&self) -> &ToolFacts {
        self.tool.facts()
    }

    fn show(&self) -> &[String] {
        self.tool.show()
    }

    fn resolve(&self, arguments: &str) -> Result<Resolved, ArgumentError> {
        self.tool.resolve(arguments)
    }

    fn look(&self) -> BoxFuture<'_, ()> {
        self.tool.look()
    }

    fn standing(&self) -> Standing {
        self.tool.standing()
    }

    fn call<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, CallOutcome> {
        self.calls(warrant).boxed()
    }

    fn probe<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, ProbeOutcome> {
        self.probes(warrant).boxed()
    }
}

/// The scripted model, on a bad line.
pub struct Line(pub ScriptedModel);

impl Model for Line {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        tokens: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        async move {
            let away =
                |why: &str| ModelError::Unavailable { why: why.to_owned(), retry_after: None };
            match park(Point::Model).await {
                None => self.0.answer(prompt, tokens).await,
                Some(Fault::ModelCutOff) => {
                    tokens.token("I propose to");
                    Err(away("the stream ended early"))
                }
                Some(Fault::ModelMalformed) => {
                    Err(ModelError::Malformed { why: "no answer at all".to_owned() })
                }
                Some(_) => Err(away("overloaded")),
            }
        }
        .boxed()
    }
}
