//! What people see of a card in each state, and the promises every card keeps.

mod attacks;
mod limits;
mod promises;
mod snapshots;
