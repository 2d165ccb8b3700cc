//! What people see of a card in each state, and the promises every card keeps.

mod attacks;
mod dialogs;
mod every_state;
mod limits;
mod promises;
mod snapshots;
mod status_lines;
