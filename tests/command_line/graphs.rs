//! `check` and graphs: what is drawn, and what is refused.

use crate::bench::{ENV, demo_configuration};
use crate::program::{Ran, run};

const GRAPH: &str = include_str!("../fixtures/graphs/careful-refund.yaml");

const AGENTS: &str = "agents:
  drafter: { model: stand-in, instructions: Find the order. }
  checker: { model: stand-in, instructions: Object to what is wrong. }
";

/// The demo's configuration with two agents and a graph, in which one text is replaced.
async fn checked(old: &str, new: &str, args: &[&str]) -> Ran {
    assert!(GRAPH.contains(old), "the graph has no `{old}`");
    with(&GRAPH.replacen(old, new, 1), AGENTS, args).await
}

async fn with(graph: &str, agents: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let text = demo_configuration("http://127.0.0.1:9");
    let text = text.replacen("agents:\n", &format!("{graph}{agents}"), 1);
    std::fs::write(folder.path().join("countersign.yaml"), text).expect("writable");
    run(folder.path(), args, &ENV).await
}

#[tokio::test]
async fn a_graph_is_drawn() {
    let ran = checked("", "", &["check"]).await;
    let good = "countersign.yaml is good: 4 tools, 5 rules, 3 agents, 4 groups, 1 graph.\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, good, ""));
    let ran = checked("", "", &["check", "--mermaid"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("check_mermaid", ran.out);
}

#[tokio::test]
async fn there_may_be_nothing_to_draw() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = demo_configuration("http://127.0.0.1:9");
    std::fs::write(folder.path().join("countersign.yaml"), text).expect("writable");
    let ran = run(folder.path(), &["check", "--mermaid"], &ENV).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.starts_with("there is nothing to draw"), "{}", ran.err);
}

