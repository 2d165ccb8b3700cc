//! What a desk dies of: at which point, the how manieth time, and how.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use countersign::base::failpoint::Point;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub point: Point,
    /// From one.
    pub nth: u64,
    pub death: Death,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Abort,
    Kill,
    Panic,
}

impl Death {
    pub const ALL: [Self; 3] = [Self::Abort, Self::Kill, Self::Panic];

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
        write!(f, "{:?}-{}-{}", self.point, self.nth, self.death.word())
    }
}
