//! Where a database is: a SQLite file, or a Postgres server.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::StoreError;
use super::primary::Primary;

/// A database that a URL names. Shown without its password.
#[derive(Clone, Debug)]
pub enum Place {
    Sqlite(PathBuf),
    Postgres(Server),
}

/// A Postgres server and the database on it.
#[derive(Clone, Debug)]
pub struct Server {
    /// With the password in it.
    url: SecretString,
    shown: String,
    primary: Primary,
}

impl Place {
    /// Reads `sqlite://path` or `postgres://user:password@host/database`.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Server::of(url).map(Self::Postgres);
        }
        let unknown = || StoreError::Url { url: masked(url) };
        let rest = url.strip_prefix("sqlite:").ok_or_else(unknown)?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path.contains(':') || path.contains('?') {
            return Err(unknown());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

impl Server {
    fn of(text: &str) -> Result<Self, StoreError> {
        let unknown = || StoreError::Url { url: masked(text) };
        let mut url = Url::parse(text).map_err(|_| unknown())?;
        let named = url.path().len() > 1 || url.query_pairs().any(|(key, _)| key == "dbname");
        if !named || url.fragment().is_some() {
            return Err(unknown());
        }
        let is_named = url.query_pairs().any(|(key, _)| key == "application_name");
        if !is_named {
            url.query_pairs_mut().append_pair("application_name", "countersign");
        }
        let primary = Primary::unknown();
        Ok(Self { url: url.to_string().into(), shown: masked(text), primary })
    }

    /// For the driver only.
    pub(super) fn url(&self) -> &str {
        self.url.expose_secret()
    }

    /// The server behind the address that this desk writes to.
    pub(super) fn primary(&self) -> &Primary {
        &self.primary
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A URL as people may see it: what could be a password is left out, even of a URL that is wrong.
pub fn masked(text: &str) -> String {
    let plain = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else {
        return plain.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn urls_name_one_file() {
        for (url, path) in [
            ("sqlite://countersign.db", "countersign.db"),
            ("sqlite:///var/lib/desk.db", "/var/lib/desk.db"),
            ("sqlite:desk.db", "desk.db"),
        ] {
            let Place::Sqlite(found) = Place::of(url).unwrap() else { panic!("{url}") };
            assert_eq!(found, Path::new(path), "{url}");
        }
        for url in ["", "sqlite:", "sqlite::memory:", "mysql://desk", "sqlite://a.db?mode=ro"] {
            assert!(matches!(Place::of(url), Err(StoreError::Url { .. })), "{url}");
        }
    }

    #[test]
    fn urls_name_one_database_on_a_server() {
        for url in [
            "postgres://desk@db.internal/desk",
            "postgresql://desk:pw@db.internal:6432/desk?sslmode=verify-full",
            "postgres://desk@%2Frun%2Fpostgresql/desk",
        ] {
            assert!(matches!(Place::of(url), Ok(Place::Postgres(_))), "{url}");
        }
        for url in ["postgres:", "postgres://", "postgres://db.internal", "postgres://db.internal/"]
        {
            assert!(matches!(Place::of(url), Err(StoreError::Url { .. })), "{url}");
        }
    }

    #[test]
    fn nobody_reads_a_password() {
        for (url, shown) in [
            ("postgres://desk:s3cret@db/desk", "postgres://desk@db/desk"),
            ("postgres://desk:s3c@ret@db/desk", "postgres://desk@db/desk"),
            ("postgres://db/desk?password=s3cret", "postgres://db/desk"),
            ("postgres:///?password=s3cret", "postgres:///"),
            ("mysql://desk:s3cret@db", "mysql://desk@db"),
        ] {
            assert_eq!(masked(url), shown);
            match Place::of(url) {
                Ok(place) => assert_eq!(place.to_string(), shown),
                Err(error) => assert!(!error.to_string().contains("s3c"), "{error}"),
            }
        }
        let place = Place::of("postgres://desk:s3cret@db/desk").unwrap();
        assert!(!format!("{place:?}").contains("s3cret"));
    }
}
