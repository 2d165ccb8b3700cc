//! A program as a tool: started without a shell, in an environment that holds nothing but what the
//! configuration lists, and killed together with its children.
//!
//! Exit code 0 is success. Any other ending leaves the outcome unknown, because a program that
//! failed half way may have done half of its work; only codes listed under `fails_cleanly` say
//! that nothing was changed (and, in a probe, that it did not happen).
//!
//! If the desk itself is killed with SIGKILL the program lives on (asking the kernel for more takes
//! `unsafe`). Its execution has been written as started by then, and is settled by its retry class.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::target::{Ending, Values};
use crate::agent::process::{Group, quoted};
use crate::agent::template::{Place, Template};
use crate::agent::text::{Whole, capped, from_bytes, without_secrets};
use crate::agent::{CommandSpec, EnvironmentValue};

/// The environment variable that holds the idempotency key.
const KEY: &str = "COUNTERSIGN_KEY";

/// How long to read on after the program has ended: a child that left its process group may hold
/// the pipe open for ever.
const READ_ON: Duration = Duration::from_millis(500);

/// How much of an error is told, in bytes.
const MAX_REASON: usize = 2 * 1024;

/// A program whose templates are parsed.
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<Argument>,
    spec: CommandSpec,
}

struct Argument {
    template: Template,
    /// The template itself starts with a dash.
    is_option: bool,
}

impl Program {
    pub(super) fn new(spec: &CommandSpec) -> Result<Self, String> {
        let (path, arguments) = spec.argv.split_first().ok_or("`argv` names no program")?;
        if !Path::new(path).is_absolute() || path.contains(['{', '}']) {
            return Err("`argv` must start with the absolute path of a program".to_owned());
        }
        if spec.cwd.as_ref().is_some_and(|cwd| cwd.to_str().is_none()) {
            return Err("`cwd` is not UTF-8".to_owned());
        }
        let read = |source: &String| {
            let is_option = source.starts_with('-');
            Ok(Argument { template: Template::parse(source, Place::Text)?, is_option })
        };
        let arguments = arguments.iter().map(read).collect::<Result<_, String>>()?;
        Ok(Self { path: path.into(), arguments, spec: spec.clone() })
    }

    pub(super) fn place(&self, values: &Values) -> Result<String, String> {
        let program = std::iter::once(self.path.to_string_lossy().into_owned());
        let argv: Vec<_> = program.chain(self.fill(values)?).map(|word| quoted(&word)).collect();
        Ok(argv.join(" "))
    }

    pub(super) fn credential_name(&self) -> Option<&str> {
        self.spec.credential.as_deref()
    }

    pub(super) fn cwd(&self) -> Option<String> {
        self.spec.cwd.as_ref().map(|cwd| cwd.to_string_lossy().into_owned())
    }

    pub(super) fn environment(&self) -> Vec<String> {
        let names = self.spec.environment.keys().cloned();
        names.chain([KEY.to_owned()]).collect()
    }

    pub(super) async fn exchange(&self, values: &Values, key: &str) -> Ending {
        let started = self.fill(values).and_then(|arguments| self.start(arguments, key));
        let mut running = match started {
            Ok(running) => running,
            Err(why) => return Ending::Refusal { why },
        };
        let ended = running.end(self.spec.timeout.to_std()).await;
        let output = self.told(&running.output);
        let errors = self.told(&running.errors);
        match ended {
            Ok(Some(status)) => self.ending_of(status, output, &errors),
            Ok(None) => {
                let why = format!("it did not end within {} and was killed", self.spec.timeout);
                Ending::Lost { why }
            }
            Err(error) => Ending::Lost { why: format!("it cannot be watched: {error}") },
        }
    }

