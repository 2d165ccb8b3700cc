//! The crash matrix: every failpoint, each way of dying, on the real binary.

mod case;
mod copies;
mod left;
mod story;
mod warden;

use std::collections::BTreeMap;

use countersign::base::failpoint::Point::{self, *};
use countersign::base::{Clock, SystemClock};
use futures::{StreamExt, stream};

use case::{Case, Death};

use crate::campaign::Folder;
use crate::chance::Chance;

/// So many desks at once: mostly they wait for a timer.
const AT_ONCE: usize = 8;

/// The points, and which times the story passes them are tried in every round: the first, and
/// where another means something else, that too.
const MATRIX: [(Point, &[u64]); 24] = [
    (MessageWritten, &[1]),
    (MessageCommitted, &[1]),
    // The model's first answer, and the checkpoint that comes with two requests.
    (SuperstepWritten, &[1, 4]),
    (SuperstepCommitted, &[1, 4]),
    (DeliveryClaimed, &[1, 5]),
    (PostBegun, &[1, 3]),
    (PostAnswered, &[1, 3]),
    (UpdateAnswered, &[1, 4]),
    (StreamStarted, &[1]),
    // The first of two votes, and one that decides.
    (ClickWritten, &[1, 3]),
    (ClickCommitted, &[1, 3]),
    (TimerWritten, &[1, 2]),
    (TimerCommitted, &[1]),
    // The lookup, and what people approved.
    (ExecutionClaimed, &[1, 2, 3]),
    (StartCommitted, &[1, 2, 3]),
    (CallAnswered, &[1, 2, 3]),
    (EndWritten, &[1, 2, 3]),
    (EndCommitted, &[1, 2, 3]),
    (BatchWritten, &[5, 20]),
    (BatchCommitted, &[5, 20]),
    (SchemaWritten, &[1]),
    (DeskOpened, &[1]),
    (Closing, &[1]),
    (CopyUnnamed, &[1]),
];

/// As often as the story comes to a point at least; beyond the matrix, a seed chooses among them.
fn times(point: Point) -> u64 {
    match point {
        BatchWritten | BatchCommitted => 60,
        DeliveryClaimed => 24,
        UpdateAnswered => 12,
        SuperstepWritten | SuperstepCommitted => 8,
        PostBegun | PostAnswered => 6,
        ClickWritten | ClickCommitted => 4,
        _ => {
            let row = MATRIX.iter().find(|(known, _)| *known == point);
            row.and_then(|(_, nths)| nths.last()).copied().unwrap_or(1)
        }
    }
}

/// What is tried.
pub struct Plan {
    pub rounds: u64,
    pub seed: u64,
    /// How the names of the cases begin that alone are tried.
    pub only: Option<String>,
}

impl Plan {
    /// Plays the story undisturbed, and then as many rounds as asked for. The first is the matrix;
    /// each further one has every point once for each way of dying, at a time that its seed chooses.
    pub async fn run(self) -> anyhow::Result<()> {
        every_point_is_passed().await?;
        let mut findings = Vec::new();
        for round in 0..self.rounds {
            let seed = self.seed + round;
            let cases = match &self.only {
                Some(name) => named(name),
                None if round == 0 => matrix(),
                None => chosen(seed),
            };
            let began = SystemClock.now();
            let tried = stream::iter(cases.clone()).map(tried).buffer_unordered(AT_ONCE);
            let found: Vec<String> = tried.filter_map(std::future::ready).collect().await;
            let took = SystemClock.now().since(began).to_std();
            println!("round {} of {}, seed {seed}: {}", round + 1, self.rounds, counted(&cases));
            println!("  {} findings, {} s", found.len(), took.as_secs());
            found.iter().for_each(|finding| println!("  {finding}"));
            findings.extend(found);
        }
        anyhow::ensure!(findings.is_empty(), "{}", findings.join("\n\n"));
        Ok(())
    }
}

fn counted(cases: &[Case]) -> String {
    let by = |death| cases.iter().filter(|case| case.death == death).count();
    let (abort, kill, panic) = (by(Death::Abort), by(Death::Kill), by(Death::Panic));
    format!("{} deaths, {abort} by abort, {kill} by SIGKILL, {panic} by panic", cases.len())
}

fn matrix() -> Vec<Case> {
    let deaths = [Death::Abort, Death::Kill];
    let case = |(point, nth): (Point, u64)| deaths.map(|death| Case { point, nth, death });
    let rows = MATRIX.iter().flat_map(|(point, nths)| nths.iter().map(|nth| (*point, *nth)));
    // A panic is caught by whoever runs a task or a job of the store: never may the rest go on.
    let panics = [ClickWritten, ClickCommitted, SuperstepCommitted, BatchCommitted];
    let panics = panics.map(|point| Case { point, nth: 1, death: Death::Panic });
    rows.flat_map(case).chain(panics).collect()
}

/// All the cases there could be whose names begin like this.
fn named(name: &str) -> Vec<Case> {
    let points = Point::ALL.iter().flat_map(|point| Death::ALL.map(|death| (*point, death)));
    let case = |(point, death)| (1..=times(point)).map(move |nth| Case { point, nth, death });
    points.flat_map(case).filter(|case| case.to_string().starts_with(name)).collect()
}

fn chosen(seed: u64) -> Vec<Case> {
    let mut chance = Chance::new(seed);
    let points = Point::ALL.iter().flat_map(|point| Death::ALL.map(|death| (*point, death)));
    // A panic ends a command as any error does.
    let points = points.filter(|row| *row != (CopyUnnamed, Death::Panic));
    points
        .map(|(point, death)| Case { point, nth: 1 + chance.below(times(point)), death })
        .collect()
}

/// What is wrong after a death, if anything is.
async fn tried(case: Case) -> Option<String> {
    let folder = match Folder::new(&format!("window-{case}")) {
        Ok(folder) => folder,
        Err(error) => return Some(format!("{case}: {error}")),
    };
    let played = match case.point {
        CopyUnnamed => copies::play(case, &folder.0).await,
        _ => story::play(Some(case), &folder.0).await.map(drop),
    };
    let error = played.err()?;
    Some(format!("{case}: {error:#}\nkept in {}", folder.keep().display()))
}

/// What nobody comes to cannot be tried there.
async fn every_point_is_passed() -> anyhow::Result<()> {
    let folder = Folder::new("windows")?;
    let log = story::play(None, &folder.0).await?;
    let mut passed: BTreeMap<&str, u64> = BTreeMap::new();
    for point in log.lines().filter_map(|line| line.strip_prefix("failpoint ")) {
        *passed.entry(point).or_default() += 1;
    }
    println!("an undisturbed story passes {passed:?}");
    for point in Point::ALL.iter().filter(|point| **point != CopyUnnamed) {
        let count = passed.get(format!("{point:?}").as_str()).copied().unwrap_or_default();
        anyhow::ensure!(count >= times(*point), "it passes {point:?} {count} times");
    }
    Ok(())
}
