//! Watches a run: which task is which, and what a stream or the event log of it would say.

use std::sync::Mutex;

use countersign::graph::stream::{Chunk, EventsV2, Shaper};
use countersign::graph::{Event, EventSink};
use serde_json::Value;

use crate::world::World;

pub struct Watch {
    world: World,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    shaper: Option<Shaper>,
    events: Option<EventsV2>,
    chunks: Vec<Chunk>,
    told: Vec<Value>,
}

impl Watch {
    pub fn new(world: &World, shaper: Option<Shaper>, events: Option<EventsV2>) -> Self {
        let seen = Seen { shaper, events, ..Seen::default() };
        Self { world: world.clone(), seen: Mutex::new(seen) }
    }

    pub fn chunks(&self) -> Vec<Chunk> {
        std::mem::take(&mut self.seen.lock().expect("a shaper does not panic").chunks)
    }

    pub fn told(&self) -> Vec<Value> {
        std::mem::take(&mut self.seen.lock().expect("a shaper does not panic").told)
    }
}

impl EventSink for Watch {
    fn event(&self, event: Event<'_>) {
        if let Event::NodeStarted { task, .. } = &event {
            self.world.note_task(task);
        }
        let mut seen = self.seen.lock().expect("a shaper does not panic");
        let Seen { shaper, events, chunks, told } = &mut *seen;
        if let Some(shaper) = shaper {
            chunks.extend(shaper.shape(&event));
        }
        if let Some(events) = events {
            told.extend(events.shape(&event));
        }
    }
}
