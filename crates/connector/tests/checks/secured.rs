//! The service behind TLS (§15.1): who is let in, and what is told to whoever is not.
//!
//! The certificates lie in `tls/`: `client.pem` is signed by `client-authority.pem`, and shares its key with the others.

use std::{net::SocketAddr, path::PathBuf};

use connector::{
    Error, Secret,
    http::{Metrics, Service, Tls, TlsError, TlsFiles, Trust, bind},
    tokens::Role,
};
use ids::Timestamp;

use crate::{
    place::*,
    sockets::{Serving, serving},
    tls::file,
};

/// A moment at which every certificate but `expired.pem` is valid, and one before all of them.
const NOW: i64 = 1_800_000_000_000_000;
const LONG_AGO: i64 = 1_000_000_000_000_000;

fn files(client_ca: Option<&str>) -> TlsFiles {
    TlsFiles { certificate: file("good.pem"), key: file("key.pem"), client_ca: client_ca.map(file) }
}

/// The service, the port of it, and a token for it.
async fn secured(place: &Place, client_ca: Option<&str>) -> (Serving, u16, Secret) {
    let (_, token) = place.connector().create_token("t", Role::Viewer, None).await.unwrap();
    let tls = Tls::read(&files(client_ca), Timestamp::from_micros(NOW)).unwrap();
    let bound = bind(SocketAddr::from(([127, 0, 0, 1], 0)), Some(&tls)).await.unwrap();
    let port = bound.addresses()[0].port();
    (serving(place, bound, Metrics::Beside), port, token)
}

/// The status of a call by somebody who trusts `ca` and shows `shown`.
async fn call(port: u16, token: &Secret, ca: Option<&str>, shown: Option<&str>) -> Result<u16, Error> {
    let (ca, key) = (ca.map(file), file("key.pem"));
    let shown = shown.map(file);
    let trust = Trust { ca_file: ca.as_deref(), shown: shown.as_deref().map(|shown| (shown, key.as_path())) };
    let token = Secret::new(token.expose().to_owned());
    let service = Service::remote(&format!("https://localhost:{port}"), token, trust)?;
    Ok(service.call("GET", "/v1/requests", None, None).await?.status)
}

#[tokio::test]
async fn the_service_speaks_tls_to_whoever_trusts_its_authority() {
    let place = Place::new().await;
    let (serving, port, token) = secured(&place, None).await;
    assert_eq!(call(port, &token, Some("authority.pem"), None).await.unwrap(), 200);
    let refused = call(port, &token, None, None).await.unwrap_err();
    assert!(matches!(&refused, Error::Unreachable { cause, .. } if cause.contains("certificate")), "{refused:?}");
    serving.end().await;
}

#[tokio::test]
async fn whoever_speaks_http_to_it_is_told_to_speak_tls() {
    let place = Place::new().await;
    let (serving, port, _) = secured(&place, None).await;
    let url = format!("http://127.0.0.1:{port}/v1/requests");
    let answer = reqwest::Client::builder().build().unwrap().post(url).body(vec![b'x'; 10_000]).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("call it with https://"));
    serving.end().await;
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_authority_of_clients_are_let_in_where_there_is_one() {
    let place = Place::new().await;
    let (serving, port, token) = secured(&place, Some("client-authority.pem")).await;
    let ca = Some("authority.pem");
    assert_eq!(call(port, &token, ca, Some("client.pem")).await.unwrap(), 200);
    for shown in [None, Some("alone.pem"), Some("good.pem")] {
        let refused = call(port, &token, ca, shown).await;
        assert!(matches!(refused, Err(Error::Unreachable { .. })), "{shown:?}: {refused:?}");
    }
    // A certificate is no token.
    let stranger = Secret::new("mpp_wrong".to_owned());
    assert_eq!(call(port, &stranger, ca, Some("client.pem")).await.unwrap(), 401);
    serving.end().await;
}

#[tokio::test]
async fn a_service_that_stops_does_not_wait_for_who_never_shakes_hands() {
    let place = Place::new().await;
    let (serving, port, _) = secured(&place, None).await;
    let silent = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert!(serving.end().await.contains("cut: 0"));
    drop(silent);
}

#[test]
fn what_is_wrong_with_the_files_of_tls_is_told_with_the_name_of_the_file() {
    let read = |files: &TlsFiles, now| Tls::read(files, Timestamp::from_micros(now)).unwrap_err();
    let told = |files: &TlsFiles| read(files, NOW).to_string();
    let nowhere = PathBuf::from("/nowhere/at/all.pem");
    let good = files(None);
    for files in [
        TlsFiles { certificate: nowhere.clone(), ..good.clone() },
        TlsFiles { key: nowhere.clone(), ..good.clone() },
        TlsFiles { client_ca: Some(nowhere), ..good.clone() },
    ] {
        assert!(told(&files).starts_with("cannot read /nowhere/at/all.pem: No such file"), "{}", told(&files));
    }
    let none = told(&TlsFiles { certificate: file("key.pem"), ..good.clone() });
    assert!(none.ends_with("key.pem holds no certificate in PEM"), "{none}");
    let none = told(&TlsFiles { client_ca: Some(file("key.pem")), ..good.clone() });
    assert!(none.ends_with("key.pem holds no certificate in PEM"), "{none}");
    let none = told(&TlsFiles { key: file("good.pem"), ..good.clone() });
    assert!(none.ends_with("good.pem holds no private key in PEM"), "{none}");
    let other = read(&TlsFiles { key: file("other-key.pem"), ..good.clone() }, NOW);
    assert!(matches!(other, TlsError::OtherKey { .. }), "{other:?}");
    let expired = told(&TlsFiles { certificate: file("expired.pem"), ..good.clone() });
    assert!(expired.contains("expired.pem ended at 2021-"), "{expired}");
    let early = read(&good, LONG_AGO);
    assert!(matches!(early, TlsError::NotYetValid { .. }), "{early:?}");
}
