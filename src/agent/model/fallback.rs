//! Models that stand in for one that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;

use super::{Model, ModelError, Prompt, Reply, TokenSink};

/// Asks the first model, and the next one only when the one before cannot be reached. An answer
/// that a model declines is final: another model is no way around a filter.
pub struct FallbackModel {
    first: Arc<dyn Model>,
    others: Vec<Arc<dyn Model>>,
}

impl FallbackModel {
    pub fn new(first: Arc<dyn Model>, others: Vec<Arc<dyn Model>>) -> Self {
        Self { first, others }
    }
}

impl Model for FallbackModel {
    fn name(&self) -> &str {
        self.first.name()
    }

    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        tokens: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>> {
        Box::pin(async move {
            let heard = Heard { tokens, any: AtomicBool::new(false) };
            let mut answered = self.first.answer(prompt, &heard).await;
            for model in &self.others {
                let Err(ModelError::Unavailable { why, .. }) = &answered else { break };
                tracing::warn!(why, next = model.name(), "a model cannot be reached");
                if heard.any.swap(false, Ordering::Relaxed) {
                    tokens.starts_over();
                }
                answered = sooner(answered, model.answer(prompt, &heard).await);
            }
            answered
        })
    }
}

/// The later answer; of two outages the one that is over first, because then somebody answers.
fn sooner(
    before: Result<Reply, ModelError>,
    after: Result<Reply, ModelError>,
) -> Result<Reply, ModelError> {
    match (&before, &after) {
        // An outage of unknown length comes first: it may be over at once.
        (
            Err(ModelError::Unavailable { retry_after: first, .. }),
            Err(ModelError::Unavailable { retry_after: second, .. }),
        ) if first < second => before,
        _ => after,
    }
}

/// Hands tokens on, and knows whether there were any.
struct Heard<'a> {
    tokens: &'a dyn TokenSink,
    any: AtomicBool,
}

impl TokenSink for Heard<'_> {
    fn token(&self, text: &str) {
        self.any.store(true, Ordering::Relaxed);
        self.tokens.token(text);
    }

    fn starts_over(&self) {
        self.tokens.starts_over();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::agent::{Money, Stop, Usage};
    use crate::base::Span;

    /// Says a word, then gives its answer.
    struct Says(&'static str, Result<(), ModelError>, AtomicUsize);

    impl Says {
        fn new(name: &'static str, answer: Result<(), ModelError>) -> Arc<Self> {
            Arc::new(Self(name, answer, AtomicUsize::new(0)))
        }

        fn asked(&self) -> usize {
            self.2.load(Ordering::SeqCst)
        }
    }

    impl Model for Says {
        fn name(&self) -> &str {
            self.0
        }

        fn answer<'a>(
            &'a self,
            _: &'a Prompt,
            tokens: &'a dyn TokenSink,
        ) -> BoxFuture<'a, Result<Reply, ModelError>> {
            self.2.fetch_add(1, Ordering::SeqCst);
            tokens.token(self.0);
            let reply = self.1.clone().map(|()| Reply {
                model: self.0.to_owned(),
                text: self.0.to_owned(),
                calls: Vec::new(),
                usage: Usage::default(),
                cost: Money::default(),
                stop: Stop::Done,
            });
            Box::pin(std::future::ready(reply))
        }
    }

    #[derive(Default)]
    struct Journal(Mutex<Vec<String>>);

    impl TokenSink for Journal {
        fn token(&self, text: &str) {
            self.0.lock().expect("nobody panicked").push(text.to_owned());
        }

        fn starts_over(&self) {
            self.token("(again)");
        }
    }

    fn down(retry_after: Option<Span>) -> Result<(), ModelError> {
        Err(ModelError::Unavailable { why: "HTTP 503".to_owned(), retry_after })
    }

    async fn ask(models: &[&Arc<Says>]) -> (Result<Reply, ModelError>, Vec<String>) {
        let model = |says: &&Arc<Says>| Arc::clone(says) as Arc<dyn Model>;
        let others = models[1..].iter().map(model).collect();
        let model = FallbackModel::new(model(&models[0]), others);
        let prompt =
            Prompt { instructions: String::new(), messages: Vec::new(), tools: Vec::new() };
        let journal = Journal::default();
        let reply = model.answer(&prompt, &journal).await;
        (reply, journal.0.into_inner().expect("nobody panicked"))
    }

    #[tokio::test]
    async fn the_next_model_answers_and_what_was_heard_before_is_void() {
        let (first, second) = (Says::new("one", down(None)), Says::new("two", Ok(())));
        let third = Says::new("three", Ok(()));
        let (reply, heard) = ask(&[&first, &second, &third]).await;
        assert_eq!(reply.expect("the second answers").model, "two");
        assert_eq!(heard, ["one", "(again)", "two"]);
        assert_eq!(third.asked(), 0);
    }

    #[tokio::test]
    async fn a_model_that_declines_is_not_gone_around() {
        let declined = ModelError::Declined { why: "content_filter".to_owned() };
        let (first, second) = (Says::new("one", Err(declined.clone())), Says::new("two", Ok(())));
        let (reply, _) = ask(&[&first, &second]).await;
        assert_eq!(reply, Err(declined));
        assert_eq!(second.asked(), 0);
    }

    #[tokio::test]
    async fn when_all_are_down_the_first_to_come_back_is_waited_for() {
        for (one, two, wait) in [
            (Some(Span::seconds(5)), Some(Span::seconds(60)), Some(Span::seconds(5))),
            (Some(Span::seconds(60)), Some(Span::seconds(5)), Some(Span::seconds(5))),
            (Some(Span::seconds(60)), None, None),
            (None, Some(Span::seconds(60)), None),
        ] {
            let (reply, _) =
                ask(&[&Says::new("one", down(one)), &Says::new("two", down(two))]).await;
            let Err(ModelError::Unavailable { retry_after, .. }) = reply else {
                panic!("{reply:?}")
            };
            assert_eq!(retry_after, wait);
        }
    }
}
