//! Several desks on one Postgres: whatever they do at the same time, one request has one outcome and
//! one execution, and who has lost the work cannot touch it any more.
//!
//! They need a server: `scripts/test` starts one and names it in `COUNTERSIGN_TEST_POSTGRES`.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails its test")]

mod balancer;
mod clocks;
mod doctor;
mod failover;
#[path = "../machine/mod.rs"]
mod machine;
mod office;
mod one_desk_is_cut_off;
mod pair;
mod poolers;
mod processes;
mod race;
mod reckoning;
mod replica;
mod restoring;
mod slacks_pace;
mod split_by_roles;
mod the_database_goes_away;
mod the_paused_owner;
mod traffic;
mod two_definitions;
mod upgrade;
mod what_one_tells_the_other_hears;
