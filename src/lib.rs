//! Countersign: the approval desk for agents and automations that lives in Slack.
//!
//! Each module is a room with one job. From the inside out:
//!
//! - [`base`]: instants, spans, ids, and the ports `Clock` and `Ids`;
//! - [`approval`]: the pure core. What is asked, who may decide, what a decision means;
//! - [`graph`]: the runtime of agents' graphs, after LangGraph's model;
//! - [`agent`]: models, tools, and the agent's loop as a graph;
//! - [`stream`]: what a run tells while it goes on, and how it is shown;
//! - [`config`]: `countersign.yaml`, with every error at its place;
//! - [`store`]: the database. One function is one transaction is one transition;
//! - [`audit`]: the hash chain, its export and its verification;
//! - [`slack`]: signatures, payloads, the Web API, who is who, cards, every text people read;
//! - [`desk`]: what happens when something comes in;
//! - [`work`]: the loops that do what rows ask for;
//! - [`http`] and [`cli`]: the ways in; [`app`] wires them all;
//! - [`sandbox`] and [`demo`]: a stand-in for Slack and a small company, for demo and tests.
//!
//! `docs/ARCHITECTURE.md` walks a message, a click and a timer through the house.

pub mod agent;
pub mod app;
pub mod approval;
pub mod audit;
pub mod base;
pub mod cli;
pub mod config;
pub mod demo;
pub mod desk;
pub mod graph;
pub mod http;
pub mod sandbox;
pub mod slack;
pub mod store;
pub mod stream;
pub mod work;
