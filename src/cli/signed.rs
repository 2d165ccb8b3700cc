//! Who stands for what an operator does, and why.

use clap::Args;

use super::words;

#[derive(Debug, Args)]
pub(super) struct Signed {
    /// Why, or how you know: people are told, and the audit log keeps it.
    #[arg(long, value_parser = words::reason)]
    pub(super) reason: String,

    /// Who stands for it, for the people who are told and for the audit log.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator", value_parser = words::name)]
    pub(super) by: String,
}

/// Where it must be a person: others act on what they say they saw.
#[derive(Debug, Args)]
pub(super) struct SignedByName {
    /// Why, or how you know: people are told, and the audit log keeps it.
    #[arg(long, value_parser = words::reason)]
    pub(super) reason: String,

    /// Your name: you stand for it, for the people who are told and for the audit log.
    #[arg(long, value_name = "NAME", env = "USER", value_parser = words::name)]
    pub(super) by: String,
}
