//! A small company to try the desk with: `countersign demo`, and the stories it plays by itself.

mod company;
mod mishaps;
pub mod stories;
mod world;

pub use company::{Company, Entry};
pub use mishaps::Mishap;
pub use world::{API_KEY, SECOND_API_KEY, Setting, World};