/// A text of the graph, what stands there instead, and what is said: the words under the carets,
/// the sentence and its mend.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    // Gates that can be walked around.
    (
        "then: sign-off }",
        "then: refund }",
        "refund",
        "`refund` can be reached without its approval in the graph `careful-refund`: \
         start → drafter → on-it → look-up → checker → is-it-sound → refund; lead there by `sign-off`",
    ),
    (
        "otherwise: refused",
        "otherwise: refund",
        "refund",
        "`refund` can be reached without its approval in the graph `careful-refund`: start → \
         drafter → on-it → look-up → checker → is-it-sound → sign-off → refund; lead there by `sign-off`",
    ),
    (
        "otherwise: failed",
        "otherwise: refund",
        "refund",
        "`refund` can be reached without its approval in the graph `careful-refund`: \
         refund → refund; lead there by `sign-off`",
    ),
    // Ways that lead nowhere.
    (
        "then: sign-off }",
        "then: objection }",
        "sign-off",
        "nothing leads to `sign-off` in the graph `careful-refund`; lead another node to it, or \
         remove it",
    ),
    (
        "did not go through: {{ state.refund.status }}.\"\n        then: end",
        "did not go through.\"\n        then: failed",
        "failed",
        "there is no way from `failed` to the end in the graph `careful-refund`; lead it, or a \
         node after it, to `end`",
    ),
    (
        "\"I ask nobody for this refund: {{ state.verdict }}\"\n        then: end",
        "\"I ask nobody.\"\n        then: is-it-sound",
        "is-it-sound",
        "nothing on the round is-it-sound → objection → is-it-sound waits for an agent, a tool or \
         a person in the graph `careful-refund`; lead one of its nodes out of it",
    ),
    // Names that stand for nothing.
    (
        "then: look-up",
        "then: lookup",
        "lookup",
        "there is no node called `lookup` in the graph `careful-refund`; did you mean `look-up`?",
    ),
    (
        "agent: checker",
        "agent: cheker",
        "cheker",
        "there is no agent called `cheker`; did you mean `checker`?",
    ),
    (
        "tool: payments.refund",
        "tool: payments.refunds",
        "payments.refunds",
        "there is no tool called `payments.refunds`; did you mean `payments.refund`?",
    ),
    (
        "into: verdict",
        "into: verdikt",
        "verdikt",
        "there is no state key called `verdikt` in the graph `careful-refund`; did you mean \
         `verdict`?",
    ),
    (
        "message: \"I could not find the order {{ state.order }}.\"",
        "graph: other",
        "other",
        "there is no graph called `other`; add it under `graphs`, or name one that is there",
    ),
    (
        "message: \"I could not find the order {{ state.order }}.\"",
        "graph: careful-refund",
        "careful-refund",
        "the graph `careful-refund` runs itself: careful-refund → careful-refund; lead it back to \
         an earlier node instead",
    ),
    (
        "approval: refund",
        "approval: drafter",
        "drafter",
        "`drafter` calls no tool, so there is nothing to approve; name a `tool` node: people \
         approve exactly its call",
    ),
    // Expressions and templates that can never be worked out.
    (
        "state.verdict.startsWith(\"OK\")",
        "state.verdict > 3",
        "'state.verdict > 3'",
        "the condition cannot be judged, because a text and a number can never be put in order; \
         mend it, or write to the key it needs",
    ),
    (
        "state.verdict.startsWith(\"OK\")",
        "state.found.status == \"suceeded\"",
        "'state.found.status == \"suceeded\"'",
        "the condition cannot be judged, because it compares `state.found.status` with \
         \"suceeded\", which it can never be; it is one of \"succeeded\", \"failed\", \"unknown\", \
         \"invalid\", \"denied\", \"rejected\", \"expired\", \"cancelled\", \"superseded\", \
         \"not_started\", \"over_budget\", \"unsettled\"; mend it, or write to the key it needs",
    ),
    (
        "state.verdict.startsWith(\"OK\")",
        "verdict == \"OK\"",
        "'verdict == \"OK\"'",
        "the expression cannot be used: it names `verdict`, which does not exist; use input or \
         state",
    ),
    (
        "Answer with its number alone. {{ input }}",
        "{{ inputs }}",
        "\"Which order is this about? {{ inputs }}\"",
        "the template names `inputs`, but knows only `input` and `state.…`; write values like \
         `{{ state.name }}`",
    ),
    (
        "not find the order {{ state.order }}",
        "not find the order {{ state.oder }}",
        "\"I could not find the order {{ state.oder }}.\"",
        "the template names `state.oder`, which does not exist; there is `decision`, `found`, \
         `order`, `refund`, `verdict`",
    ),
    // Calls that their tool would refuse, and approvals nobody could give.
    (
        "arguments: { order: \"{{ state.order }}\" }",
        "arguments: { oder: \"{{ state.order }}\" }",
        "{",
        "`orders.lookup` has no argument called `oder`; name one of `order`",
    ),
    (
        "          charge: \"{{ state.found.data.charge }}\"\n",
        "",
        "amount",
        "`payments.refund` needs the argument `charge`; add `charge:` under `arguments`",
    ),
    (
        "        ask:\n          path:\n            - { approvers: finance, in: approvals, within: 30m }\n",
        "",
        "sign-off",
        "where the policy lets `payments.refund` pass, nobody is named who could approve it; add \
         `ask: { path: … }`, as in a policy",
    ),
    (
        "approvers: finance, in: approvals, within: 30m",
        "approvers: finanz, in: approvals, within: 30m",
        "finanz",
        "there is no group called `finanz`; did you mean `finance`?",
    ),
    // Nodes that are not written as one.
    (
        "        approval: refund\n",
        "        approval: refund\n        then: refund\n",
        "refund",
        "`then` means nothing to a node of the kind `approval`; remove it",
    ),
    (
        "        approval: refund\n",
        "        approval: refund\n        tool: payments.refund\n",
        "sign-off",
        "the node `sign-off` must be of exactly one kind; write one of `agent`, `tool`, \
         `approval`, `http`, `set`, `branch`, `graph` and `message`",
    ),
    (
        "\"I could not find the order {{ state.order }}.\"\n        then: end",
        "\"I could not find it.\"",
        "not-found",
        "the node does not say what comes after it; add `then:` with the next node, or `then: end`",
    ),
    (
        "        otherwise: not-found\n",
        "",
        "look-up",
        "the node does not say what happens if it fails; add `otherwise:` with a node, or \
         `otherwise: end`",
    ),
    (
        "      look-up:\n        tool: orders.lookup",
        "      look-up:\n        http: { method: POST, url: \"https://orders.example.com/{{ args.order }}\" }",
        "{",
        "an `http` node only reads; write `method: GET`, or make it a tool and use a `tool` node",
    ),
    (
        "{ order: last,",
        "{ order: latest,",
        "latest",
        "`latest` is not known here; write one of `last`, `append`, `sum`, `merge`",
    ),
    (
        "start: drafter",
        "start: end",
        "end",
        "the graph `careful-refund` begins with its end; write `start:` with the node it begins \
         with",
    ),
    ("into: order", "in_to: order", "in_to", "unknown key `in_to`; did you mean `into`?"),
];

