//! What the clients of a race did and were told, and the reckoning at its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::store::StoreError;

use crate::pair::Pair;

/// What somebody did about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    Approve,
    Reject,
    Cancel,
    FireTimers,
}

pub const DEEDS: [Deed; 4] = [Deed::Approve, Deed::Reject, Deed::Cancel, Deed::FireTimers];

/// What the clients did and were told, by deed and by desk.
#[derive(Default)]
pub struct Books {
    pub tried: BTreeMap<(Deed, usize), usize>,
    pub won: BTreeMap<(Deed, usize), usize>,
    /// How often somebody who came too late was told which outcome it was.
    pub told_the_truth: usize,
    pub away: Away,
}

/// How often the database went away, and somebody got no answer. A machine that stands still for some
/// seconds does that: whoever wakes up in the middle of their turn has lost it.
#[derive(Clone, Default)]
pub struct Away(Arc<AtomicUsize>);

impl Away {
    pub fn is_the_reason(&self, error: &StoreError) -> bool {
        let away = matches!(error, StoreError::Lost(_) | StoreError::Busy | StoreError::Unknown);
        self.0.fetch_add(usize::from(away), Ordering::Relaxed);
        away
    }

    pub fn times(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Whoever gets no answer asks again, as a person does.
    pub async fn answered<T, Answer>(&self, ask: impl Fn() -> Answer) -> T
    where
        Answer: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match ask().await {
                Err(error) if self.is_the_reason(&error) => {}
                answer => return answer.unwrap(),
            }
        }
    }
}

/// What the players were told, what the database says and what the company saw are the same.
pub async fn reckon(pair: &Pair, races: usize, books: &Books) {
    let desk = pair.database().await;
    let count = |query: &'static str| {
        let desk = desk.clone();
        async move { sqlx::query_scalar::<_, i64>(query).fetch_one(&desk).await.unwrap() }
    };
    let ended: Vec<(String, i64)> =
        sqlx::query_as("SELECT outcome, COUNT(*) FROM requests GROUP BY outcome ORDER BY outcome")
            .fetch_all(&desk)
            .await
            .unwrap();
    let ended: BTreeMap<String, i64> = ended.into_iter().collect();
    let at = |books: &BTreeMap<(Deed, usize), usize>, deed, desk| {
        books.get(&(deed, desk)).copied().unwrap_or_default()
    };
    for (deed, outcome) in DEEDS.into_iter().zip(["approved", "rejected", "cancelled", "expired"]) {
        let first = ended.get(outcome).copied().unwrap_or_default();
        let tried = [0, 1].map(|desk| at(&books.tried, deed, desk));
        print!(
            "  {outcome}: {first}, of {} tries at one desk and {} at the other",
            tried[0], tried[1]
        );
        assert!(first > 0, "nothing was ever {outcome}: {ended:?}");
        if deed == Deed::FireTimers {
            println!();
            continue;
        }
        let won = [0, 1].map(|desk| at(&books.won, deed, desk));
        println!("; first at one {} times, at the other {}", won[0], won[1]);
        assert_eq!(first, (won[0] + won[1]) as i64, "{outcome}, as told and as kept");
    }
    assert_eq!(ended.values().sum::<i64>(), races as i64, "{ended:?}");
    println!("  {} who came too late were told which outcome it was", books.told_the_truth);
    let ends = "SELECT COUNT(*) FROM audit WHERE kind IN ('request.approved', 'request.rejected',
                  'request.expired', 'request.cancelled')";
    assert_eq!(count(ends).await, races as i64, "one end each in the log");
    let ran = "SELECT COUNT(*) FROM executions JOIN requests ON requests.id = request_id
               WHERE outcome = 'approved' AND executions.state = 'succeeded'";
    let executions = count("SELECT COUNT(*) FROM executions").await;
    let again = count("SELECT COUNT(*) FROM executions WHERE attempts > 1").await;
    assert_eq!(count(ran).await, ended["approved"], "one execution for each approval");
    assert_eq!(executions, ended["approved"], "and no other");
    let journal = pair.world.company.journal().await.unwrap();
    let mut keys: Vec<_> = journal.iter().map(|entry| entry.key.clone()).collect();
    keys.sort();
    keys.dedup();
    let paid = pair.world.company.payments("refund").await.unwrap();
    println!("  {executions} executions, {} calls at the company, {paid} refunds", journal.len());
    assert_eq!(keys.len() as i64, ended["approved"], "the company was called for each, by its key");
    assert_eq!(paid, ended["approved"], "and paid each once");
    let away = books.away.times();
    println!(
        "  {away} times the database went away; {again} executions were taken up again after it"
    );
    if away == 0 {
        assert_eq!(again, 0, "an execution was begun twice");
        assert_eq!(keys.len(), journal.len(), "the company was called twice for one");
    }
    desk.close().await;
}
