//! Countersign: the approval desk for agents and automations that lives in Slack.

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
pub mod work;
