//! Where the desk keeps what it knows.

use std::fmt;

use secrecy::ExposeSecret;

use super::reading::{Complained, Located, Reader, variable_name};

/// The URL of a database. It may hold a password, so nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// For whoever opens the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for StoreUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split(':').next().unwrap_or_default())
    }
}

const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// A SQLite file or a Postgres server. A password stands in a variable, never in the file.
pub(super) fn read(
    written: Located<String>,
    reader: &mut Reader<'_>,
) -> Result<StoreUrl, Complained> {
    let from_variable = variable_name(&written).is_some();
    let url = match from_variable {
        true => reader.variable("store", &written)?.expose_secret().to_owned(),
        false => written.value,
    };
    let file = url.strip_prefix("sqlite://").is_some_and(|path| !path.is_empty());
    let server = POSTGRES.iter().find_map(|scheme| url.strip_prefix(scheme));
    match server {
        Some(rest) if !from_variable && has_password(rest) => Err(reader.complain_of_secret(
            written.at,
            "the password of the store stands in the file itself",
            "put the whole URL with a new password into a variable and write `store: ${NAME}`",
        )),
        Some(rest) if !rest.is_empty() => Ok(StoreUrl(url)),
        _ if file => Ok(StoreUrl(url)),
        Some(_) | None => Err(reader.complain(
            written.at,
            "the store must be a SQLite file or a Postgres server",
            "write `sqlite://countersign.db`, an absolute path, `sqlite:///var/lib/…`, or \
             `postgres://user@host/database`",
        )),
    }
}

fn has_password(rest: &str) -> bool {
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}
