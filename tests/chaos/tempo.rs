//! How quickly everything follows upon everything else in a campaign.

use std::time::Duration;

/// From and to, in milliseconds.
pub type Span = (u64, u64);

#[derive(Clone, Copy, Debug)]
pub struct Tempo {
    /// How many times longer people wait for a decision than the configuration's few seconds.
    pub patience: u32,
    /// Whether half a minute passes for the leases while a killed desk is closed: before its last
    /// start, and now and then before another.
    pub leases_end: LeasesEnd,
    /// How long a desk is left in peace before the killer looks for a moment, mostly, and one in five
    /// of them; and how long it looks.
    pub life: Span,
    pub long_life: Span,
    pub opportunity: Duration,
    /// How long after a call reached the company.
    pub into_a_call: Span,
    /// How long a killed desk stays closed: mostly, and now and then.
    pub closed: Span,
    pub closed_for_long: Span,
    /// How long a desk that is stopped stands still.
    pub still: Span,
    /// Between two wishes of one writer. Slack takes a post a second and channel, and 50 updates a
    /// minute: more than that would only pile up.
    pub wishes: Span,
    /// After so many nobody writes any more.
    pub most_wishes: u64,
    /// Between two looks of one approver.
    pub looks: Span,
    pub late: Late,
    /// How long the stand-in for a model takes for a word.
    pub words: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeasesEnd {
    /// When they end.
    ByThemselves,
    BeforeTheLastStart,
    /// Before one start in three, too: else whatever a killed desk held would wait for longer than
    /// the round lasts.
    NowAndThen,
}

/// What approvers do with what they have seen when nothing waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    LeftAlone,
    /// They press all the same, and are told that they come too late. So there is always a click on
    /// its way, and it leads to nothing that Slack would have to be told slowly.
    Pressed,
}

impl Tempo {
    /// A whole campaign: nothing is hurried.
    pub const REAL: Self = Self {
        patience: 4,
        leases_end: LeasesEnd::ByThemselves,
        life: (50, 1_500),
        long_life: (50, 1_500),
        opportunity: Duration::from_secs(2),
        into_a_call: (0, 300),
        closed: (0, 150),
        closed_for_long: (0, 1_200),
        still: (20, 4_000),
        wishes: (3_500, 7_000),
        most_wishes: u64::MAX,
        looks: (250, 900),
        late: Late::LeftAlone,
        words: "70ms",
    };

    /// A few kills.
    pub const SHORT: Self = Self {
        patience: 1,
        leases_end: LeasesEnd::BeforeTheLastStart,
        wishes: (3_000, 6_000),
        ..Self::REAL
    };

    /// People wait a hundred times longer: nothing becomes due.
    pub const UNHURRIED: Self = Self { patience: 100, ..Self::SHORT };

    /// As many kills as a machine can take, in rounds so short that little waits in the end.
    pub const DENSE: Self = Self {
        leases_end: LeasesEnd::NowAndThen,
        life: (10, 200),
        long_life: (1_000, 2_000),
        opportunity: Duration::from_millis(250),
        into_a_call: (0, 120),
        closed: (0, 30),
        closed_for_long: (0, 250),
        still: (5, 300),
        wishes: (7_000, 13_000),
        most_wishes: 20,
        looks: (400, 1_400),
        late: Late::Pressed,
        words: "2ms",
        ..Self::SHORT
    };
}
