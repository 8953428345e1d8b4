//! A request as a controller writes it, in each version of the protocol.

use serde_json::{Map, Value};

use crate::{
    Error, NewRequest,
    deadlines::Regulation,
    requests::{Category, GivenIdentifier, Kind},
};

/// The most callbacks of one request.
pub(super) const CALLBACKS_MAX: usize = 8;
const FIELDS: &[&str] = &[
    "regulation",
    "subject_request_id",
    "subject_request_type",
    "subject_identities",
    "submitted_time",
    "api_version",
    "status_callback_urls",
    "extensions",
];

/// Why a call is refused, in words without anything that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refused {
    pub(crate) message: String,
    /// Whether we failed, and not the caller.
    pub(crate) is_ours: bool,
}

impl Refused {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Refused { message: message.into(), is_ours: false }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let is_ours = matches!(error, Error::Store(_) | Error::Open(_) | Error::File { .. } | Error::Outbound(_));
        Refused { message: if is_ours { "the service failed".to_owned() } else { error.to_string() }, is_ours }
    }
}

/// What was handed in.
pub(super) struct Submitted {
    pub(super) id: String,
    pub(super) request: NewRequest,
    /// Names or ids; everywhere when there is none.
    pub(super) integrations: Vec<String>,
    pub(super) callbacks: Vec<String>,
}

fn required(field: &str) -> Refused {
    Refused::new(format!("{field} field is required"))
}

fn wrong(field: &str) -> Refused {
    Refused::new(format!("{field} field is not valid"))
}

/// The text of a field, if it is there.
fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, Refused> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| wrong(field)),
    }
}

fn texts(fields: &Map<String, Value>, field: &str) -> Result<Vec<String>, Refused> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(all)) => {
            all.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(|| wrong(field))).collect()
        }
        Some(_) => Err(wrong(field)),
    }
}

/// Reads the body of a request.
pub(super) fn read(version: u8, domain: &str, body: &[u8]) -> Result<Submitted, Refused> {
    let fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Refused::new("the body is no JSON object"))?;
    if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        let shown = crate::redact::scrub(unknown, &[]);
        return Err(Refused::new(format!("{shown} field is not known")));
    }
    if text(&fields, "api_version")?.is_some_and(|told| told.split('.').next() != Some(version.to_string().as_str())) {
        return Err(Refused::new(format!("api_version is not that of this address, {version}.0")));
    }
    let id = text(&fields, "subject_request_id")?.ok_or_else(|| required("subject_request_id"))?;
    let uuid = uuid::Uuid::try_parse(id).map_err(|_| wrong("subject_request_id"))?;
    if uuid.get_version_num() != 4 || uuid.to_string() != id {
        return Err(Refused::new("subject_request_id must be a UUID v4 in lower case"));
    }
    let kind = match text(&fields, "subject_request_type")?.ok_or_else(|| required("subject_request_type"))? {
        "access" | "portability" => Kind::Access,
        "erasure" => Kind::Deletion,
        _ => return Err(Refused::new("subject_request_type must be access, portability or erasure")),
    };
    let submitted = text(&fields, "submitted_time")?.ok_or_else(|| required("submitted_time"))?;
    let mut request = NewRequest::new(kind, identities(version, &fields)?);
    request.received_at = Some(ids::Timestamp::parse(submitted).map_err(|_| wrong("submitted_time"))?);
    request.regulation = match text(&fields, "regulation")? {
        Some("gdpr") => Regulation::Gdpr,
        Some("ccpa") => Regulation::Ccpa,
        None if version == 1 => Regulation::Gdpr,
        None => return Err(required("regulation")),
        Some(_) => return Err(Refused::new("regulation must be gdpr or ccpa")),
    };
    let callbacks = texts(&fields, "status_callback_urls")?;
    if callbacks.len() > CALLBACKS_MAX {
        return Err(Refused::new(format!("status_callback_urls may have {CALLBACKS_MAX} entries")));
    }
    let integrations = extension(&fields, domain, &mut request)?;
    Ok(Submitted { id: id.to_owned(), request, integrations, callbacks })
}

/// Reads what is said to us alone; what is said to other processors is theirs.
fn extension(fields: &Map<String, Value>, domain: &str, request: &mut NewRequest) -> Result<Vec<String>, Refused> {
    let ours = match fields.get("extensions") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(all)) => all.get(domain),
        Some(_) => return Err(wrong("extensions")),
    };
    let Some(ours) = ours else { return Ok(Vec::new()) };
    let ours = ours.as_object().ok_or_else(|| wrong("extensions"))?;
    if ours.keys().any(|field| !matches!(field.as_str(), "integrations" | "dry_run")) {
        return Err(Refused::new("extensions may hold integrations and dry_run"));
    }
    if let Some(dry_run) = ours.get("dry_run") {
        request.is_dry_run = dry_run.as_bool().ok_or_else(|| wrong("extensions.dry_run"))?;
    }
    texts(ours, "integrations")
}

