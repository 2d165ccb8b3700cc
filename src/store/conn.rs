//! The connections that statements run on, all with the same face.
//!
//! Statements are written once, for `sqlx::Any`. A server is reached by sqlx's own driver. A file is
//! not: sqlx keeps a thread for each SQLite connection, so every statement would go to it and back,
//! and two switches of threads cost more than most statements. [`Here`] runs them where they are
//! asked: the writer has a thread to itself, and readers ask for single rows and short pages.

mod here;
mod shape;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Connection, Describe, Either, Error, Execute, Executor, SqlStr};

pub(super) use here::Here;

use super::opened::Opened;
use super::reader::{Reader, patiently};
use super::readers::Lent;
use super::tally::{Counted, Tally};
use super::time::LastTold;
use crate::approval::{CanonicalError, Sealed};
use crate::base::Timestamp;

/// A connection, or a transaction on one that ends with it.
#[derive(Debug)]
pub(crate) struct Conn {
    end: End,
    common: Arc<Common>,
}

/// What all connections of a store have in common.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) tally: Tally,
    pub(super) last_told: LastTold,
    opened: Opened,
}

/// Who is at the other end.
#[derive(Debug)]
pub(super) enum End {
    /// SQLite, on this thread: the writer.
    Here(Box<Here>),
    /// The same, for reading.
    Lent(Lent),
    /// A server: the writer.
    Away(AnyConnection),
    /// A server, for reading.
    Reader(Reader),
}

impl Conn {
    pub(super) fn new(end: End, common: Arc<Common>) -> Self {
        Self { end, common }
    }

    pub(super) fn is_now(&mut self, end: End) {
        self.end = end;
    }

    pub(super) async fn close(self) -> Result<(), Error> {
        match self.end {
            End::Here(here) => here.close(),
            End::Away(conn) => conn.close().await,
            // They go back to where they came from.
            End::Lent(_) | End::Reader(_) => Ok(()),
        }
    }

    /// Lets go of a server that is gone.
    pub(super) async fn close_hard(self) -> Result<(), Error> {
        match self.end {
            End::Away(conn) => conn.close_hard().await,
            End::Here(_) | End::Lent(_) | End::Reader(_) => self.close().await,
        }
    }

    pub(super) fn tells_the_time(&self, now: Timestamp) {
        self.common.last_told.is(now);
    }

    pub(super) fn count(&self, what: Counted) {
        self.common.tally.count(what);
    }

    /// Opens an envelope that was read.
    pub(super) fn opened(&self, envelope: &str) -> Result<Sealed, CanonicalError> {
        self.common.opened.open(envelope)
    }

    fn side(&mut self) -> Side<'_> {
        self.count(match self.end {
            End::Here(_) | End::Away(_) => Counted::Written,
            End::Lent(_) | End::Reader(_) => Counted::Read,
        });
        match &mut self.end {
            End::Here(here) => Side::Here(here),
            End::Lent(lent) => Side::Here(&mut lent.here),
            End::Away(conn) => Side::Away(conn),
            End::Reader(reader) => Side::Asked(reader.patience(), reader),
        }
    }
}

enum Side<'c> {
    Here(&'c mut Here),
    Away(&'c mut AnyConnection),
    /// The same, and it may take so long.
    Asked(Duration, &'c mut AnyConnection),
}

impl<'c> Executor<'c> for &'c mut Conn {
    type Database = Any;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<AnyQueryResult, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.side() {
            Side::Here(here) => async move { Ok(changed(here.run(query)?.rows_affected)) }.boxed(),
            Side::Away(conn) => conn.execute(query),
            Side::Asked(patience, conn) => patiently(patience, conn.execute(query)),
        }
    }

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.side() {
            Side::Here(here) => stream::once(async move { here.run(query) })
                .flat_map(|done| match done {
                    Ok(done) => {
                        let rows = done.rows.into_iter().map(Either::Right);
                        let last = Either::Left(changed(done.rows_affected));
                        stream::iter(rows.chain([last]).map(Ok).collect::<Vec<_>>())
                    }
                    Err(error) => stream::iter(vec![Err(error)]),
                })
                .boxed(),
            Side::Away(conn) => conn.fetch_many(query),
            Side::Asked(patience, conn) => {
                let rows = conn.fetch_many(query);
                let next = move |mut rows: BoxStream<'e, Result<_, Error>>| async move {
                    let next = patiently(patience, async { rows.try_next().await }.boxed()).await?;
                    Ok(next.map(|row| (row, rows)))
                };
                stream::try_unfold(rows, next).boxed()
            }
        }
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.side() {
            Side::Here(here) => async move { Ok(here.run(query)?.rows) }.boxed(),
            Side::Away(conn) => conn.fetch_all(query),
            Side::Asked(patience, conn) => patiently(patience, conn.fetch_all(query)),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        match self.side() {
            Side::Here(here) => async move { Ok(here.run(query)?.rows.into_iter().next()) }.boxed(),
            Side::Away(conn) => conn.fetch_optional(query),
            Side::Asked(patience, conn) => patiently(patience, conn.fetch_optional(query)),
        }
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        match self.side() {
            Side::Here(_) => async { Err(not_here()) }.boxed(),
            Side::Away(conn) | Side::Asked(_, conn) => conn.prepare_with(sql, parameters),
        }
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        match self.side() {
            Side::Here(_) => async { Err(not_here()) }.boxed(),
            Side::Away(conn) | Side::Asked(_, conn) => conn.describe(sql),
        }
    }
}

fn changed(rows_affected: u64) -> AnyQueryResult {
    AnyQueryResult { rows_affected, last_insert_id: None }
}

/// What only the macros of sqlx do, and we do not use them.
fn not_here() -> Error {
    Error::InvalidArgument("statements are run here, not described".to_owned())
}
