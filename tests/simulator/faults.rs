//! What may go wrong at each port, how often, and how often it did.

use countersign::slack::client::Method;

use crate::booth::Point;
use crate::chance::Chance;

/// Where something may go wrong, apart from the desks themselves and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Database,
    Slack,
    Tool,
    Model,
}

impl Port {
    pub const ALL: [Self; 4] = [Self::Database, Self::Slack, Self::Tool, Self::Model];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The database takes nothing: the disk is full.
    WriteRefused,
    /// Nobody knows whether it was written, and it was not.
    CommitUnknownUndone,
    /// Nobody knows whether it was written, and it was.
    CommitUnknownDone,
    NoConnection,
    RateLimited,
    ServerErrorUndone,
    ServiceUnavailable,
    /// It was done, and the answer did not arrive.
    AnswerLost,
    /// It may have been done, and the answer is a page for people.
    AnswerUnreadable,
    TokenRevoked,
    ScopeMissing,
    UnknownCode,
    /// Slack lets nobody change this message any more.
    CannotUpdate,
    EditWindowClosed,
    /// Somebody else has changed the view meanwhile.
    HashConflict,
    ResponseUrlGone,
    CallRefused,
    CallLost,
    CallAnswerLost,
    ProbeSilent,
    ModelAway,
    ModelCutOff,
    ModelMalformed,
}

impl Fault {
    pub const ALL: [Self; 23] = [
        Self::WriteRefused,
        Self::CommitUnknownUndone,
        Self::CommitUnknownDone,
        Self::NoConnection,
        Self::RateLimited,
        Self::ServerErrorUndone,
        Self::ServiceUnavailable,
        Self::AnswerLost,
        Self::AnswerUnreadable,
        Self::TokenRevoked,
        Self::ScopeMissing,
        Self::UnknownCode,
        Self::CannotUpdate,
        Self::EditWindowClosed,
        Self::HashConflict,
        Self::ResponseUrlGone,
        Self::CallRefused,
        Self::CallLost,
        Self::CallAnswerLost,
        Self::ProbeSilent,
        Self::ModelAway,
        Self::ModelCutOff,
        Self::ModelMalformed,
    ];

    pub fn port(self) -> Port {
        match self {
            Self::WriteRefused | Self::CommitUnknownUndone | Self::CommitUnknownDone => {
                Port::Database
            }
            Self::NoConnection
            | Self::RateLimited
            | Self::ServerErrorUndone
            | Self::ServiceUnavailable
            | Self::AnswerLost
            | Self::AnswerUnreadable
            | Self::TokenRevoked
            | Self::ScopeMissing
            | Self::UnknownCode
            | Self::CannotUpdate
            | Self::EditWindowClosed
            | Self::HashConflict
            | Self::ResponseUrlGone => Port::Slack,
            Self::CallRefused | Self::CallLost | Self::CallAnswerLost | Self::ProbeSilent => {
                Port::Tool
            }
            Self::ModelAway | Self::ModelCutOff | Self::ModelMalformed => Port::Model,
        }
    }

    /// After this the process cannot trust what it has in its hands, and stops.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::CommitUnknownUndone | Self::CommitUnknownDone)
    }
}

/// How rough it gets, in faults of a thousand calls at each port.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub database: usize,
    pub slack: usize,
    pub tool: usize,
    pub model: usize,
    /// Crashes of a replica in a thousand steps.
    pub crashes: usize,
    /// Jumps of the clock in a thousand steps.
    pub jumps: usize,
    /// Workers that stand still past their lease, in a thousand steps.
    pub sleeps: usize,
}

impl Weather {
    pub const FAIR: Self =
        Self { database: 0, slack: 0, tool: 0, model: 0, crashes: 0, jumps: 0, sleeps: 0 };

    /// Some seeds are calm, so that what only shows in good weather shows as well.
    pub fn of(chance: &mut Chance) -> Self {
        let mut rough = |most: usize| [0, most / 4, most][chance.below(3)];
        Self {
            database: rough(24),
            slack: rough(120),
            tool: rough(500),
            model: rough(200),
            crashes: rough(12),
            jumps: rough(3),
            sleeps: rough(12),
        }
    }

    /// What a task meets where it stands.
    pub fn at(&self, point: Point, chance: &mut Chance) -> Option<Fault> {
        let (often, choices): (usize, &[Fault]) = match point {
            Point::Transaction => {
                (self.database, &[Fault::WriteRefused, Fault::CommitUnknownUndone])
            }
            Point::Committed => (self.database / 2, &[Fault::CommitUnknownDone]),
            Point::Slack(method) => (self.slack, slack(method, chance)),
            Point::SlackAnswered(_) => {
                (self.slack / 2, &[Fault::AnswerLost, Fault::AnswerUnreadable])
            }
            Point::Respond => (self.slack, &[Fault::ResponseUrlGone, Fault::AnswerLost]),
            Point::Call => (self.tool, &[Fault::CallRefused, Fault::CallLost]),
            Point::Called => (self.tool, &[Fault::CallAnswerLost]),
            Point::Probe => (2 * self.tool, &[Fault::ProbeSilent]),
            Point::Model => {
                (self.model, &[Fault::ModelAway, Fault::ModelCutOff, Fault::ModelMalformed])
            }
            Point::Beat | Point::Dead => (0, &[]),
        };
        chance.permille(often).then(|| chance.pick(choices)).flatten()
    }
}

/// Codes that end a delivery for good are rare, or nothing would ever be shown.
fn slack(method: Method, chance: &mut Chance) -> &'static [Fault] {
    const USUAL: [Fault; 7] = [
        Fault::NoConnection,
        Fault::RateLimited,
        Fault::ServerErrorUndone,
        Fault::AnswerUnreadable,
        Fault::ServiceUnavailable,
        Fault::TokenRevoked,
        Fault::ScopeMissing,
    ];
    match method {
        Method::ChatPostMessage if chance.permille(50) => &[Fault::UnknownCode],
        Method::ChatUpdate if chance.permille(500) => {
            &[Fault::UnknownCode, Fault::CannotUpdate, Fault::EditWindowClosed]
        }
        Method::ViewsOpen | Method::ViewsPublish if chance.permille(700) => &[Fault::HashConflict],
        _ => &USUAL,
    }
}
