//! A stand-in for Slack: the Web API over the wire, really signed deliveries, a page, a clock.
//!
//! Real Slack cannot be reached from a test or a fresh laptop, so the box contains this. It speaks
//! Slack's protocol over loopback HTTP with the limits and errors of the platform, and keeps a
//! journal of all that passed. The bot does not know the difference. Imports only [`crate::base`].

mod api;
mod blocks;
mod cast;
mod deliver;
mod driver;
mod faults;
mod page_routes;
mod people;
mod presses;
mod readable;
mod server;
mod workspace;

pub use cast::{Cast, Channel, Kind, Person};
pub use driver::{Clicked, Dialog, Driver, MessageRef, MessageView, Sent};
pub use faults::{Fault, Outage};
pub use server::{Pace, Sandbox, SandboxHandle, SandboxSettings};
pub use workspace::Passed;
