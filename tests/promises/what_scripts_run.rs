//! Which of the tests that are marked `#[ignore]` are run all the same, by `scripts/test` or by a script
//! that it calls.

use std::path::Path;

/// One command of a script: a suite, and which of its tests that are ignored otherwise.
struct Order {
    suite: String,
    names: Vec<String>,
    skipped: Vec<String>,
}

pub struct Orders(Vec<Order>);

impl Orders {
    /// Everything that a script has tested.
    pub fn of(root: &Path, script: &str) -> Self {
        let text = std::fs::read_to_string(root.join(script)).unwrap();
        let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let code = code.join("\n").replace("\\\n", " ");
        let commands = code.split(['\n', '"']).flat_map(|line| line.split("&&"));
        let mut orders: Vec<Order> = commands.filter_map(order).collect();
        let called = code.split_whitespace().filter(|word| word.starts_with("scripts/"));
        for script in called.filter(|word| *word != script && root.join(word).is_file()) {
            orders.extend(Self::of(root, script).0);
        }
        Self(orders)
    }

    /// Whether one of them runs a test of this file, named from the root.
    pub fn run(&self, file: &Path, test: &str) -> bool {
        let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
        let (suite, modules) = match parts.as_slice() {
            ["src", modules @ ..] => ("--lib", modules),
            ["tests", suite, modules @ ..] => (*suite, modules),
            other => panic!("tests are not kept in {other:?}"),
        };
        let modules = modules.iter().map(|part| part.trim_end_matches(".rs"));
        let mut name: Vec<&str> = modules.filter(|part| !["main", "mod"].contains(part)).collect();
        name.push(test);
        let name = name.join("::");
        self.0.iter().any(|order| {
            order.suite == suite
                && (order.names.is_empty() || order.names.iter().any(|part| name.contains(part)))
                && !order.skipped.iter().any(|part| name.contains(part))
        })
    }
}

/// What a command has tested of what is ignored, if it is one that does.
fn order(command: &str) -> Option<Order> {
    let (_, words) = command.split_once("cargo test ")?;
    let mut words = words.split_whitespace().map(str::to_owned);
    let mut order = Order { suite: String::new(), names: Vec::new(), skipped: Vec::new() };
    let mut ignored_too = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "--test" => order.suite = words.next()?,
            "--skip" => order.skipped.push(words.next()?),
            "--lib" => order.suite = word,
            "--ignored" | "--include-ignored" => ignored_too = true,
            option if option.starts_with('-') => {}
            _ => order.names.push(word),
        }
    }
    ignored_too.then_some(order)
}
