//! The company whose services are called, with a journal that the desk never sees.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use countersign::approval::RetryClass;
use serde_json::Value;

/// One call that arrived and took effect.
#[derive(Clone, Debug)]
pub struct Deed {
    pub key: String,
    pub tool: String,
    pub retry: RetryClass,
    pub arguments: Value,
    /// Not checked yet against what was approved.
    pub unchecked: bool,
}

#[derive(Debug, Default)]
pub struct Books {
    pub deeds: Vec<Deed>,
    /// How many calls arrived with a key.
    pub arrived: BTreeMap<String, u64>,
    /// Under which claim a key was last called with.
    pub holder: BTreeMap<String, u64>,
    /// Under which claim a key was last asked about.
    pub asked: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub struct Company(Mutex<Books>);

impl Company {
    pub fn look(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }
}

impl Books {
    /// A call arrives. A keyed service acts once for a key; the others act each time.
    pub fn does(&mut self, deed: Deed) {
        *self.arrived.entry(deed.key.clone()).or_default() += 1;
        let acts = match deed.retry {
            RetryClass::Pure => false,
            RetryClass::Keyed => !self.knows(&deed.key),
            RetryClass::Probe | RetryClass::Once => true,
        };
        if acts {
            self.deeds.push(deed);
        }
    }

    pub fn knows(&self, key: &str) -> bool {
        self.deeds.iter().any(|deed| deed.key == key)
    }
}
