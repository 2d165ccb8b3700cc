//! One show goes on: takes in what its run has told, and makes the calls that the planner wants.

use super::Streams;
use crate::base::Span;
use crate::base::failpoint::{self, Point};
use crate::slack::client::{Chunk, Place, SlackError, StreamStart};
use crate::slack::texts;
use crate::store::{ClaimedShow, Left, StoreError};
use crate::stream::{Next, Piece, Session, ShowCall, Went};
use crate::work::Loop;

/// How many calls one turn makes at most; the rest is made in the next.
const CALLS: usize = 8;

impl Streams {
    pub(super) async fn go_on(&self, mut claimed: ClaimedShow) -> Result<(), StoreError> {
        let desk = &self.desk;
        self.take_in(&mut claimed).await?;
        if self.is_plain() {
            claimed.show.be_plain();
        }
        if self.knows_no_sessions() {
            claimed.show.forget_session();
        }
        // By our own clock the show, and the answer behind it, might wait until that has caught up.
        let now = || desk.store.now();
        for _ in 0..CALLS {
            let call = match claimed.show.next(now()) {
                Next::Call(call) => call,
                Next::Later(at) => return self.leave(&claimed, Left::Due(at)).await,
                Next::Idle(until) => return self.leave(&claimed, Left::Idle(until)).await,
                Next::Over => return self.leave(&claimed, Left::Over).await,
            };
            let went = self.make(&claimed, &call).await;
            let well = matches!(went, Went::Done | Went::Started { .. });
            claimed.show.went(&call, went, now());
            if matches!(call, ShowCall::Start { .. }) && claimed.show.is_growing() {
                // From here on a power cut leaves a message that is known and can be repaired.
                desk.store.leave_show(&claimed, Left::Held).await?;
            }
            if !well {
                // It may have taken long; the lease is not for ever.
                break;
            }
        }
        self.leave(&claimed, Left::Due(now())).await
    }

    async fn take_in(&self, claimed: &mut ClaimedShow) -> Result<(), StoreError> {
        loop {
            let batches = self.desk.store.events_after(&claimed.run, claimed.seen).await?;
            if batches.is_empty() {
                return Ok(());
            }
            for batch in batches {
                for (_, event) in batch.after(claimed.seen) {
                    claimed.show.take(event);
                }
                claimed.seen = claimed.seen.max(batch.last());
            }
        }
    }

    async fn leave(&self, claimed: &ClaimedShow, left: Left) -> Result<(), StoreError> {
        self.desk.store.leave_show(claimed, left).await?;
        if !claimed.show.holds_the_answer_back() {
            // What the run says at its end waits for this.
            self.desk.wake.these(&[Loop::Deliveries]);
        }
        Ok(())
    }

    async fn make(&self, claimed: &ClaimedShow, call: &ShowCall) -> Went {
        let slack = &self.desk.slack;
        let ClaimedShow { place, user, .. } = claimed;
        let place =
            Place { channel: place.channel.clone(), thread_ts: Some(place.thread_ts.clone()) };
        let done = match call {
            ShowCall::Start { pieces } => {
                let start = StreamStart {
                    place,
                    user: user.user.clone(),
                    team: user.team.clone(),
                    chunks: chunks(pieces),
                };
                match slack.start_stream(&start).await {
                    Ok(posted) => {
                        failpoint::reach(Point::StreamStarted);
                        return Went::Started { ts: posted.ts };
                    }
                    Err(error) => Err(error),
                }
            }
            ShowCall::Append { ts, pieces } => {
                slack.append_stream(&place.channel, ts, &chunks(pieces)).await
            }
            ShowCall::Stop { ts, pieces, session } => {
                slack.stop_stream(&place.channel, ts, &chunks(pieces), *session).await
            }
            ShowCall::TakeAway { ts } => self.take_away(&place.channel, ts).await,
            ShowCall::Session(session) => slack.set_session(&place, *session).await,
        };
        match done {
            Ok(()) => Went::Done,
            Err(error) => self.how(call, &error),
        }
    }

    /// Takes a message away; one that still grows is closed first.
    async fn take_away(&self, channel: &str, ts: &str) -> Result<(), SlackError> {
        let slack = &self.desk.slack;
        let taken = slack.delete_message(channel, ts).await;
        if taken.as_ref().is_err_and(|error| error.code() == Some("streaming_state_conflict")) {
            // Slack closes a message by itself after a while, and then says that it does not grow.
            match slack.stop_stream(channel, ts, &[], Session::Processing).await {
                Ok(()) | Err(SlackError::PlaceWrong { .. }) => {}
                Err(error) => return Err(error),
            }
            return slack.delete_message(channel, ts).await;
        }
        taken
    }

    /// What an error means for the message. One that will be the same everywhere is remembered.
    fn how(&self, call: &ShowCall, error: &SlackError) -> Went {
        let (now, ours) = (self.desk.store.now(), self.desk.clock.now());
        match error {
            SlackError::Paced { until } => return Went::Later(now.plus(until.since(ours))),
            SlackError::RateLimited { retry_after } => return Went::Later(now.plus(*retry_after)),
            SlackError::NotDone { .. } => return Went::Later(now.plus(Span::seconds(2))),
            SlackError::Unknown { .. } => return Went::Unknown,
            SlackError::InstallationGone { .. }
            | SlackError::SetupWrong { .. }
            | SlackError::PlaceWrong { .. }
            | SlackError::OurBug { .. } => {}
        }
        match error.code() {
            Some("message_not_in_streaming_state" | "message_not_found") => return Went::Closed,
            Some("msg_too_long" | "msg_blocks_too_many" | "msg_blocks_too_long") => {
                return Went::TooLong;
            }
            _ => {}
        }
        let everywhere = !matches!(error, SlackError::PlaceWrong { .. });
        match call {
            ShowCall::Start { .. } if everywhere => self.be_plain(error),
            ShowCall::Session(_) if everywhere => self.forget_sessions(error),
            _ => tracing::info!(%error, "a thread is not shown what is being done"),
        }
        Went::Never
    }
}

fn chunks(pieces: &[Piece]) -> Vec<Chunk> {
    let chunk = |piece: &Piece| match piece {
        Piece::Text(text) => Chunk::Text(texts::agent_words(text)),
        Piece::Task(task) => {
            Chunk::Task { id: task.id.clone(), title: texts::task(task), status: task.status }
        }
    };
    pieces.iter().map(chunk).collect()
}
