//! The service: §15, §18's exit codes rest on its answers.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use connector::{
    http::{Reply, document, router, routes},
    tokens::{Need, Role},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::place::*;

async fn call(place: &Place, method: &str, path: &str, body: Value) -> Reply {
    place.call(method, path, &body).await
}

async fn with_token(place: &Place, method: &str, path: &str, token: Option<&str>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = router(place.shared()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// The roles that may make a call, as the table beside this file says it.
fn allowed(method: &str, path: &str) -> Vec<&'static str> {
    let lines = include_str!("service/roles.txt").lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found: Vec<_> = lines.filter(|words| words.len() >= 2 && words[..2] == [method, path]).collect();
    assert_eq!(found.len(), 1, "{method} {path} stands in roles.txt once");
    found.remove(0).split_off(2)
}

#[tokio::test]
async fn check_46_every_route_refuses_the_roles_that_lack_its_scope() {
    let place = Place::new().await;
    for role in Role::ALL {
        let (_, token) = place.connector().create_token("t", *role, None).await.unwrap();
        for route in routes() {
            let is_allowed = *role == Role::SuperAdmin || allowed(route.method, route.path).contains(&role.word());
            assert_eq!(role.may(route.need), is_allowed, "{role} {} {}", route.method, route.path);
            let path = route.path.replace("{id}", "nobody");
            let (status, body) = with_token(&place, route.method, &path, Some(token.expose())).await;
            let is_refused = status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, !role.may(route.need), "{role} {} {path}: {status} {body}", route.method);
        }
    }
    for route in routes() {
        let (status, _) = with_token(&place, route.method, &route.path.replace("{id}", "x"), None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", route.path);
    }
    assert!(Need::ALL.iter().all(|need| Role::SuperAdmin.may(*need)));
    assert!(!Role::Viewer.may(Need::ReadPackages) && !Role::RequestOperator.may(Need::Decide));
}

#[tokio::test]
async fn check_46_nobody_approves_a_request_of_their_own_under_four_eyes() {
    let place = Place::with(|new| {
        new.policies.needs_approval = true;
        new.policies.four_eyes = true;
    })
    .await;
    let body = json!({"type": "deletion", "identifiers": [{"category": "user_id", "value": "amy"}]});
    let made = call(&place, "POST", "/v1/requests", body).await.json();
    assert_eq!((&made["status"], &made["reason"]), (&json!("held"), &json!("approval_required")));
    let id = made["id"].as_str().unwrap();
    let refused = call(&place, "POST", &format!("/v1/requests/{id}/approve"), json!({})).await;
    assert_eq!(refused.status, 409);
    place.connector().approve(id, "bob").await.unwrap();
    assert_eq!(state(&place.finish(id).await), ERASED);
}

#[tokio::test]
async fn a_token_that_was_ended_or_is_too_old_lets_nobody_in() {
    let place = Place::new().await;
    let expires_at = Some(ids::Timestamp::from_micros(START + HOUR));
    let (token, text) = place.connector().create_token("t", Role::Viewer, expires_at).await.unwrap();
    assert_eq!(with_token(&place, "GET", "/v1/requests", Some(text.expose())).await.0, StatusCode::OK);
    place.clock.advance(2 * HOUR);
    assert_eq!(with_token(&place, "GET", "/v1/requests", Some(text.expose())).await.0, StatusCode::UNAUTHORIZED);
    place.connector().revoke_token(&token.id).await.unwrap();
    assert!(place.connector().tokens().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_request_is_made_shown_and_found_and_names_nobody() {
    let place = Place::new().await;
    let body = json!({
        "type": "access", "identifiers": [{"category": "email", "value": "Amy@Example.com"}],
        "regulation": "gdpr", "received_at": "2025-12-31T09:00:00Z", "external_id": "T-881",
    });
    let made = call(&place, "POST", "/v1/requests", body.clone()).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["due_at"], "2026-01-31T23:59:59Z");
    assert_eq!(made["identifiers"], json!([{"category": "email", "masked": "A***@E***.com"}]));
    let id = made["id"].as_str().unwrap();
    place.finish(id).await;
    let again = call(&place, "POST", "/v1/requests", body).await;
    assert_eq!((again.status, &again.json()["duplicate_of"]), (200, &json!(id)));
    let shown = call(&place, "GET", &format!("/v1/requests/{id}"), json!({})).await.json();
    assert_eq!((&shown["status"], &shown["outcome"]), (&json!("complete"), &json!("records_found")));
    assert_eq!(shown["display_name"], "Complete – 1 record found");
    assert_eq!(shown["executions"][0]["sub_tasks"].as_array().unwrap().len(), 4);
    assert!(!shown.to_string().to_lowercase().contains("amy@"), "{shown}");
    let found = call(&place, "POST", "/v1/requests/search", json!({"category": "email", "value": "amy@example.com"}));
    assert_eq!(found.await.json()["data"][0]["id"], json!(id));
    let list = call(&place, "GET", "/v1/requests?status=complete&type=access&external_id=T-881", json!({})).await;
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
    let package = call(&place, "GET", &format!("/v1/requests/{id}/package"), json!({})).await;
    assert!(connector::package::verify(std::io::Cursor::new(package.body)).is_ok());
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let path = format!("/v1/requests/{id}/package?recipient={recipient}");
    let sealed = call(&place, "GET", &path, json!({})).await;
    assert!(sealed.body.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    let mistyped = call(&place, "GET", &path.replace("ql3z", "ql3y"), json!({})).await;
    assert_eq!((mistyped.status, &mistyped.json()["code"]), (422, &json!("invalid")));
    let manifest = call(&place, "GET", &format!("/v1/requests/{id}/manifest"), json!({})).await.json();
    assert_eq!(manifest["subjects"][0]["user_id"], "amy");
    assert_eq!(call(&place, "GET", &format!("/v1/requests/{id}/certificate"), json!({})).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_never_repeated() {
    let place = Place::new().await;
    let cases = [
        (json!({"type": "access", "identifiers": [], "colour": "red"}), 422, "colour"),
        (json!({"type": "sale", "identifiers": [{"category": "email", "value": "a@b.c"}]}), 422, "`type`"),
        (json!({"type": "access", "identifiers": [{"category": "email", "value": "canary"}]}), 422, "`identifiers`"),
        (json!({"type": "access", "identifiers": [{"category": "email", "value": 7}]}), 422, "wrong type"),
        (json!({"type": "access", "identifiers": []}), 422, "`identifiers`"),
        (json!({"identifiers": [{"category": "user_id", "value": "x"}]}), 422, "`type`"),
    ];
    for (body, status, words) in cases {
        let reply = call(&place, "POST", "/v1/requests", body).await;
        let problem = reply.json();
        assert_eq!(reply.status, status, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words) && !detail.contains("canary"), "{detail}");
        assert!(problem["type"].as_str().unwrap().starts_with("https://millpond.dev/problems/"));
    }
    assert_eq!(call(&place, "GET", "/v1/requests/dsr_x", json!({})).await.status, 404);
    assert_eq!(call(&place, "GET", "/v2", json!({})).await.status, 404);
    assert_eq!(call(&place, "POST", "/v1/requests/dsr_x/link", json!({})).await.status, 404);
}

#[tokio::test]
async fn check_02_an_integration_is_made_over_the_service_and_its_secret_is_never_shown() {
    let place = Place::empty().await;
    let mut body = json!({"name": "Stream", "base_url": place.upstream.url(), "api_key": KEY, "api_secret": "wrong!"});
    let refused = call(&place, "POST", "/v1/integrations", body.clone()).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["code"], "credential_swapped");
    body["api_secret"] = SECRET.into();
    let made = call(&place, "POST", "/v1/integrations", body).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(
        (&made["health"], &made["async_deletion_behavior"]),
        (&json!("connected"), &json!("wait_for_completion"))
    );
    assert_eq!(made["credential"]["api_key"], "cana…");
    let path = format!("/v1/integrations/{}", made["id"].as_str().unwrap());
    let changed = call(&place, "PATCH", &path, json!({"policies": {"approval": true}})).await.json();
    assert_eq!(changed["policies"]["approval"], true);
    assert_eq!(call(&place, "PATCH", &path, json!({"delete_options": {"messages": "soft"}})).await.status, 422);
    assert_eq!(call(&place, "PATCH", &path, json!({"colour": 1})).await.status, 422);
    let shown = call(&place, "GET", "/v1/integrations", json!({})).await.json();
    assert!(!shown.to_string().contains(SECRET) && !shown.to_string().contains(KEY));
    let limits = call(&place, "GET", &format!("{path}/limits"), json!({})).await;
    assert_eq!(limits.status, 200);
    assert_eq!(call(&place, "DELETE", &path, json!({})).await.status, 204);
    assert_eq!(call(&place, "GET", &path, json!({})).await.status, 404);
}

#[tokio::test]
async fn check_37_a_preview_gives_the_token_for_what_it_showed() {
    let place = Place::new().await;
    let body = json!({"identifiers": [{"category": "user_id", "value": "amy"}]});
    // The call waits until the steps that are made beside it have settled the request.
    let shown = tokio::select! {
        shown = call(&place, "POST", "/v1/requests/preview", body) => shown.json(),
        _ = place.work() => unreachable!("it works for ever"),
    };
    assert_eq!(shown["outcome"], "preview");
    assert!(shown["confirm_token"].is_string(), "{shown}");
    assert!(place.upstream.deletions().is_empty());
}

/// Every schema that `value` refers to.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn check_50_the_document_says_of_every_good_answer_what_it_holds() {
    let document = document();
    let mut media_types = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let good = operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
            let good: Vec<_> = good.collect();
            assert_eq!(good.len(), 1, "{method} {path}");
            for (status, answer) in good {
                let content = answer["content"].as_object();
                assert_eq!(content.is_none(), status == "204", "{method} {path}");
                for (media_type, told) in content.into_iter().flatten() {
                    let schema = &told["schema"];
                    let is_told =
                        schema["$ref"].is_string() || (media_type != "application/json" && schema["type"] == "string");
                    assert!(is_told, "{method} {path} answers {media_type} without a schema");
                    media_types += 1;
                }
            }
        }
    }
    assert!(media_types > routes().len() / 2);
    let mut found = Vec::new();
    references(&document, &mut found);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in &found {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{reference} leads nowhere");
    }
    for name in schemas.keys() {
        assert!(found.iter().any(|reference| reference.ends_with(&format!("/{name}"))), "nothing uses {name}");
    }
}

