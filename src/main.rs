//! The command line, nothing else.

use std::process::ExitCode;

use clap::Parser;
use countersign::cli::{self, Cli};

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
