//! The certificate of an erasure as a page for people: the same facts as the signed JSON, inert and self-contained.

use serde_json::Value;

use super::views::{escaped, page, table};

fn text(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A table with a row for each element of a list, and a column for each of `fields`.
fn list(elements: &Value, fields: &[&str]) -> String {
    let head: String = fields.iter().map(|field| format!("<th scope=\"col\">{}</th>", escaped(field))).collect();
    let cell = |element: &Value, field: &str| format!("<td>{}</td>", escaped(&text(&element[field])));
    let row = |element: &Value| {
        let cells: String = fields.iter().map(|field| cell(element, field)).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = elements.as_array().into_iter().flatten().map(row).collect();
    format!("<table>\n<tr>{head}</tr>\n{rows}</table>\n")
}

/// Before the key on the page.
const SIGNED_WITH: &str = "Signed with";

/// The public key that a certificate, or its page, says to be signed with.
pub fn signed_with(bytes: &[u8]) -> Option<String> {
    if let Ok(certificate) = serde_json::from_slice::<Value>(bytes) {
        return certificate["public_key"].as_str().map(str::to_owned);
    }
    let (_, rest) = std::str::from_utf8(bytes).ok()?.split_once(SIGNED_WITH)?;
    let (_, cell) = rest.split_once("<td>")?;
    Some(cell.split_once('<')?.0.to_owned())
}

/// The page of a certificate.
pub(crate) fn certificate_page(certificate: &Value) -> String {
    let fact = |name: &'static str, value: &Value| (name, text(value));
    let facts = [
        fact("Request", &certificate["request_id"]),
        fact("Person (keyed hash)", &certificate["subject_refs"]),
        fact("Service", &certificate["integration"]["name"]),
        fact("Host", &certificate["integration"]["host"]),
        fact("Submitted", &certificate["submitted_at"]),
        fact("Job", &certificate["task_id"]),
        fact("SHA-256 of what was sent", &certificate["body_sha256"]),
        fact("Options", &certificate["options"]),
        fact("Deleted, as the service counts", &certificate["deleted_counts"]),
        fact("Issued", &certificate["issued_at"]),
        fact("Audit log", &certificate["audit"]),
        fact(SIGNED_WITH, &certificate["public_key"]),
    ];
    let mut body = String::from("<h1>Certificate of erasure</h1>\n");
    body.push_str(&table(facts.into_iter()));
    body.push_str("<h2>What was done</h2>\n");
    body.push_str(&list(&certificate["timeline"], &["at", "what", "status", "task_id", "body_sha256", "attempts"]));
    body.push_str("<h2>What was looked for afterwards</h2>\n");
    body.push_str(&list(&certificate["checks"], &["at", "check", "subject", "status", "answer_sha256", "found"]));
    body.push_str("<h2>What this service does not reach</h2>\n<ul>\n");
    for line in certificate["scope"].as_array().into_iter().flatten() {
        body.push_str(&format!("<li>{}</li>\n", escaped(&text(line))));
    }
    body.push_str("</ul>\n");
    page("Certificate of erasure", &body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_shows_what_the_certificate_says_and_nothing_of_it_is_markup() {
        let page = certificate_page(&json!({
            "request_id": "dsr_1",
            "integration": {"name": "<script>", "host": "h"},
            "timeline": [{"at": "then", "what": "delete_users"}],
            "scope": ["Backups & more"],
        }));
        assert!(page.contains("dsr_1") && page.contains("delete_users") && page.contains("Backups &amp; more"));
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Content-Security-Policy"));
    }

    #[test]
    fn the_key_of_a_signature_is_found_in_both_forms() {
        let certificate = json!({"public_key": "a+b/c="});
        assert_eq!(signed_with(certificate.to_string().as_bytes()).as_deref(), Some("a+b/c="));
        assert_eq!(signed_with(certificate_page(&certificate).as_bytes()).as_deref(), Some("a+b/c="));
        assert_eq!(signed_with(b"<p>nothing"), None);
    }
}
