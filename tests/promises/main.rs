//! The promises, one file each, told as people and messages: real HTTP, real signatures, a real
//! database, and a clock that the test turns. Every story ends with the same reckoning.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails its test")]

mod caller;
mod log;
mod many_at_once;
mod mcp_server;
mod office;
mod provider;
mod reckoning;

mod a_changed_tool_is_not_run;
mod a_graph_can_only_be_stricter;
mod a_late_hand_is_put_right;
mod a_person_is_forgotten;
mod a_stream_misses_nothing;
mod an_acknowledged_click_is_kept;
mod an_agent_that_stops_says_why;
mod an_older_version_goes_on;
mod another_workspace_sees_nothing;
mod both_databases;
mod cards_are_views;
mod every_request_has_an_owner;
mod forged_requests_do_nothing;
mod langgraphs_modes_over_http;
mod no_secret_leaves;
mod nothing_runs_twice;
mod one_outcome;
mod real_wire_formats;
mod several_calls_in_one_turn;
mod slack_may_fail;
mod slack_may_refuse;
mod the_guarantees;
mod the_reference_patterns_mistakes;
mod the_reference_patterns_streams;
mod the_stop_switch;
mod time_may_lie;
mod what_is_done_is_shown;
mod what_is_old_goes;
mod what_scripts_run;
mod what_was_approved_is_what_ran;
mod who_may_call;
mod who_may_decide;
mod whoever_has_the_log_can_recount;