#[tokio::test]
async fn what_cannot_work_is_refused_with_its_place_and_mend() {
    let mut wrong = Vec::new();
    for (old, new, at, said) in BROKEN {
        let ran = checked(old, new, &["check"]).await;
        let mut problems = ran.err.split("\n\n");
        let told = problems.any(|one| one.contains(said) && pointed_at(one) == *at);
        if (ran.code, ran.out.as_str(), told) != (1, "", true) {
            wrong.push(format!("{new}\nshould be told at {at}\n{said}\nbut\n{}", ran.shown()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What stands above the carets.
fn pointed_at(problem: &str) -> String {
    let mut lines = problem.lines().rev().filter(|line| !line.trim().is_empty());
    let (carets, line) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let from = carets.find('^').unwrap_or(0);
    let length = carets.matches('^').count();
    line.chars().skip(from).take(length).collect()
}

#[tokio::test]
async fn an_http_node_is_a_tool_that_the_policy_rules_on() {
    let http = "      look-up:\n        http:\n          method: GET\n          \
                url: \"https://orders.example.com/{{ args.order }}\"";
    let ran = checked("      look-up:\n        tool: orders.lookup", http, &["check"]).await;
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(ran.out.contains("5 tools"), "{}", ran.out);
    let preview = ["preview", "careful-refund.look-up", "{\"order\": \"1\"}"];
    let ran = checked("      look-up:\n        tool: orders.lookup", http, &preview).await;
    assert!(ran.all().contains("no agent has the tool"), "{}", ran.all());
}

#[tokio::test]
async fn an_agent_that_follows_a_graph_has_nothing_else() {
    let table = [
        ("refunds: { graph: careful-refund }", ""),
        (
            "refunds: { graph: carefull-refund }",
            "there is no graph called `carefull-refund`; did you mean `careful-refund`?",
        ),
        (
            "refunds: { graph: careful-refund, model: stand-in }",
            "`model` means nothing to an agent that follows a graph; remove it; the agents in the \
             graph have their own",
        ),
        (
            "refunds: { graph: careful-refund, tools: [payments.refund] }",
            "`tools` means nothing to an agent that follows a graph",
        ),
        (
            "refunds: { model: stand-in }",
            "`instructions` is missing in the agent `refunds`; add `instructions: …`, or let it \
             follow a graph: `graph: …`",
        ),
    ];
    for (agent, said) in table {
        let ran = with(GRAPH, &format!("{AGENTS}  {agent}\n"), &["check"]).await;
        assert_eq!(ran.code == 0, said.is_empty(), "{agent}: {}", ran.shown());
        assert!(ran.err.contains(said), "{agent}: {}", ran.shown());
    }
    let asks_itself = AGENTS.replacen(
        "{ model: stand-in, instructions: Find the order. }",
        "{ graph: careful-refund }",
        1,
    );
    let ran = with(GRAPH, &asks_itself, &["check"]).await;
    let said = "the agent `drafter` follows a graph itself; write `graph: careful-refund`";
    assert!(ran.err.contains(said), "{}", ran.shown());
}