#[tokio::test]
async fn check_50_an_answer_that_the_document_does_not_tell_would_be_noticed() {
    let faults = |value: Value| testing::schema::faults(&document(), "Token", &value);
    let token = json!({"id": 7, "name": "x", "role": "king", "created_at": "yesterday"});
    assert_eq!(faults(token).len(), 4);
    let whole =
        json!({"id": "a", "name": "x", "role": "viewer", "created_at": "2026-01-01T00:00:00Z", "expires_at": null});
    assert_eq!(faults(whole.clone()), Vec::<String>::new());
    let mut more = whole;
    more["secret"] = "x".into();
    assert_eq!(faults(more), ["Token.secret is not told"]);
}

#[tokio::test]
async fn check_50_every_problem_names_the_call_that_it_answers() {
    let place = Place::new().await;
    let first = place.call("GET", "/v1/requests/nobody", &Value::Null).await.json();
    let second = place.call("GET", "/v1/requests/nobody", &Value::Null).await.json();
    assert!(first["request_id"].is_string() && first["request_id"] != second["request_id"]);
    let (_, refused) = with_token(&place, "GET", "/v1/requests", None).await;
    assert!(refused["request_id"].is_string(), "{refused}");
}

#[tokio::test]
async fn check_50_the_document_names_every_route() {
    let document = document();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        assert_eq!(operation["summary"], route.about, "{} {}", route.method, route.path);
    }
    let mut ids: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[tokio::test]
