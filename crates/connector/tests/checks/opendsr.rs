//! OpenDSR: §16.1.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use connector::{
    NewRequest,
    http::router,
    opendsr::{ConfigError, Processor},
    requests::Kind,
    status::{Reason, Status},
    tokens::Role,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use testing::upstream::{Fault, calls};
use tower::ServiceExt as _;

use crate::{hooks::receiver, place::*};

const DOMAIN: &str = "privacy.example.com";
const KEY_PEM: &str = include_str!("opendsr/key.pem");
const CERTIFICATE_PEM: &str = include_str!("opendsr/certificate.pem");
const ID: &str = "a7551968-d5d6-44b2-9831-815ac9017798";
const OTHER_ID: &str = "0b1c6a6f-8d1e-4c6b-9f0a-3a7c6a1d2e3f";

fn processor() -> Processor {
    Processor::new(DOMAIN, KEY_PEM, CERTIFICATE_PEM).unwrap()
}

/// A controller: its version of the protocol and its token.
struct Controller<'a> {
    place: &'a Place,
    version: u8,
    token: (String, String),
}

struct Answer {
    status: StatusCode,
    body: Value,
}

pub(crate) async fn speaking() -> Place {
    let mut place = Place::new().await;
    place.processor = Some(processor);
    place.reopen().await;
    place
}

impl<'a> Controller<'a> {
    async fn new(place: &'a Place, version: u8) -> Self {
        let (token, text) = place.connector().create_token("controller", Role::RequestOperator, None).await.unwrap();
        Controller { place, version, token: (token.id, text.expose().to_owned()) }
    }

    /// The headers with the domain and the signature, as this version names them.
    fn headers(&self) -> [&'static str; 2] {
        match self.version {
            1 => ["X-OpenGDPR-Processor-Domain", "X-OpenGDPR-Signature"],
            _ => ["X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"],
        }
    }

