//! With `async` the run goes on while a commit is under way, and what comes meanwhile shares the
//! next one.

use std::task::Poll;

use tokio::sync::Semaphore;

use super::*;

/// How many turns may wait, and how many share a commit.
const GATHERED: usize = 32;

/// A saver whose commits wait until the test lets them through, one by one.
#[derive(Clone)]
struct Slow {
    kept: MemorySaver,
    gate: Arc<Semaphore>,
    /// The steps of the checkpoints of each commit that was begun.
    commits: Arc<Mutex<Vec<Vec<i64>>>>,
    /// The commit with this number, from zero, fails.
    fails: Option<usize>,
}

impl Slow {
    fn new() -> Self {
        let (kept, gate) = (MemorySaver::default(), Arc::new(Semaphore::new(0)));
        Self { kept, gate, commits: Arc::default(), fails: None }
    }

    fn failing(commit: usize) -> Self {
        Self { fails: Some(commit), ..Self::new() }
    }

    fn commits(&self) -> Vec<Vec<i64>> {
        self.commits.lock().expect("not poisoned").clone()
    }

    fn kept_steps(&self) -> Vec<i64> {
        self.kept.kept().checkpoints.iter().map(|kept| kept.step).collect()
    }
}

impl Saver for Slow {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        self.kept.load(at)
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        self.kept.history(namespace)
    }

    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        let nth = {
            let mut commits = self.commits.lock().expect("not poisoned");
            let made = turns.iter().flat_map(|turn| &turn.checkpoints);
            commits.push(made.map(|checkpoint| checkpoint.step).collect());
            commits.len() - 1
        };
        Box::pin(async move {
            self.gate.acquire().await.expect("it is never closed").forget();
            if self.fails == Some(nth) {
                return Err(SaveError::new("the disk is full"));
            }
            self.kept.save(turns).await
        })
    }
}

type Running<'r> = futures::future::BoxFuture<'r, Result<RunEnd, RunError>>;

fn start<'r>(graph: &'r Graph, saver: &'r Slow, input: Input) -> Running<'r> {
    let options = RunOptions::of_run("run")
        .durability(Durability::Async)
        .supersteps(1_000.try_into().expect("not zero"));
    Box::pin(run_with(graph, saver, input, options))
}

/// Lets the run go as far as it can without a further commit; its end if it comes to one.
async fn as_far_as_it_can(running: &mut Running<'_>) -> Poll<Result<RunEnd, RunError>> {
    for _ in 0..200 {
        if let Poll::Ready(end) = futures::poll!(&mut *running) {
            return Poll::Ready(end);
        }
        tokio::task::yield_now().await;
    }
    Poll::Pending
}

async fn until_it_waits(running: &mut Running<'_>) {
    let end = as_far_as_it_can(running).await;
    assert!(end.is_pending(), "it should wait for a commit: {end:?}");
}

/// Lets commits through one by one, each when the run waits for it.
async fn to_the_end(saver: &Slow, mut running: Running<'_>) -> Result<RunEnd, RunError> {
    for _ in 0..1_000 {
        saver.gate.add_permits(1);
        if let Poll::Ready(end) = as_far_as_it_can(&mut running).await {
            return end;
        }
    }
    panic!("the run does not end");
}

/// A node that notes its name, and logs it.
fn notes(effects: &Effects) -> impl Node + use<> {
    let effects = effects.clone();
    move |ctx: Context, _: State| {
        effects.note(ctx.node());
        std::future::ready(Ok(Update::none().set("log", json!([ctx.node()]))))
    }
}

/// One node that goes round so many times.
fn rounds(effects: &Effects, rounds: i64) -> Graph {
    let node = {
        let effects = effects.clone();
        move |_: Context, state: State| {
            let round: i64 = state.get("n").unwrap_or(0);
            effects.note(round.to_string());
            std::future::ready(Ok(Update::none().set("n", 1).set("log", json!([round]))))
        }
    };
    graph()
        .node("round", node)
        .edge(START, "round")
        .conditional_edge("round", move |state: &State| {
            state.get::<i64>("n").map(|n| if n < rounds { "round" } else { END })
        })
        .build()
        .expect("it builds")
}

/// Notes how a run ends, when that is told.
struct Ends(Effects);

