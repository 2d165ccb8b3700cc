//! What a prepared statement takes and gives, looked up once.

use std::sync::Arc;

use rusqlite::Statement;
use rusqlite::types::ValueRef;
use sqlx_core::any::{AnyColumn, AnyRow, AnyTypeInfo, AnyTypeInfoKind, AnyValue, AnyValueKind};

#[derive(Debug)]
pub(super) struct Shape {
    /// For each parameter which argument it is: SQLite counts `$2` as the first one where it stands
    /// before `$1`.
    arguments: Vec<usize>,
    /// The columns of every row, without values.
    empty: Empty,
}

impl Shape {
    pub(super) fn of(statement: &Statement<'_>) -> Self {
        let arguments = (1..=statement.parameter_count()).map(|index| {
            let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
            name.and_then(|name| name.parse().ok()).unwrap_or(index) - 1
        });
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let type_info = AnyTypeInfo { kind: AnyTypeInfoKind::Null };
        let columns = names.iter().enumerate().map(|(ordinal, name)| AnyColumn {
            ordinal,
            name: name.clone().into(),
            type_info: type_info.clone(),
        });
        let empty = AnyRow {
            columns: columns.collect(),
            column_names: Arc::new(names.into_iter().map(Into::into).zip(0..).collect()),
            values: Vec::new(),
        };
        Self { arguments: arguments.collect(), empty: Empty(empty) }
    }

    /// The index that SQLite knows a parameter by, and the argument that belongs there.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (usize, usize)> {
        (1..).zip(self.arguments.iter().copied())
    }

    pub(super) fn row(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<AnyRow> {
        let mut full = self.empty.0.clone();
        full.values.reserve_exact(full.columns.len());
        for index in 0..full.columns.len() {
            full.values.push(AnyValue { kind: value(row.get_ref(index)?)? });
        }
        Ok(full)
    }
}

fn value(value: ValueRef<'_>) -> rusqlite::Result<AnyValueKind> {
    Ok(match value {
        ValueRef::Null => AnyValueKind::Null(AnyTypeInfoKind::Null),
        ValueRef::Integer(number) => AnyValueKind::BigInt(number),
        ValueRef::Real(number) => AnyValueKind::Double(number),
        ValueRef::Text(_) => AnyValueKind::Text(Arc::new(value.as_str()?.to_owned())),
        ValueRef::Blob(bytes) => AnyValueKind::Blob(Arc::new(bytes.to_owned())),
    })
}

struct Empty(AnyRow);

impl std::fmt::Debug for Empty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Empty").field(&self.0.columns).finish()
    }
}
