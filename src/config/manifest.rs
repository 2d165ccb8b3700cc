//! `manifest.yaml`, Slack's description of our app, filled in with an operator's own address.

/// An address that Slack could not call.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ManifestError {
    #[error("`{0}` is not an address; write it like `https://approvals.example.com`")]
    NotAUrl(String),
    #[error("Slack calls https only; put `{0}` behind a certificate, or use localhost to try it")]
    NotHttps(String),
}

/// The manifest with every request URL under `url`, comments kept.
pub fn fill(url: &str) -> Result<String, ManifestError> {
    todo!("{url}")
}
