//! Lists by page, and parameters of calls: §15.1.

use std::collections::BTreeSet;

use connector::{
    NewRequest,
    http::{document, routes},
    requests::Kind,
    tokens::Role,
};
use serde_json::{Value, json};

use crate::{hooks::receiver, place::*};

const LISTS: [&str; 5] = ["/v1/integrations", "/v1/requests", "/v1/tokens", "/v1/webhooks", "/v1/audit"];

async fn get(place: &Place, path: &str) -> Value {
    let reply = place.call("GET", path, &Value::Null).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    reply.json()
}

/// A place with more than one of everything.
async fn place() -> Place {
    let place = Place::new().await;
    let (url, ..) = receiver().await;
    for number in 0..3 {
        place.connector().create_token(&format!("t{number}"), Role::Viewer, None).await.unwrap();
        place.connector().add_webhook(&url).await.unwrap();
        place.ask(&NewRequest::new(Kind::Access, vec![user_id(&format!("amy-{number}"))])).await;
    }
    place
}

#[tokio::test]
async fn every_list_is_walked_by_its_cursor_and_ends_with_none() {
    let place = place().await;
    for path in LISTS {
        let all = get(&place, &format!("{path}?limit=200")).await;
        assert_eq!(all["next_cursor"], Value::Null, "{path}");
        let all = all["data"].as_array().unwrap().clone();
        let mut walked = Vec::new();
        let mut next = String::new();
        loop {
            let page = get(&place, &format!("{path}?limit=1{next}")).await;
            walked.extend(page["data"].as_array().unwrap().clone());
            assert!(walked.len() <= all.len(), "{path} does not end");
            next = match &page["next_cursor"] {
                Value::Null => break,
                Value::String(cursor) => format!("&cursor={cursor}"),
                cursor => format!("&cursor={cursor}"),
            };
        }
        assert_eq!(walked, all, "{path}");
    }
}

#[tokio::test]
async fn a_limit_or_a_cursor_that_no_list_knows_is_refused_by_name() {
    let place = place().await;
    for path in LISTS {
        for (query, field) in
            [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor")]
        {
            let reply = place.call("GET", &format!("{path}?{query}"), &Value::Null).await;
            assert_eq!(reply.status, 422, "{path}?{query}: {}", reply.json());
            assert_eq!(reply.json()["errors"][0]["field"], field, "{path}?{query}");
        }
    }
    let batch = place.call("POST", "/v1/batches", &json!({})).await;
    assert_eq!(batch.status, 201, "{}", batch.json());
    let rows = batch.json()["links"]["rows"].as_str().unwrap().to_owned();
    for query in ["cursor=0", "cursor=2", "limit=0"] {
        assert_eq!(place.call("GET", &format!("{rows}?{query}"), &Value::Null).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn what_was_sent_is_listed_by_page_and_by_how_it_stands() {
    let place = Place::new().await;
    let (url, status, _) = receiver().await;
    let (hook, _) = place.connector().add_webhook(&url).await.unwrap();
    place.access(user_id("amy")).await;
    place.connector().deliver_due().await.unwrap();
    status.store(410, std::sync::atomic::Ordering::SeqCst);
    place.access(user_id("amy")).await;
    place.connector().deliver_due().await.unwrap();
    let path = format!("/v1/webhooks/{}/deliveries", hook.id);
    let all = get(&place, &path).await["data"].as_array().unwrap().clone();
    let of = |state: &str| all.iter().filter(|one| one["state"] == state).cloned().collect::<Vec<_>>();
    assert_eq!(of("dead").len(), 1);
    for state in ["delivered", "pending", "dead"] {
        let page = get(&place, &format!("{path}?state={state}")).await;
        assert_eq!((&page["data"], &page["next_cursor"]), (&json!(of(state)), &Value::Null), "{state}");
    }
    let first = get(&place, &format!("{path}?limit=2")).await;
    let rest = get(&place, &format!("{path}?cursor={}", first["next_cursor"])).await;
    let walked = [first["data"].as_array().unwrap().clone(), rest["data"].as_array().unwrap().clone()].concat();
    assert_eq!((walked, &rest["next_cursor"]), (all, &Value::Null));
    // What was sent is listed for a month; what nobody has taken stays.
    place.clock.advance(30 * DAY);
    place.connector().sweep().await.unwrap();
    let left = get(&place, &path).await["data"].as_array().unwrap().clone();
    assert!(!left.is_empty() && left.iter().all(|one| one["state"] == "pending"), "{left:?}");
    let reply = place.call("GET", &format!("{path}?state=lost"), &Value::Null).await;
    assert_eq!((reply.status, &reply.json()["errors"][0]["field"]), (422, &json!("state")));
}

#[tokio::test]
async fn check_50_the_document_names_exactly_the_parameters_that_each_call_reads() {
    let place = Place::new().await;
    let document = document();
    let mut asked = 0;
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
        let told: BTreeSet<&str> = parameters.map(|one| one["name"].as_str().unwrap()).collect();
        if told.is_empty() {
            continue;
        }
        asked += 1;
        let path = format!("{}?canary_field=1", route.path.replace("{id}", &place.integration));
        let problem = place.call(route.method, &path, &json!({})).await.json();
        let detail = problem["detail"].as_str().unwrap();
        let (_, expected) = detail.split_once("expected ").unwrap_or_else(|| panic!("{path}: {detail}"));
        let known: BTreeSet<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert_eq!(known, told, "{path}");
    }
    assert!(asked >= 10, "{asked}");
}

#[tokio::test]
async fn the_last_of_more_tokens_than_a_page_of_the_store_is_revoked() {
    let place = Place::new().await;
    for number in 0..=store::Limit::PAGE.rows {
        place.connector().create_token(&format!("t{number}"), Role::Viewer, None).await.unwrap();
    }
    let tokens = place.connector().tokens().await.unwrap();
    let last = &tokens.last().unwrap().id;
    assert!(tokens.len() > store::Limit::PAGE.rows);
    place.connector().revoke_token(last).await.unwrap();
    assert!(place.connector().tokens().await.unwrap().iter().all(|token| token.id != *last));
}

#[tokio::test]
async fn every_reason_of_a_decision_is_shown_and_every_request_of_a_person_is_found() {
    let place = Place::new().await;
    let request = place.ask(&NewRequest::new(Kind::Access, vec![user_id("amy")])).await;
    for _ in 0..40 {
        place.connector().explain(&request.id, "ann", "hold", &"\u{1F512}".repeat(500)).await.unwrap();
        place.clock.advance(SECOND);
    }
    assert_eq!(place.connector().decisions(&request.id).await.unwrap().len(), 40);
    let many = store::Limit::PAGE.rows + 1;
    for _ in 0..many {
        let asked = place.ask(&NewRequest::new(Kind::Access, vec![user_id("bob")])).await;
        place.connector().cancel(&asked.id, "ann").await.unwrap();
    }
    assert_eq!(place.connector().find(&user_id("bob")).await.unwrap().len(), many);
}