impl EventSink for Ends {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::RunFinished { .. } => self.0.note("finished"),
            Event::Suspended { .. } => self.0.note("suspended"),
            Event::RunFailed { .. } => self.0.note("failed"),
            _ => {}
        }
    }
}

fn log(rounds: i64) -> Value {
    (0..rounds).collect()
}

#[tokio::test]
async fn the_run_goes_on_during_a_commit_and_what_comes_shares_the_next_one() {
    let (saver, effects) = (Slow::new(), Effects::default());
    let graph = graph().node("a", notes(&effects)).node("b", notes(&effects));
    let graph = graph.edge(START, "a").edge("a", "b").build().expect("it builds");
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    assert_eq!(effects.take(), ["a", "b"], "both ran while the input was being saved");
    assert_eq!(saver.kept_steps(), [0; 0]);
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert_eq!(saver.kept_steps(), [-1, 0], "the end is not told before all is saved");
    assert_eq!(finished(to_the_end(&saver, running).await), json!(["a", "b"]));
    assert_eq!(saver.commits(), [vec![-1, 0], vec![1, 2]]);
    assert_eq!(saver.kept_steps(), [-1, 0, 1, 2]);
}

#[tokio::test]
async fn a_run_waits_when_too_much_is_gathered() {
    let (saver, effects) = (Slow::new(), Effects::default());
    let graph = rounds(&effects, 100);
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    assert_eq!(effects.take().len(), GATHERED + 1, "what is gathered, and the one under way");
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert_eq!(effects.take().len(), GATHERED);
    assert_eq!(saver.kept_steps(), [-1, 0], "twice as many are not saved");
    assert_eq!(finished(to_the_end(&saver, running).await), log(100));
    let commits = saver.commits();
    assert!(commits.iter().all(|steps| steps.len() <= GATHERED), "{commits:?}");
    assert_eq!(commits.concat(), (-1..=100).collect::<Vec<_>>(), "in order, each once");
}

#[tokio::test]
async fn a_save_that_fails_ends_the_run_and_nothing_later_is_kept() {
    let (saver, effects) = (Slow::failing(1), Effects::default());
    let graph = rounds(&effects, 100);
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert!(effects.take().len() > GATHERED, "more came during the commit that will fail");
    let failed = failure(to_the_end(&saver, running).await);
    assert_eq!(failed, "the run could not be saved or loaded: the disk is full");
    assert_eq!(saver.kept_steps(), [-1, 0]);
    assert_eq!(saver.commits().len(), 2, "nothing else was tried");
}

#[tokio::test]
async fn a_save_that_fails_ends_the_run_where_it_stands() {
    let saver = Slow::failing(1);
    let never = |_: Context, _: State| std::future::pending::<Result<Update, NodeError>>();
    let graph = graph().node("a", logs()).node("never", never);
    let graph = graph.edge(START, "a").edge("a", "never").build().expect("it builds");
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    saver.gate.add_permits(2);
    let Poll::Ready(end) = futures::poll!(&mut running) else { panic!("it waits for its node") };
    assert_eq!(failure(end), "the run could not be saved or loaded: the disk is full");
}

#[tokio::test]
async fn after_a_crash_the_run_goes_on_from_the_last_checkpoint_that_was_saved() {
    let (saver, effects) = (Slow::new(), Effects::default());
    let graph = rounds(&effects, 100);
    {
        let mut running = start(&graph, &saver, nothing());
        until_it_waits(&mut running).await;
        saver.gate.add_permits(2);
        until_it_waits(&mut running).await;
    }
    let saved = i64::try_from(GATHERED).expect("a small number");
    assert_eq!(saver.kept_steps(), (-1..=saved).collect::<Vec<_>>());
    assert!(effects.take().len() > 2 * GATHERED, "more had run");
    let kept = reborn(&saver.kept);
    let again = Slow { kept, ..Slow::new() };
    let end = to_the_end(&again, start(&graph, &again, nothing())).await;
    assert_eq!(finished(end), log(100));
    let repeated: Vec<_> = (saved..100).map(|round| round.to_string()).collect();
    assert_eq!(effects.take(), repeated, "each that was not saved, and none that was");
    assert_eq!(again.commits()[0][0], saved + 1);
}

