//! `/opendsr/v1`, `v2`, `v3`: what controllers call (§16.1). `V` is the version of the protocol.
//!
//! Whoever shows no token, or one that may not, is refused before the protocol is spoken; from there on every error is
//! a 400 with the protocol's error object, and every answer is signed.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header::HeaderName},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Caller, Problem, router::Here};
use crate::{
    Connector,
    opendsr::{Processor, Refused, header_names},
};

/// Where the certificate is.
pub(super) const CERTIFICATE_PATH: &str = "/opendsr/certificate.pem";

fn unconfigured() -> Problem {
    let detail = "OpenDSR is not configured; start the service with --opendsr-domain, --opendsr-key-file and \
                  --opendsr-certificate-file";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "not_configured", detail)
}

/// A signed answer.
fn answer(processor: &Processor, version: u8, good: StatusCode, result: Result<Value, Refused>) -> Response {
    let (status, body) = match result {
        Ok(body) => (good, body),
        Err(refused) => {
            let (domain, reason) =
                if refused.is_ours { ("Service", "InternalError") } else { ("Validation", "IllegalArgument") };
            let detail = json!({"domain": domain, "reason": reason, "message": refused.message});
            let error = json!({"code": 400, "message": refused.message, "errors": [detail]});
            (StatusCode::BAD_REQUEST, json!({"error": error}))
        }
    };
    let body = body.to_string();
    let signature = processor.sign(body.as_bytes());
    let [domain, signed] = header_names(version).map(HeaderName::from_static);
    let kind = (HeaderName::from_static("content-type"), "application/json");
    let secrecy = (HeaderName::from_static("cache-control"), "no-store");
    let headers = [kind, secrecy, (domain, processor.domain()), (signed, signature.as_str())];
    (status, headers, body).into_response()
}

type Called = (Arc<Connector>, Caller);

async fn speak<const V: u8>(
    (connector, caller): Called,
    good: StatusCode,
    call: impl AsyncFnOnce(&Connector, &Caller) -> Result<Value, Refused>,
) -> Response {
    let Some(processor) = connector.processor() else { return unconfigured().into_response() };
    let result = call(&connector, &caller).await;
    answer(processor, V, good, result)
}

pub(super) async fn discovery<const V: u8>((State(connector), Extension(caller)): Here) -> Response {
    speak::<V>((connector, caller), StatusCode::OK, async |connector: &Connector, _: &Caller| {
        let domain = connector.processor().map(Processor::domain).unwrap_or_default();
        Ok(json!({
            "api_version": format!("{V}.0"),
            "supported_identities": [
                {"identity_type": "email", "identity_format": "raw"},
                {"identity_type": "controller_customer_id", "identity_format": "raw"},
            ],
            "supported_subject_request_types": ["access", "portability", "erasure"],
            "processor_certificate": format!("https://{domain}{CERTIFICATE_PATH}"),
        }))
    })
    .await
}

pub(super) async fn submit<const V: u8>((State(connector), Extension(caller)): Here, body: Bytes) -> Response {
    speak::<V>((connector, caller), StatusCode::CREATED, async |connector: &Connector, caller: &Caller| {
        connector.opendsr_submit(V, &caller.name, &body).await
    })
    .await
}

pub(super) async fn status<const V: u8>(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
) -> Response {
    speak::<V>((connector, caller), StatusCode::OK, async |connector: &Connector, caller: &Caller| {
        connector.opendsr_status(&id, &caller.name).await
    })
    .await
}

pub(super) async fn cancel<const V: u8>(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
) -> Response {
    speak::<V>((connector, caller), StatusCode::ACCEPTED, async |connector: &Connector, caller: &Caller| {
        connector.opendsr_cancel(&id, &caller.name).await
    })
    .await
}

/// The certificate, for everybody: without it nobody can check a signature.
pub(super) async fn certificate(State(connector): State<Arc<Connector>>) -> Response {
    match connector.processor() {
        Some(processor) => {
            ([("content-type", "application/x-pem-file")], processor.certificate().to_owned()).into_response()
        }
        None => unconfigured().into_response(),
    }
}
