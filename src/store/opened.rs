//! Envelopes that were opened before.
//!
//! A request is read a dozen times between its question and its end, and each time its bytes are
//! opened: parsed strictly and brought into their canonical form again. What was found of some bytes
//! holds for the same bytes, so it is kept beside them; other bytes are opened as ever.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::approval::{CanonicalError, Sealed};

/// More requests than are in motion at a time.
const KEPT: usize = 512;
/// Longer ones are rare, and would take more memory than they save time: all that are kept are below
/// some twelve megabytes.
const LONGEST: usize = 8 * 1024;

#[derive(Debug, Default)]
pub(super) struct Opened(Mutex<HashMap<String, Arc<Sealed>>>);

impl Opened {
    pub(super) fn open(&self, bytes: &str) -> Result<Sealed, CanonicalError> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(bytes).cloned();
        if let Some(sealed) = found {
            return Ok(Sealed::clone(&sealed));
        }
        let sealed = Sealed::open(bytes)?;
        if bytes.len() <= LONGEST {
            let kept = Arc::new(sealed.clone());
            let mut known = known();
            if known.len() == KEPT {
                known.clear();
            }
            known.insert(bytes.to_owned(), kept);
        }
        Ok(sealed)
    }
}
