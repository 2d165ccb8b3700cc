//! One client follows one run: from the log, and from what is committed while it listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;

use super::frame::{HEARTBEAT, frame};
use crate::base::RunId;
use crate::desk::{Desk, Seat};
use crate::store::{Batch, CallView, StoreError};
use crate::stream::Modes;

/// How many pieces may wait for a slow reader, and how large one is at most before the next begins.
const WAITING: usize = 16;
const PIECE: usize = 32 * 1024;

/// The body of a stream that tells everything after event number `after` until the run ends. It
/// is written by a task of its own, which ends when the client leaves or does not keep up.
pub(super) fn follow(desk: Arc<Desk>, view: &CallView, after: u64, seat: Seat) -> Body {
    let (pieces, body) = mpsc::channel(WAITING);
    let cut = Arc::new(AtomicBool::new(false));
    let follower =
        Follower { desk, run: view.run.clone(), modes: view.modes.clone(), after, pieces };
    let ending = cut.clone();
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = follower.tell_all() => ended,
            () = seat.closing() => Err(Cut::Closing),
        };
        if let Err(why) = ended {
            tracing::info!(?why, "a stream was cut off");
            ending.store(true, Ordering::Release);
        }
        drop(seat);
    });
    let body = futures::stream::unfold((body, cut), |(mut body, cut)| async move {
        match body.recv().await {
            Some(piece) => Some((Ok(piece), (body, cut))),
            // Without an error a client would take this for the whole stream.
            None if cut.swap(false, Ordering::AcqRel) => Some((
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)),
                (body, cut),
            )),
            None => None,
        }
    });
    Body::from_stream(body)
}

/// Why a stream ended before its run did.
#[derive(Debug)]
enum Cut {
    /// The client has gone.
    Left,
    /// It does not take what it is sent.
    Slow,
    /// The desk closes.
    Closing,
    #[expect(dead_code, reason = "it is logged with the others")]
    Store(StoreError),
}

struct Follower {
    desk: Arc<Desk>,
    run: RunId,
    modes: Modes,
    after: u64,
    pieces: mpsc::Sender<Bytes>,
}

/// Whether a run has told its last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    All,
    SoFar,
}

impl Follower {
    async fn tell_all(mut self) -> Result<(), Cut> {
        let store = self.desk.store.clone();
        // What is committed between the reading and the listening is heard, so it is listened first.
        let mut listener = store.listen(&self.run);
        let mut heartbeat = tokio::time::interval(self.desk.config.streams.heartbeat.to_std());
        heartbeat.reset();
        loop {
            if self.read_log().await? == Told::All {
                return Ok(());
            }
            // News that connects to what was told needs no reading; anything else does.
            loop {
                tokio::select! {
                    news = listener.next() => match news {
                        Some(batch) if batch.first <= self.after + 1 => {
                            if self.tell(&batch).await? == Told::All {
                                return Ok(());
                            }
                        }
                        Some(_) => break,
                        None => {
                            listener = store.listen(&self.run);
                            break;
                        }
                    },
                    _ = heartbeat.tick() => {
                        self.send(Bytes::from_static(HEARTBEAT.as_bytes())).await?;
                        break;
                    }
                    () = self.pieces.closed() => return Err(Cut::Left),
                }
            }
        }
    }

    async fn read_log(&mut self) -> Result<Told, Cut> {
        loop {
            let batches = self.desk.store.events_after(&self.run, self.after).await;
            let batches = batches.map_err(Cut::Store)?;
            if batches.is_empty() {
                return Ok(Told::SoFar);
            }
            for batch in batches {
                if self.tell(&batch).await? == Told::All {
                    return Ok(Told::All);
                }
            }
        }
    }

    async fn tell(&mut self, batch: &Batch) -> Result<Told, Cut> {
        let mut piece = String::new();
        let mut told = Told::SoFar;
        for (seq, event) in batch.after(self.after) {
            piece.extend(frame(seq, event, &self.modes));
            if event.is_last() {
                told = Told::All;
            }
            if piece.len() >= PIECE {
                self.send(Bytes::from(std::mem::take(&mut piece))).await?;
            }
        }
        if !piece.is_empty() {
            self.send(Bytes::from(piece)).await?;
        }
        self.after = self.after.max(batch.last());
        Ok(told)
    }

    async fn send(&self, piece: Bytes) -> Result<(), Cut> {
        let patience = self.desk.config.streams.patience.to_std();
        match self.pieces.send_timeout(piece, patience).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(Cut::Slow),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Cut::Left),
        }
    }
}
