//! Where the work of a replica stops and waits for the scheduler: before and behind every
//! transaction, and before and behind every call to the outside.
//!
//! Between two stops a task runs alone, so that what it reads on its way is the same each time. A
//! task that is dropped at a stop is a crash there: what it had handed in is done, and nobody knows.
//!
//! Alone means that nobody else goes on until it stops or ends. A task that waits for another one
//! outside a port, for a lock it holds say, never does either: [`run`] gives it up after a while of
//! real time, and its seed has failed. And `Clock::beat` is taken for the renewal of a lease, which
//! goes on beside the work: work that waits for a beat of its own is not at a stop of the work, and
//! goes on only when the renewal is chosen.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countersign::slack::client::Method;

use crate::faults::Fault;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    Transaction,
    Committed,
    Slack(Method),
    SlackAnswered(Method),
    Respond,
    Call,
    Called,
    Probe,
    Model,
    /// Time to renew a lease, while the work stands somewhere else.
    Beat,
    /// It has been taken over and is never heard of again.
    Dead,
}

/// The renewal of a lease goes on beside the work it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Branch {
    #[default]
    Work,
    Renewal,
}

#[derive(Debug)]
struct Stop {
    id: u64,
    point: Point,
    branch: Branch,
    granted: Option<Option<Fault>>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct State {
    stops: Vec<Stop>,
    branch: Branch,
    /// From the grant until it stops again.
    running: bool,
    next: u64,
    told: bool,
    /// Which claim this is, of all that were ever made; set by its first commit.
    claim: Option<u64>,
}

/// The stops of one task.
#[derive(Debug)]
pub struct Booth {
    state: Mutex<State>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Booth>>> = const { RefCell::new(None) };
    static CLAIMS: Cell<u64> = const { Cell::new(1) };
}

/// The claim that the running task works on.
pub fn claim() -> u64 {
    current().and_then(|booth| booth.claim()).unwrap_or_default()
}

/// How many claims there were.
pub fn claims() -> u64 {
    CLAIMS.get()
}

/// The task that is running.
pub fn current() -> Option<Arc<Booth>> {
    CURRENT.with_borrow(Clone::clone)
}

impl Booth {
    pub fn new() -> Arc<Self> {
        let state = State { running: true, ..State::default() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Where it can go on: each place with its number.
    pub fn stops(&self) -> Vec<(u64, Point)> {
        self.state().stops.iter().map(|stop| (stop.id, stop.point)).collect()
    }

    /// Lets it go on from one of its stops, or meet a fault there.
    pub fn grant(&self, id: u64, fault: Option<Fault>) {
        let mut state = self.state();
        let Some(at) = state.stops.iter().position(|stop| stop.id == id) else { return };
        state.branch = state.stops[at].branch;
        state.running = true;
        state.stops[at].granted = Some(fault);
        state.stops[at].waker.wake_by_ref();
    }

    /// Later claims have higher numbers.
    pub fn claim(&self) -> Option<u64> {
        self.state().claim
    }

    /// Somebody was told something in answer to what they did.
    pub fn tells(&self) {
        self.state().told = true;
    }

    pub fn has_told(&self) -> bool {
        self.state().told
    }
}

/// Stops until the scheduler lets it go on; says which fault it meets. Outside a task nothing stops.
pub async fn park(point: Point) -> Option<Fault> {
    let booth = current()?;
    let mut parked = Parked { booth, id: None };
    poll_fn(|cx| parked.poll(point, cx)).await
}

struct Parked {
    booth: Arc<Booth>,
    id: Option<u64>,
}

impl Parked {
    fn poll(&mut self, point: Point, cx: &mut Context<'_>) -> Poll<Option<Fault>> {
        let mut state = self.booth.state();
        let Some(id) = self.id else {
            let id = state.next;
            state.next += 1;
            if point == Point::Committed && state.claim.is_none() {
                CLAIMS.set(CLAIMS.get() + 1);
                state.claim = Some(CLAIMS.get());
            }
            let renews = point == Point::Beat;
            // When the work begins, its renewal stops at once beside it, and the work goes on.
            let begins = renews && state.branch == Branch::Work;
            let branch = if renews { Branch::Renewal } else { state.branch };
            state.stops.push(Stop { id, point, branch, granted: None, waker: cx.waker().clone() });
            state.running &= begins;
            self.id = Some(id);
            return Poll::Pending;
        };
        let Some(at) = state.stops.iter().position(|stop| stop.id == id) else {
            return Poll::Pending;
        };
        match state.stops[at].granted {
            Some(fault) => {
                state.stops.remove(at);
                Poll::Ready(fault)
            }
            None => {
                state.stops[at].waker = cx.waker().clone();
                Poll::Pending
            }
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let id = self.id;
        self.booth.state().stops.retain(|stop| Some(stop.id) != id);
    }
}

/// It neither stopped nor ended: what it waits for is nothing that the scheduler knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hangs;

/// Runs a task until it stops or ends, for so much real time at most.
pub async fn run<T>(
    booth: &Arc<Booth>,
    future: &mut Pin<Box<dyn Future<Output = T> + Send>>,
    patience: Duration,
) -> Result<Option<T>, Hangs> {
    let stops = poll_fn(|cx| {
        CURRENT.set(Some(booth.clone()));
        let polled = future.as_mut().poll(cx);
        CURRENT.set(None);
        match polled {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if booth.state().running => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    });
    tokio::time::timeout(patience, stops).await.map_err(|_| Hangs)
}

#[test]
fn who_waits_for_what_never_comes_is_given_up() {
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut waits: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(std::future::pending());
    let gone = executor.block_on(run(&Booth::new(), &mut waits, Duration::from_millis(20)));
    assert_eq!(gone, Err(Hangs));
}
