//! The command line, nothing else.

use std::process::ExitCode;

use clap::Parser;
use countersign::cli::{self, Cli};

/// A message becomes a card by way of many small texts; the system's allocator spends a fifth of the
/// processor on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            if let Some(words) = cli::last_words(&error) {
                eprintln!("countersign: {words}");
            }
            ExitCode::FAILURE
        }
    }
}