#[tokio::test]
async fn a_question_is_told_when_everything_before_it_is_saved() {
    let (saver, effects) = (Slow::new(), Effects::default());
    let graph = graph().node("a", notes(&effects)).node("ask", asks(&effects, &["sure?"]));
    let graph = graph.edge(START, "a").edge("a", "ask").build().expect("it builds");
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert_eq!(effects.take(), ["a", "ask"], "it has asked, and is not heard yet");
    let asked = open(to_the_end(&saver, running).await);
    assert_eq!(saver.kept.kept().statuses.last(), Some(&TurnStatus::Interrupted));
    let again = Slow { kept: reborn(&saver.kept), ..Slow::new() };
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    let end = to_the_end(&again, start(&graph, &again, answer)).await;
    assert_eq!(finished(end), json!(["a", "yes"]));
}

#[tokio::test]
async fn how_a_run_ends_is_told_once_and_when_everything_is_saved() {
    let asks_nothing = || graph().node("a", logs()).edge(START, "a");
    let asking = graph().node("a", asks(&Effects::default(), &["sure?"])).edge(START, "a");
    for (graph, saver, ends) in [
        (asks_nothing(), Slow::new(), "finished"),
        (asking, Slow::new(), "suspended"),
        (asks_nothing(), Slow::failing(1), "failed"),
    ] {
        let (graph, told) = (graph.build().expect("it builds"), Effects::default());
        let options = RunOptions::of_run("run").durability(Durability::Async);
        let (kept, events) = (Arc::new(saver.clone()), Arc::new(Ends(told.clone())));
        let mut running: Running<'_> = Box::pin(graph.run(nothing(), kept, events, options));
        until_it_waits(&mut running).await;
        saver.gate.add_permits(1);
        until_it_waits(&mut running).await;
        assert_eq!(told.take(), [""; 0], "{ends}");
        let end = to_the_end(&saver, running).await;
        assert_eq!(told.take(), [ends], "{end:?}");
    }
}

#[tokio::test]
async fn a_step_is_saved_before_its_result_is_used_and_after_what_came_before_it() {
    let (saver, effects) = (Slow::new(), Effects::default());
    let node = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            let effects = effects.clone();
            async move {
                let said: String = ctx.step("model", async || Ok("words".to_owned())).await?;
                effects.note(said.clone());
                Ok(Update::none().set("log", json!([said])))
            }
        }
    };
    let graph = graph().node("a", logs()).node("b", node);
    let graph = graph.edge(START, "a").edge("a", "b").build().expect("it builds");
    let mut running = start(&graph, &saver, nothing());
    until_it_waits(&mut running).await;
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert_eq!(effects.take(), [""; 0], "the step's commit is under way");
    saver.gate.add_permits(1);
    until_it_waits(&mut running).await;
    assert_eq!(effects.take(), ["words"]);
    let kept = saver.kept.kept();
    let latest = kept.latest("").expect("there is one");
    assert_eq!((latest.step, kept.tasks[&latest.id].len()), (1, 1), "it hangs where it belongs");
}

#[tokio::test]
async fn a_graph_within_finds_what_it_did_before_although_its_commit_was_under_way() {
    let within = || {
        let within = graph().memory(Memory::Own).node("w", logs()).edge(START, "w");
        Arc::new(within.output_keys(["n"]).build().expect("it builds"))
    };
    let graph = graph()
        .node("a", writes(Update::none().set("n", 1)))
        .subgraph("within", within())
        .edge(START, "a")
        .edge("a", "within")
        .conditional_edge("within", |state: &State| {
            state.get::<i64>("n").map(|n| if n < 10 { "a" } else { END })
        })
        .build()
        .expect("it builds");
    let saver = Slow::new();
    let end = to_the_end(&saver, start(&graph, &saver, nothing())).await;
    assert!(matches!(end, Ok(RunEnd::Finished { .. })), "{end:?}");
    let sync = MemorySaver::default();
    run(&graph, &sync, "run", nothing()).await.expect("it ends");
    let ids = |kept: Kept| kept.checkpoints.into_iter().map(|c| (c.id, c.values));
    let (slow, sync) = (ids(saver.kept.kept()), ids(sync.kept()));
    assert_eq!(slow.collect::<Vec<_>>(), sync.collect::<Vec<_>>());
}