    /// Every template fills exactly one element, whatever it renders to.
    fn fill(&self, values: &Values) -> Result<Vec<String>, String> {
        let fill = |(at, argument): (usize, &Argument)| {
            let refuse = |why: &str| format!("argv[{}]: {why}", at + 1);
            let word = argument.template.fill(&values.0).map_err(|why| refuse(&why))?;
            if word.contains('\0') {
                return Err(refuse("a value holds a NUL"));
            }
            // Without this a value could turn into an option: `--force`, `-rf`.
            if word.starts_with('-') && !argument.is_option && word.parse::<f64>().is_err() {
                return Err(refuse("a value must not start with a dash"));
            }
            Ok(word)
        };
        self.arguments.iter().enumerate().map(fill).collect()
    }

    fn start(&self, arguments: Vec<String>, key: &str) -> Result<Running, String> {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear();
        for (name, value) in &self.spec.environment {
            match value {
                EnvironmentValue::Plain(value) => command.env(name, value),
                EnvironmentValue::Secret(value) => command.env(name, value.expose_secret()),
            };
        }
        if let Some(cwd) = &self.spec.cwd {
            command.current_dir(cwd);
        }
        let child = command
            .env(KEY, key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the program could not be started: {error}"))?;
        let output = Capture::new(self.spec.max_output);
        Ok(Running { group: Group::of(&child), child, errors: output.clone(), output })
    }

    fn ending_of(&self, status: ExitStatus, output: String, errors: &str) -> Ending {
        let reason = match errors.trim() {
            "" => status.to_string(),
            errors => format!("{status}: {}", capped(errors, MAX_REASON)),
        };
        match status.code().map(u8::try_from) {
            Some(Ok(0)) if errors.is_empty() => Ending::Success { content: output },
            Some(Ok(0)) => Ending::Success { content: format!("{output}\n[stderr]\n{errors}") },
            Some(Ok(code)) if self.spec.fails_cleanly.contains(&code) => {
                Ending::Absent { why: reason }
            }
            Some(_) | None => Ending::Lost { why: reason },
        }
    }

    fn told(&self, capture: &Capture) -> String {
        if capture.bytes.is_empty() {
            return String::new();
        }
        without_secrets(from_bytes(&capture.bytes, capture.whole), self.secrets())
    }

    fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.spec.environment.values().filter_map(|value| match value {
            EnvironmentValue::Plain(_) => None,
            EnvironmentValue::Secret(secret) => Some(secret),
        })
    }
}

/// A program that was started. Dropping it kills the whole group.
struct Running {
    child: Child,
    group: Group,
    output: Capture,
    errors: Capture,
}

impl Running {
    /// Waits for the end; `None` when it took too long. What is left of the group is killed either
    /// way.
    async fn end(&mut self, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
        let (output, errors) = (self.child.stdout.take(), self.child.stderr.take());
        let mut reading = pin!(async {
            futures::future::join(self.output.read(output), self.errors.read(errors)).await;
        });
        let mut is_reading = true;
        let waiting = async {
            loop {
                tokio::select! {
                    status = self.child.wait() => break status,
                    () = &mut reading, if is_reading => is_reading = false,
                }
            }
        };
        let ended = tokio::time::timeout(timeout, waiting).await;
        self.group.kill();
        if is_reading {
            // What does not come in time is lost; the captures say so.
            let _ = tokio::time::timeout(READ_ON, reading).await;
        }
        match ended {
            Ok(status) => status.map(Some),
            Err(_) => self.child.wait().await.map(|_| None),
        }
    }
}

/// What a program wrote to one stream.
#[derive(Clone)]
struct Capture {
    bytes: Vec<u8>,
    limit: usize,
    whole: Whole,
}

impl Capture {
    fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { bytes: Vec::new(), limit, whole: Whole::BrokenOff }
    }

    /// Keeps what fits and reads on past it, so that the program does not wait for us.
    async fn read(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut whole = Whole::Yes;
        let mut buffer = [0; 8 * 1024];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => break,
                Ok(length) => {
                    let fits = length.min(self.limit - self.bytes.len());
                    self.bytes.extend_from_slice(&buffer[..fits]);
                    if fits < length {
                        whole = Whole::CutOff;
                        self.whole = whole;
                    }
                }
                Err(_) => return,
            }
        }
        self.whole = whole;
    }
}
