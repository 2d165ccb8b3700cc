//! What the desk writes into its log while a story is told, down to the finest.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// Listens until it is dropped.
pub struct Listening {
    _ear: DefaultGuard,
    /// Hears nothing. While there is one ear alone, a line counts as heard by nobody for ever if the
    /// first thread that comes to it is another story's, which has none; with two, all are asked.
    _second: Dispatch,
}

impl Log {
    /// Listens to everything on this thread, where stories are told.
    pub fn listens() -> (Self, Listening) {
        let second = Dispatch::new(NoSubscriber::new());
        let log = Self::default();
        let into = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || into.clone())
            .finish();
        (log, Listening { _ear: tracing::subscriber::set_default(subscriber), _second: second })
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
