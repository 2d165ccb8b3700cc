//! A small company to try the desk with.
mod company;
pub use company::{Company, Entry};
