//! Wrong graphs are refused when they are built, with the name of what is wrong.

use super::*;

#[test]
fn each_fault_is_refused_by_name() {
    let a = || graph().node("a", logs());
    let ok = || a().edge(START, "a");
    let table: [(GraphBuilder, &str); 17] = [
        (graph(), "graph test has no edge from the start"),
        (a(), "graph test has no edge from the start"),
        (a().edge(START, END), "graph test has no edge from the start"),
        (ok().edge("a", "b"), "an edge from a leads to b, which is not a node"),
        (a().edge(START, "b"), "an edge from __start__ leads to b, which is not a node"),
        (ok().edge("a", START), "an edge from a leads to __start__, which is not a node"),
        (ok().edge("b", "a"), "an edge starts at b, which is not a node"),
        (ok().edge(END, "a"), "an edge starts at __end__, which is not a node"),
        (ok().conditional_edge("b", |_: &State| END), "an edge starts at b, which is not a node"),
        (ok().join(["a", "b"], "a"), "an edge starts at b, which is not a node"),
        (ok().join(["a"], "b"), "an edge from a:b leads to b, which is not a node"),
        (ok().join([""; 0], "a"), "the join into a waits for no node"),
        (ok().interrupt_before(["b"]), "a pause names b, which is not a node"),
        (ok().node("a", logs()), "there are two nodes named a"),
        (ok().key("n", Reducer::Sum), "there are two state keys named n"),
        (
            ok().node(START, logs()),
            "\"__start__\" cannot be the name of a node: the name is reserved",
        ),
        (ok().node("a:b", logs()), "\"a:b\" cannot be the name of a node: it contains | or :"),
    ];
    for (builder, expected) in table {
        let error = builder.build().expect_err(expected);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_definition_hash_tells_definitions_apart_and_nothing_else() {
    let hash = |builder: GraphBuilder| builder.build().expect("it builds").definition_hash();
    let base = || graph().node("a", logs()).node("b", logs()).edge(START, "a").edge("a", "b");
    let same = hash(base());
    assert_eq!(same.len(), 64);
    assert_eq!(hash(base()), same);
    let others = [
        base().version("2"),
        base().key("more", Reducer::Append),
        base().node("c", logs()),
        base().edge("b", "a"),
        base().conditional_edge("b", |_: &State| END),
        base().join(["a", "b"], "a"),
        base().interrupt_before(["b"]),
    ];
    for other in others {
        assert_ne!(hash(other), same);
    }
}