    fn assert_signed(&self, headers: &HeaderMap, body: &[u8]) {
        let [domain, signature] = self.headers();
        assert_eq!(headers[domain], DOMAIN);
        let der = CertificateDer::from_pem_slice(CERTIFICATE_PEM.as_bytes()).unwrap();
        let certificate = webpki::EndEntityCert::try_from(&der).unwrap();
        let signature = STANDARD.decode(headers[signature].as_bytes()).unwrap();
        let algorithm = webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
        certificate.verify_signature(algorithm, body, &signature).unwrap();
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let basic = STANDARD.encode(format!("{}:{}", self.token.0, self.token.1));
        let request = Request::builder()
            .method(method)
            .uri(format!("/opendsr/v{}{path}", self.version))
            .header("authorization", format!("Basic {basic}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = router(self.place.shared()).oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        self.assert_signed(&headers, &bytes);
        let media_type = headers["content-type"].to_str().unwrap();
        assert_documented((method, &format!("/opendsr/v{}{path}", self.version)), status.as_u16(), media_type, &bytes);
        Answer { status, body: serde_json::from_slice(&bytes).unwrap() }
    }

    /// A request as this version writes it.
    fn request(&self, id: &str, kind: &str, callback: &str) -> Value {
        let mut body = json!({
            "subject_request_id": id,
            "subject_request_type": kind,
            "submitted_time": "2025-12-31T09:00:00Z",
            "api_version": format!("{}.0", self.version),
            "status_callback_urls": [callback],
        });
        if self.version > 1 {
            body["regulation"] = "gdpr".into();
        }
        body["subject_identities"] = match self.version {
            3 => json!({"controller_customer_id": {"value": "amy", "encoding": "raw"}}),
            _ => json!([{
                "identity_type": "controller_customer_id", "identity_value": "amy", "identity_format": "raw",
            }]),
        };
        body
    }

    async fn status(&self, id: &str) -> Value {
        self.call("GET", &format!("/requests/{id}"), &json!({})).await.body
    }
}

async fn script(version: u8, requests: &str) {
    let place = speaking().await;
    let controller = Controller::new(&place, version).await;
    let (url, _, taken) = receiver().await;
    let discovery = controller.call("GET", "/discovery", &json!({})).await.body;
    assert_eq!(discovery["api_version"], format!("{version}.0"));
    assert_eq!(discovery["supported_subject_request_types"], json!(["access", "portability", "erasure"]));
    assert_eq!(discovery["processor_certificate"], format!("https://{DOMAIN}/opendsr/certificate.pem"));
    let body = controller.request(ID, "erasure", &url);
    let made = controller.call("POST", requests, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["encoded_request"], STANDARD.encode(body.to_string()));
    assert_eq!(made.body["expected_completion_time"], "2026-01-31T23:59:59Z");
    assert_eq!(made.body["subject_request_id"], ID);
    assert_eq!(made.body["controller_id"], controller.token.0);
    let again = controller.call("POST", requests, &body).await;
    assert_eq!(again.body, made.body, "the same request is answered the same");
    let other = controller.request(ID, "access", &url);
    assert_eq!(controller.call("POST", requests, &other).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(controller.status(ID).await["request_status"], "pending");
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests;
    place.finish(&found[0].id).await;
    let done = controller.status(ID).await;
    assert_eq!((&done["request_status"], &done["results_count"]), (&json!("completed"), &json!(1)));
    let late = controller.call("DELETE", &format!("{requests}/{ID}"), &json!({})).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST, "only what is pending can be cancelled");
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let told: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    for (headers, body) in taken.lock().iter() {
        controller.assert_signed(headers, body.as_bytes());
        assert!(!body.contains("amy"), "{body}");
    }
    let words: Vec<&str> = told.iter().map(|one| one["request_status"].as_str().unwrap()).collect();
    assert_eq!(words, ["in_progress", "completed"]);
    assert_eq!(told[1]["status_callback_url"], url);
    // A second request is withdrawn before anything was done.
    let body = controller.request(OTHER_ID, "erasure", &url);
    assert_eq!(controller.call("POST", requests, &body).await.status, StatusCode::CREATED);
    let cancelled = controller.call("DELETE", &format!("{requests}/{OTHER_ID}"), &json!({})).await;
    assert_eq!(cancelled.status, StatusCode::ACCEPTED);
    assert_eq!(cancelled.body["subject_request_id"], OTHER_ID);
    assert_eq!(controller.status(OTHER_ID).await["request_status"], "cancelled");
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let last: Value = serde_json::from_str(&taken.lock().last().unwrap().1).unwrap();
    assert_eq!((&last["request_status"], &last["subject_request_id"]), (&json!("cancelled"), &json!(OTHER_ID)));
}

#[tokio::test]
async fn check_45_a_controller_of_version_1_goes_from_discovery_to_cancel() {
    script(1, "/requests").await;
    script(1, "/opengdpr_requests").await;
}

#[tokio::test]
async fn check_45_a_controller_of_version_2_goes_from_discovery_to_cancel() {
    script(2, "/requests").await;
}

#[tokio::test]
async fn check_45_a_controller_of_version_3_goes_from_discovery_to_cancel() {
    script(3, "/requests").await;
}

#[tokio::test]
async fn check_45_a_failed_request_is_never_completed() {
    let place = speaking().await;
    let controller = Controller::new(&place, 2).await;
    let (url, _, taken) = receiver().await;
    place.upstream.fail(calls::QUERY, 1, Fault::Status(403, 17));
    controller.call("POST", "/requests", &controller.request(ID, "erasure", &url)).await;
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests;
    let failed = place.finish(&found[0].id).await;
    assert_eq!((failed.state.status(), failed.state.reason()), (Status::Failed, Some(Reason::PermissionMissing)));
    let shown = controller.status(ID).await;
    assert_eq!(shown["request_status"], "in_progress");
    assert_eq!(shown["extensions"][DOMAIN]["failure"], "permission_missing");
    place.connector().end_opendsr(&failed.id, "ann").await.unwrap();
    assert_eq!(controller.status(ID).await["request_status"], "cancelled");
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let told: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert!(told.iter().all(|one| one["request_status"] != "completed"), "{told:?}");
    assert_eq!(told.last().unwrap()["request_status"], "cancelled");
}

#[tokio::test]
async fn check_45_two_controllers_may_ask_for_one_person_and_see_only_their_own() {
    let place = speaking().await;
    let (one, other) = (Controller::new(&place, 2).await, Controller::new(&place, 3).await);
    let (url, _, _) = receiver().await;
    one.call("POST", "/requests", &one.request(ID, "erasure", &url)).await;
    other.call("POST", "/requests", &other.request(OTHER_ID, "erasure", &url)).await;
    let missing = other.call("GET", &format!("/requests/{ID}"), &json!({})).await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert_eq!(missing.body["error"]["code"], 400);
    one.call("DELETE", &format!("/requests/{ID}"), &json!({})).await;
    assert_eq!(one.status(ID).await["request_status"], "cancelled");
    assert_eq!(other.status(OTHER_ID).await["request_status"], "pending", "the other asks for it still");
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests;
    assert_eq!(found.len(), 1);
    assert_eq!(state(&place.finish(&found[0].id).await), ERASED);
    assert_eq!(other.status(OTHER_ID).await["request_status"], "completed");
    assert_eq!(one.status(ID).await["request_status"], "cancelled");
}

#[tokio::test]
async fn check_45_a_request_that_every_controller_withdraws_is_withdrawn() {
    let place = speaking().await;
    let (one, other) = (Controller::new(&place, 2).await, Controller::new(&place, 3).await);
    let (url, _, _) = receiver().await;
    one.call("POST", "/requests", &one.request(ID, "erasure", &url)).await;
    other.call("POST", "/requests", &other.request(OTHER_ID, "erasure", &url)).await;
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests.remove(0);
    one.call("DELETE", &format!("/requests/{ID}"), &json!({})).await;
    assert_eq!(place.request(&found.id).await.state.status(), Status::Queued, "the other asks for it still");
    other.call("DELETE", &format!("/requests/{OTHER_ID}"), &json!({})).await;
    assert_eq!(place.request(&found.id).await.state.status(), Status::Canceled);
    for (controller, id) in [(&one, ID), (&other, OTHER_ID)] {
        assert_eq!(controller.status(id).await["request_status"], "cancelled");
    }
    place.run().await;
    assert!(place.upstream.deletions().is_empty());
}

#[tokio::test]
async fn check_45_one_open_request_is_handed_in_under_so_many_ids_and_each_is_told() {
    let place = speaking().await;
    let controller = Controller::new(&place, 2).await;
    let (url, _, taken) = receiver().await;
    let urls: Vec<String> = (0..8).map(|number| format!("{url}?{number}{}", "x".repeat(2_046 - url.len()))).collect();
    let body = |number: usize| {
        let mut body = controller.request(&format!("0b1c6a6f-8d1e-4c6b-9f0a-{number:012}"), "erasure", &url);
        body["status_callback_urls"] = json!(urls);
        body
    };
    for number in 0..16 {
        let made = controller.call("POST", "/requests", &body(number)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let refused = controller.call("POST", "/requests", &body(16)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("16 ids"), "{}", refused.body);
    assert_eq!(controller.call("POST", "/requests", &body(3)).await.status, StatusCode::CREATED, "the same again");
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests;
    assert_eq!(state(&place.finish(&found[0].id).await), ERASED);
    while place.connector().deliver_due().await.unwrap() > 0 {}
    let told: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let completed = told.iter().filter(|one| one["request_status"] == "completed").count();
    assert_eq!((told.len(), completed), (2 * 16 * 8, 16 * 8));
}

#[tokio::test]
async fn check_45_a_receiver_that_is_down_gets_its_callbacks_later_and_in_order() {
    let place = speaking().await;
    let controller = Controller::new(&place, 2).await;
    let (url, status, taken) = receiver().await;
    status.store(503, std::sync::atomic::Ordering::SeqCst);
    controller.call("POST", "/requests", &controller.request(ID, "access", &url)).await;
    let found = place.connector().requests(&connector::Filter::default(), None, 10).await.unwrap().requests;
    place.finish(&found[0].id).await;
    for _ in 0..10 {
        place.connector().deliver_due().await.unwrap();
        place.clock.advance(HOUR);
    }
    status.store(200, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..4 {
        place.clock.advance(2 * HOUR);
        place.connector().deliver_due().await.unwrap();
    }
    let told: Vec<Value> = taken.lock().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let words: Vec<&str> = told.iter().map(|one| one["request_status"].as_str().unwrap()).collect();
    assert_eq!(words, ["in_progress", "completed"]);
    assert_eq!(told[1]["results_url"], format!("https://{DOMAIN}/v1/requests/{}/package", found[0].id));
}

#[tokio::test]
async fn check_45_without_a_key_it_is_said_what_is_missing() {
    let place = Place::new().await;
    let (_, token) = place.connector().create_token("c", Role::RequestOperator, None).await.unwrap();
    let request = Request::get("/opendsr/v2/discovery").header("authorization", format!("Bearer {}", token.expose()));
    let response = router(place.shared()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("--opendsr-key-file"));
    // What others asked without the protocol needs no key, and calls nobody back.
    let request = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    assert_eq!(state(&place.finish(&request.id).await), FOUND);
}

#[test]
fn check_45_key_certificate_and_domain_must_fit_together() {
    let other_key = include_str!("opendsr/other-key.pem");
    let refusal = |domain, key, certificate| Processor::new(domain, key, certificate).err();
    assert_eq!(refusal(DOMAIN, KEY_PEM, CERTIFICATE_PEM), None);
    assert_eq!(refusal(DOMAIN, CERTIFICATE_PEM, CERTIFICATE_PEM), Some(ConfigError::NoKey));
    assert_eq!(refusal(DOMAIN, KEY_PEM, KEY_PEM), Some(ConfigError::NoCertificate));
    assert_eq!(refusal(DOMAIN, other_key, CERTIFICATE_PEM), Some(ConfigError::OtherKey));
    let other = "other.example.com".to_owned();
    assert_eq!(refusal("other.example.com", KEY_PEM, CERTIFICATE_PEM), Some(ConfigError::OtherDomain(other)));
}
