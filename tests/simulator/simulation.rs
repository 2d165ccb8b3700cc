//! The scheduler: it chooses what happens next, and checks what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::base::{Clock, Ids};
use countersign::slack::client::Method;
use countersign::store::Store;
use countersign::work::Loop;
use tempfile::TempDir;

use crate::booth::Point;
use crate::chance::Chance;
use crate::checks::Checks;
use crate::counts::{self, Counts};
use crate::faults::Weather;
use crate::people::{self, Delivery};
use crate::replica::{Outside, Replica, configuration};
use crate::slack::TEAM;
use crate::tasks::{Kind, LOOPS, Task};

const REPLICAS: usize = 3;
/// More is not under way at once.
const TASKS: usize = 10;
/// How many things people do in one run: each leads to many steps.
const DEEDS: usize = 250;

/// What came of one seed.
pub struct Outcome {
    pub steps: u64,
    pub trace: Vec<String>,
    pub counts: Counts,
    /// What was broken, if anything.
    pub broken: Result<(), String>,
}

pub struct Simulation {
    pub chance: Chance,
    pub weather: Weather,
    pub outside: Outside,
    pub store: Store,
    pub replicas: Vec<Option<Replica>>,
    pub tasks: Vec<Task>,
    pub deliveries: Vec<Delivery>,
    pub acked: Vec<Delivery>,
    pub counts: Counts,
    pub step: u64,
    pub healing: bool,
    pub idle_turns: usize,
    /// The claim of the task that went on last.
    pub actor: Option<u64>,
    /// Which task neither stopped nor ended, if one did.
    pub hangs: Option<String>,
    jumps: usize,
    pub checks: Checks,
    trace: Vec<String>,
    nth: usize,
    folder: TempDir,
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(folder.path());
        let outside = Outside {
            clock: Arc::new(crate::time::VirtualClock::new()),
            ids: Arc::default(),
            slack: Arc::default(),
            company: Arc::default(),
            changed: Arc::new(AtomicBool::new(false)),
            config,
        };
        let store = open(&outside).await;
        let mut chance = Chance::new(seed);
        let weather = Weather::of(&mut chance);
        Self {
            weather,
            chance,
            checks: Checks::open(&folder.path().join("countersign.db")).await,
            outside,
            store,
            replicas: (0..REPLICAS).map(|_| None).collect(),
            tasks: Vec::new(),
            deliveries: Vec::new(),
            acked: Vec::new(),
            counts: Counts::default(),
            step: 0,
            healing: false,
            idle_turns: 0,
            actor: None,
            hangs: None,
            jumps: weather.jumps,
            trace: Vec::new(),
            nth: 0,
            folder,
        }
    }

    /// Plays one seed: so many steps of whatever happens, then peace, and everything must end.
    pub async fn play(seed: u64, steps: u64) -> Outcome {
        let mut simulation = Self::new(seed).await;
        let broken = simulation.story(steps).await;
        let Self { step, trace, counts, store, tasks, replicas, folder, .. } = simulation;
        drop((tasks, replicas));
        store.close().await;
        drop(folder);
        Outcome { steps: step, trace, counts, broken }
    }

    async fn story(&mut self, steps: u64) -> Result<(), String> {
        self.say(format!("{:?}", self.weather));
        while self.step < steps {
            self.one_step().await;
            self.check().await?;
            if self.step.is_multiple_of(250) {
                self.verify().await?;
            }
        }
        self.heal().await?;
        let ends = self.checks.ends().await;
        for end in ends {
            let words: Vec<&str> = end.split_whitespace().collect();
            if let [_, id, how, ..] = words[..] {
                self.counts.add(format!("ended: {} {how}", &id[..3]));
            }
            self.say(end);
        }
        Ok(())
    }

    pub fn say(&mut self, line: String) {
        let now = self.outside.clock.now();
        if std::env::var_os("COUNTERSIGN_TRACE").is_some() {
            println!("{} {now} {line}", self.step);
        }
        self.trace.push(format!("{} {now} {line}", self.step));
    }

    /// The cheap promises, whenever something was written or done.
    pub async fn check(&mut self) -> Result<(), String> {
        if let Some(hangs) = self.hangs.take() {
            return Err(hangs);
        }
        if self.outside.changed.swap(false, Ordering::SeqCst) {
            self.checks.after_a_commit(self.actor, &self.outside.company).await?;
        }
        // The lookup reaches back by our clock, so after a jump it may miss what is there.
        let doubled = self.outside.slack.look().doubled.pop().filter(|_| self.jumps == 0);
        if let Some(doubled) = doubled {
            return Err(format!("C7 posted twice: {doubled}"));
        }
        self.checks.deeds(&self.outside.company).await
    }

    /// Every promise over the whole database.
    pub async fn verify(&mut self) -> Result<(), String> {
        self.counts.add("verified");
        let found = countersign::audit::verify(&self.store, &[]).await;
        let found = found.map_err(|error| error.to_string())?.violations;
        if let Some(violation) = found.first() {
            return Err(violation.to_string());
        }
        self.checks.acknowledged(&self.acked).await?;
        self.checks.switch_was_heeded().await
    }

    async fn one_step(&mut self) {
        self.step += 1;
        // The worst moment there is: the company has acted, and nobody has heard of it.
        let calling = self
            .tasks
            .iter()
            .find(|task| task.booth.stops().iter().any(|(_, point)| *point == Point::Called));
        if let Some(replica) = calling.map(|task| task.replica)
            && self.weather.crashes > 0
            && self.chance.permille(250)
        {
            self.counts.add(counts::CRASH_IN_A_CALL);
            self.say(format!("r{replica} crashes while it calls"));
            return self.lose(replica);
        }
        if self.chance.permille(self.weather.crashes) {
            return self.crash().await;
        }
        if self.chance.permille(self.weather.jumps) {
            return self.jump();
        }
        let down = self.replicas.iter().position(Option::is_none);
        let opening = self.tasks.iter().any(|task| matches!(task.kind, Kind::Opening));
        if let Some(down) = down.filter(|_| !opening && self.chance.permille(300)) {
            return self.begin_opening(down).await;
        }
        if self.chance.permille(self.weather.sleeps) {
            return self.somebody_sleeps();
        }
        let awake = |task: &Task| task.asleep < self.step;
        let awake: Vec<usize> =
            (0..self.tasks.len()).filter(|&at| awake(&self.tasks[at])).collect();
        if let Some(at) = self.chance.pick(&awake)
            && (self.tasks.len() >= TASKS || self.chance.permille(700))
        {
            return self.advance(at).await;
        }
        if self.tasks.len() >= TASKS {
            return self.time_passes();
        }
        match self.chance.below(100) {
            0..45 => self.some_turn().await,
            45..65 => self.some_delivery().await,
            65..93 => self.somebody_acts().await,
            93..97 => self.time_passes(),
            _ => self.something_changes(),
        }
    }

    fn up(&mut self) -> Option<usize> {
        let up: Vec<usize> = (0..REPLICAS).filter(|&at| self.replicas[at].is_some()).collect();
        self.chance.pick(&up)
    }

    async fn some_turn(&mut self) {
        let Some(replica) = self.up() else { return };
        let due = self.checks.due(self.outside.clock.now()).await;
        let due: Vec<_> = LOOPS.into_iter().zip(due).filter(|(_, due)| *due).collect();
        // Now and then somebody looks for nothing.
        let which = match self.chance.pick(&due).filter(|_| self.chance.permille(950)) {
            Some((which, _)) => which,
            None if self.chance.permille(900) => return self.time_passes(),
            None => LOOPS[self.chance.below(LOOPS.len())],
        };
        self.begin_turn(replica, which).await;
    }

    async fn some_delivery(&mut self) {
        let Some(replica) = self.up() else { return };
        if self.deliveries.is_empty() {
            return;
        }
        let at = self.chance.below(self.deliveries.len());
        let delivery = self.deliveries.swap_remove(at);
        self.begin_delivery(replica, delivery).await;
    }

    async fn somebody_acts(&mut self) {
        if self.nth >= DEEDS {
            return;
        }
        // What is not installed hears of nothing.
        if self.outside.slack.look().uninstalled {
            return self.time_passes();
        }
        let (outside, chance, nth) = (&self.outside, &mut self.chance, self.nth + 1);
        let (kind, acted) = match chance.below(100) {
            0..12 => ("writes", people::writes(outside, chance, nth)),
            12..68 => ("presses", people::presses(outside, chance, nth)),
            68..92 => ("sends", people::sends(outside, chance, nth)),
            92..97 => ("opens the Home tab", people::opens_home(chance, nth)),
            97..98 => ("stops", people::stops(outside, chance, nth)),
            _ => return self.operator_acts().await,
        };
        let Some(delivery) = acted else { return };
        self.nth = nth;
        self.counts.add(format!("somebody {kind}"));
        self.say(delivery.what.clone());
        self.deliveries.push(delivery);
    }

    /// On the command line, beside the replicas: one transaction each.
    async fn operator_acts(&mut self) {
        let workspace = countersign::base::WorkspaceId::existing(TEAM);
        if self.chance.permille(400) {
            let pending = self.checks.pending().await;
            let Some(request) = self.chance.pick(&pending) else { return };
            let request = countersign::base::RequestId::existing(request);
            let ended = self.store.cancel(&workspace, &request, "root", "a mistake").await;
            self.counts.add("the operator cancels");
            self.say(format!("root cancels {request}: {}", ended.is_ok_and(|ended| ended.is_ok())));
        } else if self.chance.permille(250) {
            self.counts.add("the operator stops everything");
            let turned = self.store.stop(&workspace, "root", "an incident").await;
            self.say(format!("root stops everything: {}", turned.is_ok()));
        } else {
            let turned = self.store.start(&workspace, "root", "it is over").await;
            self.say(format!("root lets it go on: {}", turned.is_ok()));
        }
        self.outside.changed.store(true, Ordering::SeqCst);
    }

    /// A worker stands still while its lease runs out and others go on.
    fn somebody_sleeps(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        // Preferably one that is about to act, or whose click is half taken.
        let matters = |task: &Task| {
            let stops = task.booth.stops();
            let acts = |(_, point): &(u64, Point)| {
                matches!(point, Point::Call | Point::Called | Point::Slack(Method::ChatUpdate))
            };
            matches!(task.kind, Kind::Delivery(_) | Kind::Turn(Loop::Executions))
                || stops.iter().any(acts)
        };
        let matter: Vec<usize> =
            (0..self.tasks.len()).filter(|&at| matters(&self.tasks[at])).collect();
        let at = self.chance.below(self.tasks.len());
        let at = self.chance.pick(&matter).filter(|_| self.chance.permille(600)).unwrap_or(at);
        self.tasks[at].asleep = self.step + 120;
        let who = format!("r{} #{} sleeps", self.tasks[at].replica, self.tasks[at].id);
        self.outside.clock.turn_by(31_000);
        self.counts.add(counts::SLEEP);
        self.say(who);
    }

    fn time_passes(&mut self) {
        let most = match self.chance.below(20) {
            0 => 700_000,
            1..3 => 60_000,
            3..6 => 20_000,
            6..12 => 5_000,
            _ => 1_000,
        };
        let millis = self.chance.below(most) + 1;
        self.outside.clock.turn_by(u32::try_from(millis).unwrap());
        self.counts.add("time passes");
        self.say(format!("{millis} ms pass"));
    }

    fn jump(&mut self) {
        let hours = [-3, -2, -1, 1][self.chance.below(4)];
        self.counts.add(if hours < 0 { counts::JUMP_BACK } else { counts::JUMP_AHEAD });
        self.outside.clock.jump_by(hours * 3_600_000 + 1);
        self.say(format!("the clock jumps by {hours} h"));
    }

    async fn crash(&mut self) {
        if self.chance.permille(850) {
            let replica = self.chance.below(REPLICAS);
            self.counts.add(counts::CRASH);
            self.say(format!("r{replica} crashes"));
            return self.lose(replica);
        }
        self.counts.add(counts::CRASH_OF_ALL);
        self.say("everything crashes".to_owned());
        for replica in 0..REPLICAS {
            self.lose(replica);
        }
        self.store.close().await;
        self.store = open(&self.outside).await;
    }
}

pub async fn open(outside: &Outside) -> Store {
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn Ids>) = (outside.clock.clone(), outside.ids.clone());
    Store::open(outside.config.store.as_str(), clock, ids).await.unwrap()
}