fn identities(version: u8, fields: &Map<String, Value>) -> Result<Vec<GivenIdentifier>, Refused> {
    let given: Vec<(&str, &Value, &Value)> = match (version, fields.get("subject_identities")) {
        (_, None | Some(Value::Null)) => return Err(required("subject_identities")),
        (3, Some(Value::Object(all))) => {
            all.iter().map(|(kind, one)| (kind.as_str(), &one["value"], &one["encoding"])).collect()
        }
        (1 | 2, Some(Value::Array(all))) => {
            let one = |one| identity(one).ok_or_else(|| wrong("subject_identities"));
            all.iter().map(one).collect::<Result<_, _>>()?
        }
        _ => return Err(wrong("subject_identities")),
    };
    if given.is_empty() {
        return Err(required("subject_identities"));
    }
    let read = |(kind, value, format): (&str, &Value, &Value)| {
        let category = match kind {
            "email" => Category::Email,
            "controller_customer_id" => Category::UserId,
            _ => return Err(Refused::new("identity_type must be email or controller_customer_id")),
        };
        if format.as_str() != Some("raw") {
            return Err(Refused::new("identity_format must be raw"));
        }
        let value = value.as_str().ok_or_else(|| required("identity_value"))?;
        Ok(GivenIdentifier::new(category, value)?)
    };
    given.into_iter().map(read).collect()
}

fn identity(one: &Value) -> Option<(&str, &Value, &Value)> {
    Some((one["identity_type"].as_str()?, &one["identity_value"], &one["identity_format"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "a7551968-d5d6-44b2-9831-815ac9017798";

    fn body() -> Value {
        json!({
            "regulation": "gdpr",
            "subject_request_id": ID,
            "subject_request_type": "erasure",
            "submitted_time": "2025-12-31T09:00:00Z",
            "subject_identities": [
                {"identity_type": "email", "identity_value": "amy@example.com", "identity_format": "raw"},
            ],
        })
    }

    fn refusal(version: u8, body: &Value) -> String {
        read(version, "us.example", body.to_string().as_bytes())
            .err()
            .map(|refused| refused.message)
            .unwrap_or_default()
    }

    #[test]
    fn check_45_each_version_reads_identities_its_own_way() {
        assert_eq!(refusal(1, &body()), "");
        assert_eq!(refusal(2, &body()), "");
        assert_eq!(refusal(3, &body()), "subject_identities field is not valid");
        let mut map = body();
        map["subject_identities"] = json!({"email": {"value": "amy@example.com", "encoding": "raw"}});
        assert_eq!(refusal(3, &map), "");
        assert_eq!(refusal(2, &map), "subject_identities field is not valid");
    }

    #[test]
    fn check_45_what_is_missing_or_wrong_is_named_and_never_repeated() {
        let cases = [
            ("/subject_request_id", json!("A7551968-D5D6-44B2-9831-815AC9017798"), "UUID v4 in lower case"),
            ("/subject_request_id", json!("x"), "subject_request_id"),
            ("/subject_request_type", json!("sale"), "access, portability or erasure"),
            ("/submitted_time", json!("yesterday"), "submitted_time"),
            ("/regulation", json!(null), "regulation field is required"),
            ("/subject_identities/0/identity_format", json!("sha256"), "identity_format must be raw"),
            ("/subject_identities/0/identity_type", json!("android_id"), "identity_type"),
            ("/subject_identities/0/identity_value", json!("canary"), "e-mail"),
        ];
        for (pointer, value, words) in cases {
            let mut changed = body();
            *changed.pointer_mut(pointer).unwrap() = value;
            let message = refusal(2, &changed);
            assert!(message.contains(words) && !message.contains("canary"), "{pointer}: {message}");
        }
        let mut with_more = body();
        with_more["colour"] = "red".into();
        assert!(refusal(2, &with_more).contains("colour"));
        with_more.as_object_mut().unwrap().remove("colour");
        with_more["api_version"] = "3.0".into();
        assert!(refusal(2, &with_more).contains("api_version"));
    }

    #[test]
    fn check_45_only_our_own_extension_is_read() {
        let mut body = body();
        body["extensions"] =
            json!({"other.example": {"x": 1}, "us.example": {"dry_run": true, "integrations": ["Chat"]}});
        let read = read(2, "us.example", body.to_string().as_bytes()).ok().unwrap();
        assert!(read.request.is_dry_run);
        assert_eq!(read.integrations, ["Chat"]);
        body["extensions"]["us.example"]["colour"] = 1.into();
        assert!(refusal(2, &body).contains("extensions"));
    }
}
