//! What is under way: turns of loops, requests that came in over HTTP, replicas that start.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use countersign::base::Span;
use countersign::store::StoreError;
use countersign::work::Loop;
use tower::ServiceExt;

use crate::booth::{self, Booth, Point};
use crate::faults::Fault;
use crate::people::Delivery;
use crate::replica::Replica;
use crate::simulation::Simulation;

pub const LOOPS: [Loop; 5] =
    [Loop::Runs, Loop::Executions, Loop::Timers, Loop::Deliveries, Loop::Streams];
/// How long a task may run from one stop to the next, in real time: more than any does that ends.
const PATIENCE: Duration = Duration::from_secs(30);
/// What an answer of ours may weigh.
const ANSWER: usize = 1 << 20;

pub enum Done {
    Turned(Result<usize, StoreError>),
    /// Status, and whether there was a body.
    Answered(u16, bool),
    Opened(Box<Result<Replica, String>>),
}

pub enum Kind {
    Turn(Loop),
    Delivery(Box<Delivery>),
    Opening,
}

pub struct Task {
    pub id: u64,
    pub replica: usize,
    pub kind: Kind,
    pub booth: Arc<Booth>,
    /// Until which step it stands still.
    pub asleep: u64,
    future: Pin<Box<dyn Future<Output = Done> + Send>>,
}

impl Simulation {
    /// Lets a replica take one turn of a loop.
    pub async fn begin_turn(&mut self, replica: usize, which: Loop) {
        let Some(open) = &self.replicas[replica] else { return };
        let turn = open.turn(which);
        self.begin(replica, Kind::Turn(which), Box::pin(async { Done::Turned(turn.await) })).await;
    }

