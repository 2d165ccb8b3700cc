//! Everything that knows Slack: who really sent a request, what it says, who the person is, and
//! how to answer.
//!
//! The way in is [`signature`] (raw bytes become a verified body) and then [`inbound`] (a
//! verified body becomes one typed value). The way out is [`client`], the Slack port with its
//! typed calls and errors, paced by [`pacing`]. [`directory`] says who a person is right now,
//! and [`doctor`] finds what is wrong with an installation before its users do. [`card`],
//! [`modal`], [`home`] and [`texts`] are what people see; they are pure.

pub mod card;
pub mod client;
pub mod directory;
pub mod doctor;
pub mod escape;
pub mod home;
pub mod inbound;
pub mod modal;
pub mod pacing;
pub mod signature;
pub mod texts;
