//! A run that is killed goes on from what was saved, and repeats no more than what was not.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A saver whose process dies instead of the save with this number (from zero).
#[derive(Clone)]
struct DiesAt {
    kept: MemorySaver,
    save: usize,
    saves: Arc<AtomicUsize>,
}

impl DiesAt {
    fn new(kept: &MemorySaver, save: usize) -> Self {
        Self { kept: kept.clone(), save, saves: Arc::default() }
    }
}

impl Saver for DiesAt {
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
        if self.saves.fetch_add(1, Ordering::Relaxed) == self.save {
            return Box::pin(std::future::ready(Err(SaveError::new("killed"))));
        }
        self.kept.save(turns)
    }
}

#[tokio::test]
async fn killed_at_any_save_a_run_repeats_only_the_superstep_that_was_not_saved() {
    let effects = Effects::default();
    let notes = || {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            std::future::ready(Ok(Update::none().set("log", json!([ctx.node()]))))
        }
    };
    let graph = graph()
        .node("a", notes())
        .node("b", notes())
        .node("c", notes())
        .node("ask", asks(&effects, &["sure?"]))
        .node("end", notes())
        .edge(START, "a")
        .edge("a", "b")
        .edge("a", "c")
        .edge("b", "ask")
        .join(["c", "ask"], "end")
        .build()
        .expect("it builds");
    // Saves: the input, a, b with c, the question; then ask, end.
    let repeated: [&[&str]; 6] = [&[], &["a"], &["b", "c"], &["ask"], &["ask"], &["end"]];
    for (save, repeated) in repeated.into_iter().enumerate() {
        let mut kept = MemorySaver::default();
        let mut end = {
            let dies = DiesAt::new(&kept, save);
            run(&graph, &dies, "run", nothing()).await
        };
        if save < 4 {
            assert_eq!(failure(end), "the run could not be saved or loaded: killed");
            kept = reborn(&kept);
            end = run(&graph, &kept, "run", nothing()).await;
        }
        let asked = open(end);
        assert!(kept.answer(&asked["sure?"], "yes"));
        let dies = DiesAt::new(&kept, save.wrapping_sub(4));
        let mut end = run(&graph, &dies, "run", Input::Continue).await;
        if save >= 4 {
            assert_eq!(failure(end), "the run could not be saved or loaded: killed");
            kept = reborn(&kept);
            end = run(&graph, &kept, "run", Input::Continue).await;
        }
        assert_eq!(finished(end), json!(["a", "b", "c", "yes", "end"]), "killed at {save}");
        let mut ran = effects.take();
        for node in ["a", "b", "c", "ask", "ask", "end"].iter().chain(repeated) {
            let place = ran.iter().position(|name| name == node);
            ran.remove(place.unwrap_or_else(|| panic!("{node} did not run, killed at {save}")));
        }
        assert_eq!(ran, [""; 0], "ran too often when killed at {save}");
        assert_eq!(kept.kept().consumed, [asked["sure?"].clone()]);
    }
}

#[tokio::test]
async fn dropping_the_run_drops_its_nodes_and_leaves_the_thread_to_go_on() {
    struct Running(Effects);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.note("stopped");
        }
    }
    let effects = Effects::default();
    let stuck = Arc::new(Mutex::new(true));
    let node = {
        let (effects, stuck) = (effects.clone(), Arc::clone(&stuck));
        move |ctx: Context, _: State| {
            let running = Running(effects.clone());
            let stuck = *stuck.lock().expect("not poisoned");
            async move {
                running.0.note("started");
                if stuck {
                    std::future::pending::<()>().await;
                }
                Ok(Update::none().set("log", json!([ctx.node()])))
            }
        }
    };
    let graph = graph()
        .node("a", node.clone())
        .node("b", node)
        .edge(START, "a")
        .edge(START, "b")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    {
        let mut cancelled = Box::pin(run(&graph, &saver, "run", nothing()));
        assert!(futures::poll!(&mut cancelled).is_pending());
        assert_eq!(effects.take(), ["started", "started"], "both run side by side");
    }
    assert_eq!(effects.take(), ["stopped", "stopped"]);
    *stuck.lock().expect("not poisoned") = false;
    assert_eq!(finished(run(&graph, &saver, "run", Input::Continue).await), json!(["a", "b"]));
}
