//! What a desk dies of: in which story, at which point, the how manieth time, and how.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use countersign::base::failpoint::Point;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub story: Story,
    pub point: Point,
    /// From one.
    pub nth: u64,
    pub death: Death,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Somebody writes to an agent in Slack, and people approve what it proposes.
    Conversation,
    /// The same, and what became of the refund can be asked.
    Probed,
    /// A program asks an agent over HTTP.
    Call,
    /// The operator backs up and restores.
    Copies,
    /// A month has passed, and what was said is to go.
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Abort,
    Kill,
    Panic,
}

impl Death {
    fn word(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Kill => "kill",
            Self::Panic => "panic",
        }
    }

    /// A panic anywhere ends the whole process: half a desk keeps nobody's promises.
    fn signal(self) -> i32 {
        match self {
            Self::Abort | Self::Panic => 6,
            Self::Kill => 9,
        }
    }
}

impl Case {
    /// As the binary reads it.
    pub fn order(&self) -> String {
        format!("{:?}:{}:{}", self.point, self.death.word(), self.nth)
    }

    /// It died of this and of nothing else.
    pub fn is_proven(&self, status: ExitStatus, log: &str) -> anyhow::Result<()> {
        let word = format!("failpoint {:?}", self.point);
        anyhow::ensure!(log.lines().any(|line| line == word), "its failpoint did not fire");
        let signal = status.signal();
        anyhow::ensure!(signal == Some(self.death.signal()), "it ended with {status}");
        Ok(())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { story, point, nth, death } = self;
        write!(f, "{story:?}-{point:?}-{nth}-{}", death.word())
    }
}
