//! Failpoints: named places where a test has the process die.
//!
//! Only the real process can show what a crash leaves behind, and only the place itself is exact
//! enough to crash at. Which one, how and when is read once from the environment, because it must
//! be known before anything is opened, and because an option would be one that users could give.
//! In a release build nothing of it is left.

use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// `<point>:<death>:<nth>`, or `tell`.
const VARIABLE: &str = "COUNTERSIGN_FAILPOINT";

macro_rules! points {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// A place that is left behind differently than any other when the process dies there.
        /// `docs/CRASHES.md` says which crash windows each stands for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Point { $($(#[doc = $what])+ $name,)+ }

        impl Point {
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

points! {
    /// A message is taken and its run is queued; nothing is committed.
    MessageWritten,
    /// It is committed; Slack has no answer.
    MessageCommitted,
    /// A caller's message is taken and its run is queued; nothing is committed.
    CallWritten,
    /// It is committed; the caller has no answer.
    CallCommitted,
    /// Nodes ran, and all that came of it is written; nothing is committed.
    SuperstepWritten,
    /// It is committed; nobody has been woken for what it owes.
    SuperstepCommitted,
    /// A card or notice is claimed.
    DeliveryClaimed,
    /// That a post begins is committed; it has not begun.
    PostBegun,
    /// Slack has the post; where it stands is known to nobody else.
    PostAnswered,
    /// A card was brought up to date; the desk has not noted it.
    UpdateAnswered,
    /// An answer began to grow in its thread; where is known to nobody else.
    StreamStarted,
    /// A verdict is written; nothing is committed.
    ClickWritten,
    /// It is committed; the person has no answer, and nobody has been woken.
    ClickCommitted,
    /// A timer has fired; nothing is committed.
    TimerWritten,
    /// It is committed; nobody has been woken.
    TimerCommitted,
    /// An action is claimed; it has not started.
    ExecutionClaimed,
    /// `started` is committed; the call has not left the process.
    StartCommitted,
    /// The tool has answered; nothing of it is written.
    ToolAnswered,
    /// How it ended is written; nothing is committed.
    EndWritten,
    /// It is committed; nobody has been woken.
    EndCommitted,
    /// Whatever a batch of transactions wrote; nothing is committed.
    BatchWritten,
    /// It is committed; none of those who wait has an answer.
    BatchCommitted,
    /// A new schema is written; nothing is committed.
    SchemaWritten,
    /// What an earlier process left is set right; nothing is taken yet.
    DeskOpened,
    /// The desk was told to close, in the middle of everything.
    Closing,
    /// Some of what is old is reduced, and the record of it written; nothing is committed.
    BatchReduced,
    /// A copy of a database is whole and has not got its name.
    CopyUnnamed,
}

/// The process has come to a place. It dies there if it was told to when it started.
#[inline]
pub fn reach(point: Point) {
    if cfg!(debug_assertions)
        && let Some(order) = &*ORDER
    {
        order.reached(point);
    }
}

static ORDER: LazyLock<Option<Order>> = LazyLock::new(|| {
    let order = std::env::var(VARIABLE).ok()?;
    Some(order.parse().unwrap_or_else(|why: String| panic!("{VARIABLE}={order}: {why}")))
});

enum Order {
    /// Say of every point that it was reached, and go on.
    Tell,
    Die {
        at: Point,
        death: Death,
        nth: u64,
        reached: AtomicU64,
    },
}

#[derive(Clone, Copy)]
enum Death {
    Abort,
    Kill,
    Panic,
}

impl Order {
    /// The word on standard error is the evidence that a point was really reached.
    fn reached(&self, point: Point) {
        match self {
            Self::Tell => eprintln!("failpoint {point:?}"),
            Self::Die { at, death, nth, reached } => {
                if *at == point && reached.fetch_add(1, Ordering::SeqCst) + 1 == *nth {
                    eprintln!("failpoint {point:?}");
                    death.come();
                }
            }
        }
    }
}

impl Death {
    fn come(self) {
        match self {
            Self::Abort => std::process::abort(),
            Self::Panic => panic!("a failpoint was to panic"),
            // A signal to oneself has come before the call returns.
            Self::Kill => kill_process(getpid(), Signal::KILL).unwrap_or_default(),
        }
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "tell" {
            return Ok(Self::Tell);
        }
        let mut words = text.split(':');
        let named = |name: &str| Point::ALL.iter().copied().find(|at| format!("{at:?}") == name);
        let at = words.next().and_then(named).ok_or("it names no point")?;
        let death = match words.next() {
            Some("abort") => Death::Abort,
            Some("kill") => Death::Kill,
            Some("panic") => Death::Panic,
            _ => return Err("one dies by abort, kill or panic".to_owned()),
        };
        let nth = words.next().and_then(|nth| nth.parse().ok());
        let nth = nth.ok_or("it does not say which time")?;
        Ok(Self::Die { at, death, nth, reached: AtomicU64::new(0) })
    }
}
