//! What users saw and did, which is checked and dropped, and links that count, which lead on (§5.16).

use form_urlencoded::byte_serialize;
use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Client, Pond, SECRET, sign, with};

const ENGAGEMENT: &str = "/analytics/v1.0/engagement/";
const IMPRESSION: &str = "/analytics/v1.0/impression/";

fn engagement(fields: Value) -> Value {
    let features = json!([{ "group": "topic", "value": "js" }]);
    with(json!({ "content": "1", "label": "click", "features": features, "user_data": "amy" }), fields)
}

fn impression(fields: Value) -> Value {
    with(json!({ "content_list": ["1", "2"], "user_data": { "id": "486892", "alias": "Julian" } }), fields)
}

/// Opens a link with a token in it, as a browser does: with no header that says who asks.
async fn open(client: &Client, url: &str, token: &Value, more: &str) -> Answer {
    let (client, path) = client.claims(token).with_its_token_in("/analytics/redirect/");
    let url: String = byte_serialize(url.as_bytes()).collect();
    client.get(&format!("{path}&url={url}{more}")).await
}

fn link() -> Value {
    json!({ "resource": "redirect_and_track", "action": "*", "user_id": "*" })
}

#[tokio::test]
async fn what_users_did_and_saw_is_taken_and_dropped() {
    let pond = Pond::new().await;
    let before = pond.stamp();
    let more = engagement(json!({ "content": { "foreign_id": "tweet:1" }, "position": 3, "feed_id": "user:amy" }));
    for client in [pond.user("amy"), pond.scope("analytics", "write", "userbob"), (*pond).clone()] {
        let many = json!({ "content_list": [engagement(json!({})), more] });
        assert_eq!(client.post(ENGAGEMENT, many).await.ok(201), json!({}));
        assert_eq!(client.post(IMPRESSION, impression(json!({}))).await.ok(201), json!({}));
        let list = json!([impression(json!({})), impression(json!({ "user_data": null, "features": [] }))]);
        assert_eq!(client.post(IMPRESSION.trim_end_matches('/'), list).await.ok(201), json!({}));
    }
    assert_eq!(pond.stamp(), before, "nothing of it is stored");
}

#[tokio::test]
async fn what_says_nothing_is_refused_by_the_name_of_what_is_wrong() {
    let pond = Pond::new().await;
    let did = |fields: Value| json!({ "content_list": [engagement(json!({})), engagement(fields)] });
    let long = "x".repeat(256);
    for (path, body, field) in [
        (ENGAGEMENT, json!({}), "content_list"),
        (ENGAGEMENT, json!({ "content_list": "1" }), "content_list"),
        (ENGAGEMENT, json!({ "content_list": ["1"] }), "content_list"),
        (ENGAGEMENT, json!({ "content_list": vec![engagement(json!({})); 1001] }), "content_list"),
        (ENGAGEMENT, did(json!({ "label": null })), "label"),
        (ENGAGEMENT, did(json!({ "label": 3 })), "label"),
        (ENGAGEMENT, did(json!({ "content": null })), "content"),
        (ENGAGEMENT, did(json!({ "content": "" })), "content"),
        (ENGAGEMENT, did(json!({ "content": {} })), "content"),
        (ENGAGEMENT, did(json!({ "content": long })), "content"),
        (ENGAGEMENT, did(json!({ "user_data": 3 })), "user_data"),
        (ENGAGEMENT, did(json!({ "features": {} })), "features"),
        (ENGAGEMENT, did(json!({ "features": ["topic"] })), "features"),
        (ENGAGEMENT, did(json!({ "features": [{ "group": "topic" }] })), "value"),
        (IMPRESSION, json!({}), "content_list"),
        (IMPRESSION, impression(json!({ "content_list": [] })), "content_list"),
        (IMPRESSION, impression(json!({ "content_list": [1] })), "content_list"),
        (IMPRESSION, impression(json!({ "content_list": vec!["1"; 1001] })), "content_list"),
        (IMPRESSION, json!([impression(json!({})), impression(json!({ "user_data": [] }))]), "user_data"),
    ] {
        let refusal = pond.refuses(path, body.to_string()).await;
        assert_eq!((refusal.error, refusal.fields), ((400, 4), vec![field.to_owned()]), "{path}");
    }
    for body in ["[1]", "1", "nonsense", "[{]"] {
        assert_eq!(pond.refuses(IMPRESSION, body).await.error, (400, 4), "{body}");
    }
}