    /// Slack brings something to a replica. Now and then its signature is too old.
    pub async fn begin_delivery(&mut self, replica: usize, mut delivery: Delivery) {
        let Some(open) = &self.replicas[replica] else { return };
        let router = open.router.clone();
        let now = countersign::base::Clock::now(self.outside.clock.as_ref());
        let stale = !self.healing && self.chance.permille(10);
        let behind = if stale { Span::minutes(6).as_millis() } else { 0 };
        let at = countersign::base::Timestamp::from_millis(now.as_millis() - behind);
        delivery.tries += 1;
        if stale {
            self.counts.add("delivery: signature too old");
        }
        let request = delivery.signed(at);
        let future = Box::pin(async move {
            let Ok(answer) = router.oneshot(request).await;
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), ANSWER).await.unwrap();
            Done::Answered(status, !body.is_empty())
        });
        self.begin(replica, Kind::Delivery(Box::new(delivery)), future).await;
    }

    pub async fn begin_opening(&mut self, replica: usize) {
        let opening = Replica::open(self.store.clone(), self.outside.clone());
        let future = Box::pin(async { Done::Opened(Box::new(opening.await)) });
        self.begin(replica, Kind::Opening, future).await;
    }

    async fn begin(
        &mut self,
        replica: usize,
        kind: Kind,
        future: Pin<Box<dyn Future<Output = Done> + Send>>,
    ) {
        let (id, booth) = (self.step, Booth::new());
        let mut task = Task { id, replica, kind, booth, asleep: 0, future };
        match booth::run(&task.booth, &mut task.future, PATIENCE).await {
            Ok(done) => self.after(task, done, Point::Transaction, None),
            Err(booth::Hangs) => self.hung(&task, "its beginning"),
        }
    }

    /// Lets one task go on from where it stands, or meet a fault there.
    pub async fn advance(&mut self, at: usize) {
        let mut task = self.tasks.swap_remove(at);
        let stops = task.booth.stops();
        // A renewal is only one of the ways on where the work itself could go on as well.
        let beats = stops.iter().filter(|(_, point)| *point == Point::Beat).count();
        let beats = beats > 0 && (stops.len() == beats || self.chance.permille(30));
        let ways: Vec<_> =
            stops.iter().filter(|(_, point)| (*point == Point::Beat) == beats).copied().collect();
        let Some((id, point)) = self.chance.pick(&ways) else { return };
        if point == Point::Dead {
            self.counts.add("a probed worker that was taken over never woke");
            return;
        }
        let fault = self.weather.at(point, &mut self.chance);
        task.booth.grant(id, fault);
        match booth::run(&task.booth, &mut task.future, PATIENCE).await {
            Ok(done) => self.after(task, done, point, fault),
            Err(booth::Hangs) => self.hung(&task, &format!("{point:?} {fault:?}")),
        }
    }

    /// Whatever a task waits for that does not stop, it is held by one that has: all are named.
    fn hung(&mut self, task: &Task, since: &str) {
        let place = |task: &Task| format!("r{} #{} {}", task.replica, task.id, task.kind.name());
        let others =
            self.tasks.iter().map(|other| format!("{} {:?}", place(other), other.booth.stops()));
        let others: Vec<_> = others.collect();
        let why = format!(
            "{} has neither stopped nor ended since {since}; meanwhile there stand: {}",
            place(task),
            others.join("; ")
        );
        self.say(why.clone());
        self.hangs = Some(why);
    }

    fn after(&mut self, task: Task, done: Option<Done>, point: Point, fault: Option<Fault>) {
        self.counts.add(format!("stop {point:?}"));
        self.actor = task.booth.claim();
        let fault_said = fault.map(|fault| format!(" {fault:?}")).unwrap_or_default();
        let (id, replica, name) = (task.id, task.replica, task.kind.name());
        let went = done.as_ref().map_or_else(|| "goes on".to_owned(), Done::say);
        self.say(format!("r{replica} #{id} {name} at {point:?}{fault_said}: {went}"));
        if let Some(fault) = fault {
            self.counts.fired(fault);
        }
        match done {
            None => self.tasks.push(task),
            Some(done) => self.ended(task, done),
        }
        if fault.is_some_and(Fault::is_fatal) {
            self.counts.add("a replica stopped because it could not trust its database");
            self.lose(replica);
        }
    }

    fn ended(&mut self, task: Task, done: Done) {
        match (task.kind, done) {
            (Kind::Turn(which), Done::Turned(result)) => {
                let found = result.is_ok_and(|count| count > 0);
                self.idle_turns = if found { 0 } else { self.idle_turns + 1 };
                if found {
                    self.counts.add(format!("turn {which:?}"));
                }
            }
            (Kind::Delivery(mut delivery), Done::Answered(status, spoken)) => {
                self.counts.add(format!("answered {status}"));
                delivery.acked |= status == 200;
                delivery.told |= spoken || task.booth.has_told();
                let repeats = match status {
                    200 => self.chance.permille(80) && !self.healing,
                    _ => delivery.is_event || self.chance.permille(300),
                };
                if delivery.acked {
                    self.acked.push((*delivery).clone());
                }
                if repeats && delivery.tries < 6 {
                    self.counts.add("delivery: repeated");
                    self.deliveries.push(*delivery);
                }
            }
            (_, Done::Opened(opened)) => match *opened {
                Ok(replica) => self.replicas[task.replica] = Some(replica),
                Err(_) => self.counts.add("a replica could not start"),
            },
            _ => {}
        }
    }

    /// A replica crashes: its memory and everything under way in it are gone.
    pub fn lose(&mut self, replica: usize) {
        self.replicas[replica] = None;
        let (lost, rest): (Vec<_>, Vec<_>) =
            self.tasks.drain(..).partition(|task| task.replica == replica);
        self.tasks = rest;
        for task in lost {
            self.counts.add("a task was lost in a crash");
            if let Kind::Delivery(delivery) = task.kind
                && (delivery.is_event || self.chance.permille(300))
                && delivery.tries < 6
            {
                self.deliveries.push(*delivery);
            }
        }
    }
}

impl Kind {
    pub fn name(&self) -> String {
        match self {
            Self::Turn(which) => format!("{which:?}"),
            Self::Delivery(delivery) => delivery.what.clone(),
            Self::Opening => "start".to_owned(),
        }
    }
}

impl Done {
    fn say(&self) -> String {
        match self {
            Self::Turned(Ok(count)) => format!("did {count}"),
            Self::Turned(Err(error)) => format!("failed: {error}"),
            Self::Answered(status, spoken) => format!("{status} {spoken}"),
            Self::Opened(opened) => match opened.as_ref() {
                Ok(_) => "open".to_owned(),
                Err(error) => format!("not open: {error}"),
            },
        }
    }
}
