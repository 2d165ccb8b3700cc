//! The threads of a case: one store each, and the questions that were ever seen in the case.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use countersign::graph::{Interrupt, MemorySaver, NoSaver, Saver};

pub struct Threads {
    keep: bool,
    savers: Mutex<BTreeMap<String, MemorySaver>>,
    /// In the order of asking.
    seen: Vec<Interrupt>,
}

impl Threads {
    /// `keep`: whether the case has a checkpoint store.
    pub fn new(keep: bool) -> Self {
        Self { keep, savers: Mutex::default(), seen: Vec::new() }
    }

    pub fn keep(&self) -> bool {
        self.keep
    }

    pub fn saver(&self, thread: &str) -> Arc<dyn Saver> {
        if !self.keep {
            return Arc::new(NoSaver);
        }
        let mut savers = self.savers.lock().expect("nothing panics with it");
        Arc::new(savers.entry(thread.to_owned()).or_default().clone())
    }

    pub fn note(&mut self, open: &[Interrupt]) {
        for question in open {
            if self.seen.iter().all(|seen| seen.id != question.id) {
                self.seen.push(question.clone());
            }
        }
    }

    pub fn seen(&self) -> &[Interrupt] {
        &self.seen
    }
}
