//! Runs the real binary, with nothing of this machine in its environment.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Everything a person reads, for snapshots.
    pub fn shown(&self) -> String {
        let Self { code, out, err } = self;
        let part = |name: &str, text: &str| match text.trim_end() {
            "" => String::new(),
            text => format!("--- {name}\n{text}\n"),
        };
        format!("{}{}--- exit {code}\n", part("stdout", out), part("stderr", err))
    }

    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// The binary in a folder, ready to be started.
pub fn countersign(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("USER", "otto")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub async fn run(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let Output { status, stdout, stderr } =
        countersign(folder, args, env).output().await.expect("the binary starts");
    Ran {
        code: status.code().expect("it ends by itself"),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
    }
}