#[tokio::test]
async fn a_link_with_a_token_leads_on_and_tells_nobody_where_one_came_from() {
    let pond = Pond::new().await;
    let scopes = [
        link(),
        with(link(), json!({ "user_id": "amy", "feed_id": "*" })),
        json!({ "resource": "*", "action": "read" }),
    ];
    for token in &scopes {
        for (url, to) in [
            ("http://example.com/?a=b&c=%20d", "http://example.com/?a=b&c=%20d"),
            ("https://example.com", "https://example.com/"),
            ("https://example.com/\r\nSet-Cookie: a=b", "https://example.com/Set-Cookie:%20a=b"),
            ("https://münchen.example/é", "https://xn--mnchen-3ya.example/%C3%A9"),
        ] {
            let answer = open(&pond, url, token, "&auth_type=jwt&events=%5B%7B%22content%22:%221%22%7D%5D").await;
            let header = |name| answer.headers[name].to_str().unwrap();
            assert_eq!((answer.status, header("location")), (302, to));
            // The address has the token in it.
            assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer", "no-store"));
        }
    }
    let head = sign(SECRET, &link());
    let path = format!("/analytics/redirect?authorization={head}&url=https://example.com/");
    assert_eq!(pond.token(None).call(Method::HEAD, &path, "").await.status, 302);
}

#[tokio::test]
async fn a_link_without_a_token_of_the_application_leads_nowhere() {
    let pond = Pond::new().await;
    let url = "https://example.com/";
    for token in [
        json!({ "user_id": "amy" }),
        json!({ "resource": "feed", "action": "*", "feed_id": "*" }),
        json!({ "resource": "redirect_and_track", "action": "write" }),
        with(link(), json!({ "exp": 1 })),
        json!({}),
    ] {
        let answer = open(&pond, url, &token, "").await;
        assert_eq!(answer.refusal().error, (403, 17), "{token}");
        assert_eq!(answer.headers.get("location"), None);
    }
    let other = sign("another-secret", &link());
    for path in [
        format!("/analytics/redirect/?url={url}"),
        format!("/analytics/redirect/?authorization=&url={url}"),
        format!("/analytics/redirect/?authorization={other}&url={url}"),
        format!("/analytics/redirect/?auth_type=simple&authorization={}&url={url}", sign(SECRET, &link())),
    ] {
        // A token in a header is not one in the link.
        for client in [pond.token(None), (*pond).clone()] {
            let answer = client.get(&path).await;
            assert_eq!((answer.refusal().error, answer.headers.get("location")), ((403, 17), None), "{path}");
        }
    }
    let signed = format!("/analytics/redirect/?authorization={}&url={url}", sign(SECRET, &link()));
    assert_eq!(pond.key("unknown").token(None).get(&signed).await.refusal().error, (401, 2));
}

#[tokio::test]
async fn a_link_leads_to_the_web_alone_and_only_with_events_that_can_be_read() {
    let pond = Pond::new().await;
    let long = format!("https://example.com/{}", "x".repeat(2048));
    for url in [
        "",
        "nonsense",
        "/path",
        "//example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://",
        "https://example.com@elsewhere.example/",
        "https://a:b@example.com/",
        &long,
    ] {
        let answer = open(&pond, url, &link(), "").await;
        assert_eq!((answer.refusal().error, answer.refusal().fields), ((400, 4), vec!["url".to_owned()]), "{url}");
        assert_eq!(answer.headers.get("location"), None);
    }
    for events in ["nonsense", "%7B%7D", "%5B1%5D"] {
        let answer = open(&pond, "https://example.com/", &link(), &format!("&events={events}")).await;
        assert_eq!(answer.refusal().fields, ["events"], "{events}");
    }
}
