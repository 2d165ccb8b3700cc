//! Where LangGraph's recorded behaviour is a weakness and ours is better on purpose. What happens
//! instead is in `tests/fixtures/langgraph/ours/`, one file for each of these, and is asserted as
//! strictly as the recordings are. A case of this list that goes as recorded fails the test.

/// Case, and what happens instead and why.
pub const QUIRKS: &[(&str, &str)] = &[
    (
        "agent_edit_to_other_tool",
        "An edit into a call of another reviewed tool is refused, and the question stays: it would \
         run without the review of the tool it names.",
    ),
    (
        "agent_wrong_decisions",
        "Decisions that do not fit are not kept for ever: the question can be answered anew.",
    ),
    (
        "answer_given_twice_by_id",
        "An id is spent once its question is answered: the second answer reaches no other \
         question, and the node asks again.",
    ),
    (
        "bad_answer_sticks",
        "After a failure the question can be answered anew: a wrong answer would block the thread.",
    ),
    (
        "command_on_fresh_thread",
        "An answer on a thread that asked nothing is refused: it would run the graph.",
    ),
    (
        "conflict_last_value",
        "Writes that cannot be applied together are refused and not kept: the thread stays \
         readable, and goes on from before them.",
    ),
    (
        "messages_remove",
        "The removal of an unknown message is refused and not kept: the thread stays readable.",
    ),
    (
        "null_input_answers_again",
        "An answer is given once: without a new one the node asks its second question again.",
    ),
    (
        "stray_resume_answers_next_question",
        "An answer to no question goes nowhere: the next question is asked, not answered unseen.",
    ),
];
