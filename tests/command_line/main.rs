//! The command line as an operator meets it: the real binary, what it prints and how it ends.

mod bench;
mod check;
mod deeds;
mod doctor;
mod erasing;
mod evidence;
mod graphs;
mod help;
mod preview;
mod program;
mod put_back;
mod readable;
mod requests;
mod restoring;
mod retention;
mod serve;
mod settling;
mod switch;
mod tampering;
