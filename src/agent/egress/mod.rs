//! The Egress port: the one way from tools and models out to the network.
//!
//! A tool's URL may be filled with what a model wrote, so a tool reaches public addresses only,
//! unless the operator lists a host as private for that tool. The address is vetted where the
//! connection is made: by the resolver of the client itself, for every connection anew, so that a
//! name cannot resolve to one address for the check and to another for the call. Redirects are not
//! followed, and proxies from the environment are not asked.

mod address;

use std::collections::BTreeSet;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, redirect};
use url::{Host, Url};

use address::is_public;

/// For connecting alone, so that a connection that was never made is told from a lost answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes outbound requests.
#[derive(Clone, Debug)]
pub struct Egress {
    /// Reaches public addresses only.
    guarded: Client,
    /// Reaches what the operator named.
    trusted: Client,
}

/// Why a request does not go out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    #[error("only http and https are spoken")]
    Scheme,
    #[error("the URL names no host")]
    NoHost,
    #[error(
        "`{host}` is at the private address {address}; list it under `allow_private` if it may be"
    )]
    PrivateAddress { host: String, address: IpAddr },
}

/// The private hosts that one tool may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PrivateHosts(BTreeSet<(String, u16)>);

impl PrivateHosts {
    /// Reads `host` or `host:port`; a bare host stands for the port `default_port`.
    pub(super) fn read(entries: &[String], default_port: u16) -> Result<Self, String> {
        let read = |entry: &String| {
            let url = Url::parse(&format!("http://{entry}/"));
            let url = url.map_err(|error| format!("`allow_private: {entry}`: {error}"))?;
            let host = url.host_str().unwrap_or_default().to_owned();
            if url.path() != "/" || !url.username().is_empty() || url.query().is_some() {
                return Err(format!("`allow_private: {entry}` is not `host` or `host:port`"));
            }
            // `url` drops the port 80 because it is http's own.
            let written_80 = entry.ends_with(":80").then_some(80);
            Ok((host, url.port().or(written_80).unwrap_or(default_port)))
        };
        entries.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn holds(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_owned();
        url.port_or_known_default().is_some_and(|port| self.0.contains(&(host, port)))
    }
}

impl Egress {
    /// Opens the way out. Fails when the machine's certificates cannot be loaded.
    pub fn open() -> Result<Self, reqwest::Error> {
        Ok(Self { guarded: client().dns_resolver(PublicOnly).build()?, trusted: client().build()? })
    }

    /// A request to a URL that was filled in from a model's arguments.
    pub(super) fn request(
        &self,
        method: Method,
        url: Url,
        private: &PrivateHosts,
    ) -> Result<RequestBuilder, EgressRefusal> {
        Ok(self.client_for(&url, private)?.request(method, url))
    }

    /// The client for one address and nothing else: redirects are not followed, and where a name
    /// leads is vetted for every connection.
    pub(super) fn client_for(
        &self,
        url: &Url,
        private: &PrivateHosts,
    ) -> Result<Client, EgressRefusal> {
        vet(url, private)?;
        Ok(if private.holds(url) { self.trusted.clone() } else { self.guarded.clone() })
    }

    /// The client for addresses that stand in the configuration as they are: a model's API.
    pub(super) fn to_configured_hosts(&self) -> Client {
        self.trusted.clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the Egress port itself")]
fn client() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        // No connection is used twice: each one is resolved and vetted for its own request.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
}

/// What can be told from the URL alone. Names are vetted when they are resolved; the resolver is
/// not asked about literal addresses, so those are vetted here. (`Url` has already read decimal,
/// octal and hex spellings as the address they are.)
fn vet(url: &Url, private: &PrivateHosts) -> Result<(), EgressRefusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(EgressRefusal::Scheme);
    }
    let address = match url.host() {
        None => return Err(EgressRefusal::NoHost),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
    };
    if is_public(address) || private.holds(url) {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    Err(EgressRefusal::PrivateAddress { host, address })
}

/// Resolves names, and refuses those with any address that is not public.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str();
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            if let Some(private) = addresses.iter().find(|address| !is_public(address.ip())) {
                let (host, address) = (host.to_owned(), private.ip());
                return Err(EgressRefusal::PrivateAddress { host, address }.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// What went wrong with a request, in a sentence without its URL (a query may hold a secret).
pub(super) fn told(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        if let Some(refusal) = deeper.downcast_ref::<EgressRefusal>() {
            return refusal.to_string();
        }
        cause = deeper;
    }
    if error.is_connect() {
        format!("no connection: {cause}")
    } else {
        format!("the exchange broke off: {cause}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vetted(url: &str, private: &[&str]) -> Result<(), EgressRefusal> {
        let url = Url::parse(url).expect(url);
        let private: Vec<_> = private.iter().map(ToString::to_string).collect();
        let port = url.port_or_known_default().unwrap_or_default();
        vet(&url, &PrivateHosts::read(&private, port).expect("the list is good"))
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://0/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::7f00:1]/",
            "http://169.254.169.254/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
            "https://user@10.0.0.1:8443/",
        ] {
            let refusal = vetted(url, &[]);
            assert!(matches!(refusal, Err(EgressRefusal::PrivateAddress { .. })), "{url}");
        }
    }

    #[test]
    fn only_the_web_is_spoken() {
        for url in ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "data:,x"]
        {
            assert_eq!(vetted(url, &[]), Err(EgressRefusal::Scheme), "{url}");
        }
    }

    #[test]
    fn a_private_host_is_reached_on_its_listed_port_alone() {
        assert_eq!(vetted("http://127.0.0.1:8080/", &["127.0.0.1:8080"]), Ok(()));
        assert_eq!(vetted("http://127.0.0.1/", &["127.0.0.1"]), Ok(()));
        assert_eq!(vetted("http://127.0.0.1:80/", &["127.0.0.1:80"]), Ok(()));
        assert_eq!(vetted("http://[::1]:9000/", &["[::1]:9000"]), Ok(()));
        assert!(vetted("http://127.0.0.1:8081/", &["127.0.0.1:8080"]).is_err());
        assert!(vetted("http://127.0.0.2:8080/", &["127.0.0.1:8080"]).is_err());
        for entry in ["127.0.0.1/path", "user@host", "ho st", ""] {
            assert!(PrivateHosts::read(&[entry.to_owned()], 80).is_err(), "{entry}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused_at_the_connection() {
        let egress = Egress::open().expect("a client");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let url = Url::parse(&format!("http://localhost:{port}/")).expect("a URL");
        let request = egress.request(Method::GET, url, &PrivateHosts::default());
        let error = request.expect("a name passes so far").send().await.expect_err("it is private");
        assert!(error.is_connect(), "nothing was sent");
        assert!(told(&error).contains("private address"), "{}", told(&error));
    }
}
