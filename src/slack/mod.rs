//! (being built)

pub mod card;
pub mod escape;
pub mod home;
pub mod modal;
pub mod texts;
