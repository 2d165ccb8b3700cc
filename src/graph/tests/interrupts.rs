//! Asking: which questions surface, under which ids, and how answers find them.

use super::*;

fn one_node(node: impl Node + 'static) -> Graph {
    graph().node("a", node).edge(START, "a").build().expect("it builds")
}

#[tokio::test]
async fn a_question_suspends_and_its_answer_goes_on_wherever_it_comes_from() {
    let effects = Effects::default();
    let graph = one_node(asks(&effects, &["sure?"]));
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let id = &asked["sure?"];
    assert_eq!(id.len(), 32);
    assert_eq!(saver.kept().statuses, [TurnStatus::Continues, TurnStatus::Interrupted]);
    assert_eq!(saver.kept().checkpoints.len(), 2, "a suspended superstep makes no checkpoint");
    assert_eq!(open(run(&graph, &saver, "run", Input::Continue).await), asked, "asked again");

    let by_input = reborn(&saver);
    let end = run(&graph, &by_input, "run", resume([(id, json!("yes"))])).await;
    assert_eq!(finished(end), json!(["yes"]));
    let by_record = reborn(&saver);
    assert!(by_record.answer(id, "yes"));
    assert_eq!(finished(run(&graph, &by_record, "run", Input::Continue).await), json!(["yes"]));
    for saver in [by_input, by_record] {
        assert_eq!(saver.kept().consumed, std::slice::from_ref(id));
        assert_eq!(saver.kept().statuses.last(), Some(&TurnStatus::Finished));
    }
    assert_eq!(effects.take(), ["a"; 4], "the node starts from its first line each time");
}

#[tokio::test]
async fn every_json_value_is_an_answer() {
    for answer in [json!(false), json!(0), json!(""), json!([]), json!({}), Value::Null] {
        let graph = one_node(asks(&Effects::default(), &["first?", "second?"]));
        let saver = MemorySaver::default();
        let asked = open(run(&graph, &saver, "run", nothing()).await);
        let input = resume([(&asked["first?"], answer.clone())]);
        let asked = open(run(&graph, &saver, "run", input).await);
        let input = resume([(&asked["second?"], answer.clone())]);
        let end = run(&graph, &reborn(&saver), "run", input).await;
        assert_eq!(finished(end), json!([answer, answer]));
    }
}

#[tokio::test]
async fn questions_asked_at_once_surface_at_once_and_wait_for_all_answers() {
    let many = |ctx: Context, _: State| async move {
        let questions = ["x?", "y?", "z?"].map(Value::from);
        Ok(Update::none().set("log", ctx.interrupt_many(questions.to_vec())?))
    };
    let graph = one_node(many);
    let orders = [["x?", "y?", "z?"], ["z?", "y?", "x?"], ["y?", "z?", "x?"]];
    for order in orders {
        let mut saver = MemorySaver::default();
        let ids = open(run(&graph, &saver, "run", nothing()).await);
        assert_eq!(ids.keys().collect::<Vec<_>>(), ["x?", "y?", "z?"]);
        for answered in 1..=3 {
            let question = order[answered - 1];
            let input = resume([(&ids[question], json!(question.replace('?', "!")))]);
            saver = reborn(&saver);
            let end = run(&graph, &saver, "run", input).await;
            if answered == 3 {
                assert_eq!(finished(end), json!(["x!", "y!", "z!"]), "in {order:?}");
            } else {
                let mut left = ids.clone();
                left.retain(|question, _| !order[..answered].contains(&question.as_str()));
                assert_eq!(open(end), left, "after {answered} in {order:?}");
            }
        }
        let mut consumed = saver.kept().consumed;
        consumed.sort();
        let mut all: Vec<_> = ids.into_values().collect();
        all.sort();
        assert_eq!(consumed, all);
    }
}

#[tokio::test]
async fn questions_one_after_the_other_have_ids_of_their_own() {
    let effects = Effects::default();
    let graph = one_node(asks(&effects, &["first?", "second?"]));
    let saver = MemorySaver::default();
    let first = open(run(&graph, &saver, "run", nothing()).await);
    let answer = resume([(&first["first?"], json!(1))]);
    let second = open(run(&graph, &saver, "run", answer.clone()).await);
    assert_eq!(second.keys().collect::<Vec<_>>(), ["second?"]);
    // The click that was doubled must not answer the next question.
    effects.take();
    let doubled = failure(run(&graph, &saver, "run", answer).await);
    assert_eq!(doubled, format!("no open question has the id {}", first["first?"]));
    assert_eq!(effects.take(), [""; 0]);
    let answer = resume([(&second["second?"], json!(2))]);
    assert_eq!(finished(run(&graph, &saver, "run", answer).await), json!([1, 2]));
    assert_eq!(saver.kept().consumed, [first["first?"].clone(), second["second?"].clone()]);
}

#[tokio::test]
async fn tasks_sent_to_one_node_ask_under_ids_of_their_own() {
    let ask = |ctx: Context, sent: State| async move {
        let answer = ctx.interrupt(sent.get::<Value>("q")?)?;
        Ok(Update::none().set("log", json!([answer])))
    };
    let graph = graph()
        .node("ask", ask)
        .conditional_edge(START, |_: &State| {
            ["x?", "y?"].map(|q| SendTo::new("ask", json!({"q": q}))).to_vec()
        })
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    assert_ne!(asked["x?"], asked["y?"]);
    let answers = resume([(&asked["y?"], json!("y!")), (&asked["x?"], json!("x!"))]);
    assert_eq!(finished(run(&graph, &reborn(&saver), "run", answers).await), json!(["x!", "y!"]));
}

#[tokio::test]
async fn a_node_that_swallows_its_interrupt_is_suspended_all_the_same() {
    let graph = one_node(|ctx: Context, _: State| async move {
        let answer = ctx.interrupt("sure?").unwrap_or(json!("never mind"));
        Ok(Update::none().set("log", json!([answer])))
    });
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let end = run(&graph, &saver, "run", resume([(&asked["sure?"], json!("yes"))])).await;
    assert_eq!(finished(end), json!(["yes"]));
}

#[tokio::test]
async fn an_answer_to_other_words_is_no_answer() {
    let words = Arc::new(Mutex::new("refund 10?"));
    let told = Arc::clone(&words);
    let graph = one_node(move |ctx: Context, _: State| {
        let words = *told.lock().expect("not poisoned");
        async move { Ok(Update::none().set("log", json!([ctx.interrupt(words)?]))) }
    });
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let changed = "node a failed: question 0 of this task is not the one that it asked before";
    *words.lock().expect("not poisoned") = "refund 10000?";
    // Neither while the question is open nor once it is answered may the words change under it.
    assert_eq!(failure(run(&graph, &saver, "run", Input::Continue).await), changed);
    assert!(saver.answer(&asked["refund 10?"], "yes"));
    assert_eq!(failure(run(&graph, &saver, "run", Input::Continue).await), changed);
    assert_eq!(failure(run(&graph, &reborn(&saver), "run", Input::Continue).await), changed);
    *words.lock().expect("not poisoned") = "refund 10?";
    assert_eq!(
        finished(run(&graph, &reborn(&saver), "run", Input::Continue).await),
        json!(["yes"])
    );
}

#[tokio::test]
async fn without_a_saver_a_question_still_surfaces() {
    let graph = one_node(asks(&Effects::default(), &["sure?"]));
    let first = open(run(&graph, &NoSaver, "r1", nothing()).await);
    let second = open(run(&graph, &NoSaver, "r2", nothing()).await);
    assert_ne!(first["sure?"], second["sure?"]);
}
