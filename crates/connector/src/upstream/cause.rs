//! Why a call was not sent or not answered, in words (§6.3, §7.3): names, connections and certificates are told apart.

use std::{error::Error, io};

use rustls::CertificateError;

use crate::redact::scrub;

/// What the resolver's error says of itself, wherever it stands among the causes.
const RESOLVER: &str = "dns error";

/// The cause, without the URL, which has the key in it.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let Some(error) = error.source() else { return "the call failed".to_owned() };
    words(error).unwrap_or_else(|| scrub(&last(error), &[]))
}

/// What is known of the error, or of what is behind it.
fn words(error: &(dyn Error + 'static)) -> Option<String> {
    if error.to_string().starts_with(RESOLVER) {
        return Some(format!("no address is known for this name: {}", scrub(&last(error), &[])));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // What is inside is not named among its sources.
        return match error.get_ref() {
            Some(inner) => words(inner),
            None => of_connection(error.kind()).map(str::to_owned),
        };
    }
    words(error.source()?)
}

/// The innermost cause.
fn last(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}

fn of_connection(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("nobody takes the connection"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Some("the connection was broken off"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("there is no way to this address"),
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(why) = error else { return format!("TLS failed: {error}") };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "the certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate is for another name: {}", presented.join(", "))
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::UnknownIssuer => {
            "the certificate is signed by nobody who is trusted here; --ca-file names an authority of your own"
                .to_owned()
        }
        other => format!("the certificate is refused: {other}"),
    }
}