async fn check_41_the_log_is_listed_exported_and_checked() {
    let place = Place::new().await;
    place.access(user_id("amy")).await;
    let checked = call(&place, "POST", "/v1/audit/verify", json!({})).await.json();
    assert_eq!(checked["ok"], true);
    let export = call(&place, "GET", "/v1/audit/export", json!({})).await;
    let lines = String::from_utf8(export.body).unwrap().lines().count() as u64;
    assert_eq!(lines, checked["entries"].as_u64().unwrap() + 2, "that it is exported is in it, and the key is its end");
}

#[tokio::test]
async fn check_41_the_log_says_who_did_what_about_whom_and_names_nobody() {
    let place = Place::new().await;
    let (token, text) = place.connector().create_token("carol", Role::SuperAdmin, None).await.unwrap();
    let (status, _) =
        with_token(&place, "POST", &format!("/v1/integrations/{}/test", place.integration), Some(text.expose())).await;
    assert_eq!(status, StatusCode::OK);
    with_token(&place, "GET", "/v1/audit/export", Some(text.expose())).await;
    let first = place.access(user_id("amy")).await;
    let second = place.access(user_id("amy")).await;
    let other = place.access(user_id("bob")).await;
    let entries = place.log().await;
    let last = |action: &str| entries.iter().rev().find(|entry| entry.action == action).unwrap().actor.clone();
    assert_eq!(last("integration.tested"), token.id);
    assert_eq!(last("audit.exported"), token.id);
    let subject = |request: &str| {
        let made = entries.iter().find(|entry| entry.action == "request.created" && entry.object == request);
        made.unwrap().subject.clone().unwrap()
    };
    assert_eq!(subject(&first.id), subject(&second.id), "the same person");
    assert_ne!(subject(&first.id), subject(&other.id));
    assert!(!subject(&first.id).contains("amy"));
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
}

