//! What the desk does in a second: clicks answered, whole conversations from a message to the
//! result of an approved action, tokens to those who listen.
//!
//! `cargo bench --bench desk`, or with `-- clicks`, `-- cycles`, `-- costs` or `-- listeners` only that;
//! `-- million` fills gigabytes, and is only done when it is named. `-- postgres` or `-- sqlite` beside these
//! names does it there alone.
//! Beside a Postgres server (`SYNC_TO_DISK=1 scripts/with-postgres`) each is done on both databases, in turns.
//! The router, the signatures, the SQLite file (WAL, synchronous FULL) and the loops are the real
//! ones; only Slack is a stand-in that answers at once. Throughput over many tasks fits no
//! micro-benchmark, so this prints a table. Without `--bench`, as `cargo test` runs it, it takes a few
//! rounds of everything to see that it still works.

mod clicks;
mod costs;
mod cycles;
mod listeners;
mod million;
mod office;
mod slack;
mod talker;
mod times;

use office::Database;

/// A message becomes a card by way of many small texts; the system's allocator spends a fifth of the
/// processor on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything, unless something else was named.
fn asked_for(name: &str) -> bool {
    std::env::args().skip(1).all(|argument| argument.starts_with('-')) || named(name)
}

fn named(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

fn main() {
    let few = !std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        if listeners::listen_if_asked().await {
            return;
        }
        times::print_disk(if few { 3 } else { 300 });
        if asked_for("clicks") {
            clicks::measure(few).await;
        }
        if asked_for("cycles") {
            cycles::measure(few).await;
        }
        for database in &Database::all() {
            if asked_for("costs") {
                costs::measure(database).await;
            }
            if asked_for("listeners") {
                listeners::measure(database, few).await;
            }
            if few || named("million") {
                million::measure(database, few).await;
            }
        }
    });
}
