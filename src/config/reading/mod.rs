//! How any section is read: places in the file, complaints about them, secrets, and the small forms
//! values are written in.

mod mask;
mod position;
mod problem;
mod reader;
mod secret;
mod shape;
mod spelling;
mod yaml;

pub use position::{Located, Position};
pub use problem::{ConfigErrors, Problem, Source};

pub(super) use mask::is_secret_key;
pub(super) use position::values;
pub(super) use reader::{Complained, Reader, is_this_machine};
pub(super) use secret::{Written, variable_name};
pub(super) use shape::{Length, Named, OneOrMany};
pub(super) use spelling::meant;
pub(super) use yaml::parse;