#[tokio::test]
async fn check_41_every_call_is_in_the_log_with_what_it_came_to() {
    let place = Place::new().await;
    place.delete(user_id("amy")).await;
    let entries = place.log().await;
    let calls: Vec<_> = entries.iter().filter(|entry| entry.action == "upstream.call").collect();
    let of_requests: Vec<_> = calls.iter().filter(|entry| entry.request.is_some()).collect();
    assert_eq!(of_requests.len(), place.upstream.seen().len());
    let with = |name: &str| of_requests.iter().filter(|entry| entry.details.contains_key(name)).count();
    let to = |path: &str| of_requests.iter().filter(|entry| entry.details["path"].contains(path)).count();
    assert_eq!((with("task_id"), with("body_sha256")), (to("tasks/"), to("users/delete")));
    assert!(of_requests.iter().any(|entry| entry.details.get("code").is_some_and(|code| code == "16")));
    // Those of the test of the connection, too, even of what is not there, and which settings were changed.
    let of_test: Vec<_> = calls.iter().filter(|entry| entry.object == place.integration).collect();
    let steps: Vec<&str> = of_test.iter().map(|entry| entry.details["step"].as_str()).collect();
    assert_eq!(steps, ["T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9"]);
    let of_deletion = &of_test[4].details;
    assert_eq!((of_deletion["path"].as_str(), of_deletion["attempt"].as_str()), ("/users/delete", "1"));
    assert_eq!((of_deletion["status"].as_str(), of_deletion["body_sha256"].len()), ("400", 64));
    let settings = json!({"throttle": {"target": 0.7}, "policies": {"approval": true}});
    call(&place, "PATCH", &format!("/v1/integrations/{}", place.integration), settings).await;
    let changed = place.log().await.pop().unwrap();
    assert_eq!(
        (changed.action.as_str(), changed.details["settings"].as_str()),
        ("integration.changed", "throttle,policies")
    );
}

#[tokio::test]
async fn where_the_evidence_of_a_verification_lies_is_kept_and_shown() {
    let place = Place::new().await;
    let body = json!({
        "type": "access",
        "identifiers": [{"category": "user_id", "value": "amy"}],
        "verification": {"method": "email_link", "verified_by": "portal", "evidence_ref": "case-7"},
    });
    let made = call(&place, "POST", "/v1/requests", body).await.json();
    assert_eq!(made["verification"]["evidence_ref"], "case-7", "{made}");
}

