//! Names, connections and certificates that fail: check 33, with their causes told apart.
//!
//! The certificates lie beside this file, with one key for all: `good.pem` is for `localhost` and signed by `authority.pem`;
//! `other.pem` is for another name, `expired.pem` ended in 2021, and `alone.pem` is signed by nobody but itself.

use std::{path::PathBuf, sync::Arc};

use connector::{
    Error, NewIntegration, NewRequest,
    probe::Problem,
    requests::Kind,
    status::{Reason, Status},
};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::place::*;

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("tests/checks/tls").join(name)
}

fn config(certificate: &str) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(file(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

/// The TLS before an upstream.
struct Front {
    port: u16,
    /// Which certificate it shows; nobody is let in without one.
    certificate: Arc<Mutex<Option<&'static str>>>,
}

impl Front {
    async fn before(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificate = Arc::new(Mutex::new(Some("good.pem")));
        let shown = certificate.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let Some(name) = *shown.lock() else { continue };
                let upstream = upstream.clone();
                tokio::spawn(async move {
                    let Ok(mut socket) = TlsAcceptor::from(config(name)).accept(socket).await else { return };
                    let mut behind = TcpStream::connect(upstream).await.unwrap();
                    // Either end may hang up.
                    let _ = tokio::io::copy_bidirectional(&mut socket, &mut behind).await;
                });
            }
        });
        Front { port, certificate }
    }

    fn show(&self, certificate: Option<&'static str>) {
        *self.certificate.lock() = certificate;
    }
}

/// A place whose upstream is behind TLS, with nothing connected.
async fn place() -> (Place, Front, NewIntegration) {
    let mut place = Place::empty().await;
    place.ca_file = Some(file("authority.pem"));
    place.reopen().await;
    place.upstream.set(|world| world.add("amy", "amy@example.com"));
    let front = Front::before(place.upstream.url().replace("http://", "")).await;
    let base_url = Some(format!("https://localhost:{}", front.port));
    let new = NewIntegration { base_url, ..place.stream() };
    (place, front, new)
}

const BAD: [(Option<&str>, &str); 4] = [
    (Some("other.pem"), "the certificate is for another name: DnsName(\"other.example\")"),
    (Some("expired.pem"), "the certificate has expired"),
    (Some("alone.pem"), "the certificate is signed by nobody who is trusted here"),
    (None, "the connection was broken off"),
];

#[tokio::test]
async fn check_33_what_is_wrong_with_a_certificate_is_told_when_it_is_connected() {
    let (place, front, new) = place().await;
    for (certificate, words) in BAD {
        front.show(certificate);
        let Err(Error::TestFailed(report)) = place.connector().connect(&new, pair(KEY, SECRET)).await else { panic!() };
        let finding = report.verdict().unwrap();
        let expected = if certificate.is_some() { Problem::TlsInvalid } else { Problem::Unreachable };
        assert_eq!(finding.problem, expected, "{}", finding.message);
        assert!(finding.message.contains(words), "{}", finding.message);
        assert!(finding.message.starts_with(&format!("localhost:{}", front.port)), "{}", finding.message);
    }
    assert!(place.upstream.seen().is_empty(), "no token left");
    front.show(Some("good.pem"));
    place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap();
}

#[tokio::test]
async fn check_33_a_request_waits_out_every_kind_of_certificate_and_says_why() {
    let (place, front, new) = place().await;
    place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap();
    place.upstream.forget();
    for (certificate, words) in BAD {
        front.show(certificate);
        let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
        place.run_until(place.clock.micros() + 10 * MINUTE).await;
        let request = place.request(&asked.id).await;
        assert_eq!(state(&request), (Status::Retrying, None, Some(Reason::Unreachable)), "{words}");
        let detail = place.detail(&request).await;
        let tried = detail.tasks[0].1.len();
        // Five in a row, and one a minute from then on.
        assert!((6..=15).contains(&tried), "{tried} tries, {words}");
        let said = &detail.tasks[0].0.last_error.as_ref().unwrap().message;
        assert!(said.contains(words), "{said}");
        front.show(Some("good.pem"));
        assert_eq!(state(&place.finish(&asked.id).await), FOUND, "{words}");
    }
}

#[tokio::test]
async fn check_33_a_name_without_an_address_and_a_port_where_nobody_listens_are_told_apart() {
    let place = Place::empty().await;
    // No resolver is asked for a name with such a label.
    let nowhere = format!("http://{}.invalid", "a".repeat(64));
    for (url, words) in [
        (nowhere.as_str(), "cannot be reached: no address is known for this name"),
        ("http://127.0.0.1:9", "cannot be reached: nobody takes the connection"),
    ] {
        let new = NewIntegration { allow_insecure: true, base_url: Some(url.to_owned()), ..place.stream() };
        let Err(Error::TestFailed(report)) = place.connector().connect(&new, pair(KEY, SECRET)).await else { panic!() };
        let finding = report.verdict().unwrap();
        assert_eq!(finding.problem, Problem::Unreachable, "{}", finding.message);
        assert!(finding.message.contains(words), "{}", finding.message);
    }
}
