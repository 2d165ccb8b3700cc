use std::sync::Mutex;

use super::*;
use crate::base::SystemClock;

const SCRIPT: &str = r#"
    rules:
      - when: { says: 'refund order (?<order>\d+)(?: because (?<why>.+))?' }
        say: I look up order {{ order }} first.
        call: [{ tool: orders.lookup, arguments: '{"order": "{{ order }}"}' }]
      - when: { tool: orders.lookup, status: succeeded, says: 'because (?<why>.+)' }
        say: It is charge {{ result.data.charge }}.
        call:
          - tool: payments.refund
            arguments: '{"charge": "{{ result.data.charge }}", "amount": {{ result.data.amount }}, "reason": "{{ why }}"}'
      - when: { tool: payments.refund, status: rejected }
        say: "It was rejected: {{ result.content }}"
      - when: { says: go in circles }
        call: [{ tool: circle }]
      - when: { tool: circle }
        call: [{ tool: circle }]
    otherwise: Try “refund order 1042”.
"#;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl TokenSink for Heard {
    fn token(&self, text: &str) {
        self.0.lock().expect("nobody panicked").push(text.to_owned());
    }

    fn starts_over(&self) {}
}

/// A conversation with the script: what each side adds.
struct Talk {
    model: ScriptedModel,
    prompt: Prompt,
}

impl Talk {
    fn new() -> Self {
        let model = ScriptedModel::read(SCRIPT, Arc::new(SystemClock)).expect("a good script");
        let instructions = String::new();
        Self { model, prompt: Prompt { instructions, messages: vec![], tools: vec![] } }
    }

    async fn human(&mut self, text: &str) -> Reply {
        self.prompt.messages.push(Message::Human { text: text.to_owned(), name: None });
        self.answer().await
    }

    async fn result(&mut self, call: &ToolCall, status: CallStatus, content: &str) -> Reply {
        let (call_id, tool, content) = (call.id.clone(), call.tool.clone(), content.to_owned());
        self.prompt.messages.push(Message::Tool { call_id, tool, status, content });
        self.answer().await
    }

    async fn answer(&mut self) -> Reply {
        let heard = Heard::default();
        let reply = self.model.answer(&self.prompt, &heard).await.expect("it answers");
        assert_eq!(heard.0.into_inner().expect("nobody panicked").concat(), reply.text);
        let (text, calls) = (reply.text.clone(), reply.calls.clone());
        self.prompt.messages.push(Message::Assistant { text, calls });
        reply
    }
}

#[tokio::test]
async fn a_refund_from_question_to_rejection() {
    let mut talk = Talk::new();
    let lookup = talk.human(r#"Refund order 1042 because it "broke""#).await;
    assert_eq!(lookup.text, "I look up order 1042 first.");
    assert_eq!(lookup.calls[0].arguments, r#"{"order": "1042"}"#);
    let order = r#"{"charge": "ch_7", "amount": 40}"#;
    let refund = talk.result(&lookup.calls[0], CallStatus::Succeeded, order).await;
    let call = ToolCall {
        id: "call_2".to_owned(),
        tool: "payments.refund".to_owned(),
        arguments: r#"{"charge": "ch_7", "amount": 40, "reason": "it \"broke\""}"#.to_owned(),
    };
    assert_eq!((refund.text.as_str(), &refund.calls[..]), ("It is charge ch_7.", &[call][..]));
    let end = talk.result(&refund.calls[0], CallStatus::Rejected, "too much").await;
    assert_eq!((end.text.as_str(), end.stop), ("It was rejected: too much", Stop::Done));
}

#[tokio::test]
async fn without_a_rule_it_says_what_it_is() {
    let mut talk = Talk::new();
    let reply = talk.human("What is love?").await;
    assert!(reply.text.starts_with("I am a scripted stand-in"), "{}", reply.text);
    assert!(reply.text.ends_with("Try “refund order 1042”."), "{}", reply.text);
    let lookup = talk.human("refund order 1").await;
    let reply = talk.result(&lookup.calls[0], CallStatus::Failed, "no such order").await;
    let text = "I am a scripted stand-in for a language model. `orders.lookup` came back: \
                no such order";
    assert_eq!(reply.text, text);
}

#[tokio::test]
async fn it_does_not_go_in_circles_for_ever() {
    let mut talk = Talk::new();
    let mut reply = talk.human("go in circles").await;
    let mut rounds = 0;
    while let Some(call) = reply.calls.first().cloned() {
        reply = talk.result(&call, CallStatus::Succeeded, "").await;
        rounds += 1;
    }
    assert_eq!(rounds, MAX_ANSWERS);
}

#[test]
fn a_script_with_a_mistake_is_refused() {
    for (yaml, why) in [
        ("rules: [{ when: {}, say: x }]", "rule 1 of the script: `when` needs"),
        ("rules: [{ when: { status: succeeded, says: x } }]", "`status` needs a `tool`"),
        ("rules: [{ when: { says: '(' } }]", "rule 1"),
        ("rules: [{ when: { says: x }, say: '{{' }]", "not a template"),
        ("rules: [{ when: { says: x }, answer: y }]", "answer"),
        ("rules: [{ when: { tool: x, status: maybe } }]", "maybe"),
    ] {
        let error = ScriptedModel::read(yaml, Arc::new(SystemClock)).expect_err(yaml).to_string();
        assert!(error.contains(why), "{yaml}: {error}");
    }
}