#[tokio::test]
async fn an_integration_that_is_removed_leaves_no_request_open_on_it() {
    let place = Place::with(|new| new.policies.needs_approval = true).await;
    place.upstream.set(|world| {
        world.add("bob", "bob@example.com");
        world.task_words = vec!["running".into()];
    });
    let ask = async |user: &str| {
        let new = connector::NewRequest::new(connector::requests::Kind::Deletion, vec![user_id(user)]);
        place.ask(&new).await.id
    };
    let (held, sent) = (ask("amy").await, ask("bob").await);
    place.connector().release(&sent, "operator").await.unwrap();
    place.run_until_deleted().await;
    place.run().await;
    let path = format!("/v1/integrations/{}", place.integration);
    assert_eq!(call(&place, "DELETE", &path, json!({})).await.status, 409, "what waits for a person is open too");
    let removed = call(&place, "DELETE", &format!("{path}?force=true"), json!({})).await;
    assert!(removed.status < 300, "{}", removed.status);
    let ended = [place.request(&held).await, place.request(&sent).await];
    assert_eq!(ended[0].state.status(), connector::status::Status::Canceled);
    assert_eq!(ended[1].state.status(), connector::status::Status::Failed);
    assert_eq!(ended[1].state.reason(), Some(connector::status::Reason::IntegrationDisconnected));
    assert_eq!(place.connector().next_due().await.unwrap(), None);
}

#[tokio::test]
async fn what_requests_take_in_is_set_for_each_integration() {
    let place = Place::new().await;
    let path = format!("/v1/integrations/{}", place.integration);
    let shown = call(&place, "GET", &path, json!({})).await.json();
    assert_eq!((&shown["include_feeds"], &shown["raw"]), (&json!(null), &json!(true)));
    let body = json!({
        "include_feeds": false, "include_files": true, "file_hosts": [".cdn.example.com"], "redact_others": true,
        "raw": false, "async_export_fallback": false, "export_before_delete": true,
    });
    let shown = call(&place, "PATCH", &path, body.clone()).await.json();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&shown[field], value, "{field}");
    }
    let back = call(&place, "PATCH", &path, json!({"include_feeds": null})).await.json();
    assert_eq!((&back["include_feeds"], &back["raw"]), (&json!(null), &json!(false)));
    for wrong in [json!({"redact_others": false}), json!({"file_hosts": ["https://x/"]}), json!({"raw": 1})] {
        assert_eq!(call(&place, "PATCH", &path, wrong.clone()).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn every_decision_has_its_reason_which_is_sealed_and_goes_with_the_request() {
    let place = Place::with(|new| new.policies.needs_approval = true).await;
    let body = json!({"type": "deletion", "identifiers": [{"category": "user_id", "value": "amy"}]});
    let made = call(&place, "POST", "/v1/requests", body).await.json();
    let path = format!("/v1/requests/{}", made["id"].as_str().unwrap());
    let long = call(&place, "POST", &format!("{path}/approve"), json!({"reason": "x".repeat(501)})).await;
    assert_eq!((long.status, &long.json()["errors"][0]["field"]), (422, &json!("reason")));
    let unknown = call(&place, "POST", &format!("{path}/approve"), json!({"why": "x"})).await;
    assert_eq!(unknown.status, 422);
    assert_eq!(call(&place, "GET", &path, json!({})).await.json()["status"], "held", "nothing was decided");
    let denied = call(&place, "POST", &format!("{path}/deny"), json!({"reason": "canary-words of amy"})).await.json();
    let told =
        json!([{"at": "2026-01-01T00:00:00Z", "actor": "local", "action": "deny", "reason": "canary-words of amy"}]);
    assert_eq!((&denied["status"], &denied["decisions"]), (&json!("canceled"), &told));
    assert!(place.log().await.iter().all(|entry| !entry.to_json().contains("canary-words")));
    place.connector().shred(made["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(call(&place, "GET", &path, json!({})).await.json()["decisions"][0]["reason"], Value::Null);
}
