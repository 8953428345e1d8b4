//! Realtime: Bayeux by long-polling and by callback (§9). WebSockets are in `faye_sockets`, and in e2e, spoken by the official
//! client.

use http::Method;
use serde_json::{Value, json};

use crate::pond::{KEY, Members, Pond, SECRET, sign};

/// A client of `/faye`.
struct Subscriber<'p> {
    pond: &'p Pond,
    id: String,
}

async fn send(pond: &Pond, messages: Value) -> Vec<Value> {
    let answer = pond.call(Method::POST, "/faye", messages.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json().as_array().expect("a list").clone()
}

impl<'p> Subscriber<'p> {
    async fn new(pond: &'p Pond) -> Self {
        let types = ["websocket", "long-polling"];
        let hello =
            json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": types, "id": "1" }]);
        let answer = send(pond, hello).await.remove(0);
        let id = answer.text("clientId").to_owned();
        assert_eq!(
            answer,
            json!({
                "channel": "/meta/handshake", "id": "1", "version": "1.0", "successful": true, "clientId": id,
                "supportedConnectionTypes": ["long-polling", "cross-origin-long-polling", "callback-polling", "websocket"],
                "advice": { "reconnect": "retry", "interval": 0, "timeout": 45000 },
            })
        );
        Subscriber { pond, id }
    }

    async fn subscribe(&self, feed: &str, token: &str) -> Value {
        let name = format!("site-7-feed-{feed}");
        let ext = json!({ "user_id": name, "api_key": KEY, "signature": token });
        let channel = format!("/{name}");
        self.say(json!({ "channel": "/meta/subscribe", "subscription": channel, "ext": ext, "id": "2" }))
            .await
            .remove(0)
    }

    async fn say(&self, message: Value) -> Vec<Value> {
        send(self.pond, json!([crate::pond::with(message, json!({ "clientId": self.id }))])).await
    }

    /// What is told next.
    async fn next(&self) -> Value {
        let mut told = self.say(json!({ "channel": "/meta/connect", "connectionType": "long-polling" })).await;
        assert_eq!(told.remove(0)["successful"], true);
        told.remove(0)
    }

    /// Whether nothing waits.
    async fn is_quiet(&self) -> bool {
        let now = json!({ "channel": "/meta/connect", "connectionType": "long-polling", "advice": { "timeout": 0 } });
        self.say(now).await.len() == 1
    }
}

fn scope(feed_id: &str, action: &str) -> String {
    sign(SECRET, &json!({ "resource": "*", "action": action, "feed_id": feed_id }))
}

#[tokio::test]
async fn a_page_of_another_origin_polls_with_credentials_and_a_form_that_is_called_text() {
    let pond = Pond::new().await;
    let page = pond.header("origin", "https://page.example");
    for path in ["/faye", "/faye/"] {
        let preflight = page.call(Method::OPTIONS, path, "").await;
        assert_eq!(preflight.status, 204);
        let hello =
            json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"] }]);
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("message", &hello.to_string()).finish();
        let answer = page.header("content-type", "text/plain;charset=UTF-8").call(Method::POST, path, form).await;
        assert_eq!(answer.json()[0]["successful"], true, "{}", answer.text);
        for answer in [preflight, answer] {
            assert_eq!(answer.headers["access-control-allow-origin"], "https://page.example");
            assert_eq!(answer.headers["access-control-allow-credentials"], "true");
        }
    }
    let feed = page.get("feed/user/amy/").await;
    assert_eq!(feed.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_subscriber_is_told_what_is_added_and_removed() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    let answer = amy.subscribe("useramy", &scope("useramy", "read")).await;
    let channel = "/site-7-feed-useramy";
    assert_eq!(
        answer,
        json!({ "channel": "/meta/subscribe", "id": "2", "clientId": amy.id, "subscription": channel, "successful": true })
    );
    let added =
        pond.add("user:amy", json!({ "actor": "amy", "foreign_id": "fish:1", "time": "2018-07-08T14:09:36" })).await;
    assert_eq!(
        amy.next().await,
        json!({
            "channel": channel,
            "data": {
                "feed": "user:amy", "app_id": "7", "new": [added], "deleted": [], "deleted_foreign_ids": [],
                "published_at": "2026-01-01T00:00:00.000000Z",
            },
        })
    );
    pond.delete("feed/user/amy/fish:1/?foreign_id=1").await.ok(200);
    let told = amy.next().await["data"].clone();
    assert_eq!((&told["new"], &told["deleted"]), (&json!([]), &json!([added["id"]])));
    assert_eq!(told["deleted_foreign_ids"], json!([["fish:1", "2018-07-08T14:09:36.000000"]]));
}

#[tokio::test]
async fn followers_and_targets_are_told_and_many_at_once_are_not() {
    let pond = Pond::new().await;
    let bob = Subscriber::new(&pond).await;
    let everything = scope("*", "*");
    for feed in ["timelinebob", "notificationbob"] {
        assert_eq!(bob.subscribe(feed, &everything).await["successful"], true, "{feed}");
    }
    pond.add("user:amy", json!({ "object": "before" })).await;
    pond.follow("timeline:bob", "user:amy").await;
    pond.post("feed/add_to_many/", json!({ "feeds": ["timeline:bob"], "activity": crate::pond::activity(json!({})) }))
        .await
        .ok(201);
    pond.add("user:amy", json!({ "object": "after" })).await;
    let told = bob.next().await["data"].clone();
    assert_eq!((told.text("feed"), &told["new"][0]["object"]), ("timeline:bob", &json!("after")));
    assert_eq!(told["new"][0]["origin"], "user:amy");
    pond.add("user:carl", json!({ "to": ["notification:bob"], "time": "2018-07-08T14:09:36" })).await;
    let told = bob.next().await["data"].clone();
    assert_eq!((told.text("feed"), &told["new"][0]["group"]), ("notification:bob", &json!("post_2018-07-08")));
    pond.delete("feed/timeline/bob/follows/user:amy/").await.ok(200);
    let id = pond.add("user:amy", json!({})).await.text("id").to_owned();
    pond.add("user:carl", json!({ "to": ["notification:bob"], "object": "last" })).await;
    assert_eq!(bob.next().await["data"]["new"][0]["object"], "last", "{id} is not told");
}

#[tokio::test]
async fn an_update_is_told_as_new() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    let id = pond.add("user:amy", json!({})).await.text("id").to_owned();
    amy.subscribe("useramy", &sign(SECRET, &json!({ "user_id": "bob" }))).await;
    pond.post("activity/", json!({ "id": id, "set": { "weight": 2 } })).await.ok(201);
    assert_eq!(amy.next().await["data"]["new"][0]["weight"], 2);
}

#[tokio::test]
async fn only_who_may_read_a_feed_subscribes_to_it() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    let user = |id: &str| sign(SECRET, &json!({ "user_id": id }));
    for (feed, token, is_let_in) in [
        ("user111", scope("user111", "*"), true),
        ("user111", scope("user222", "*"), false),
        ("user111", scope("user111", "write"), false),
        ("user111", sign("other", &json!({ "user_id": "111" })), false),
        ("user111", "nonsense".to_owned(), false),
        ("timelineamy", user("amy"), true),
        ("timelinebob", user("amy"), false),
        ("userbob", user("amy"), true),
        ("nopebob", user("amy"), false),
    ] {
        let answer = amy.subscribe(feed, &token).await;
        assert_eq!(answer["successful"], is_let_in, "{feed}: {answer}");
        assert_eq!(answer.get("error").is_some(), !is_let_in);
    }
    for ext in [
        json!({ "user_id": "site-7-feed-userbob", "api_key": KEY, "signature": user("111") }),
        json!({ "user_id": "site-7-feed-user111", "api_key": "none", "signature": user("111") }),
        json!({ "api_key": KEY }),
        Value::Null,
    ] {
        let message = json!({ "channel": "/meta/subscribe", "subscription": "/site-7-feed-user111", "ext": ext });
        assert_eq!(amy.say(message).await[0]["successful"], false);
    }
    let other_app = json!({ "api_key": KEY, "signature": user("111") });
    let message = json!({ "channel": "/meta/subscribe", "subscription": "/site-1-feed-user111", "ext": other_app });
    assert_eq!(amy.say(message).await[0]["successful"], false);
}

#[tokio::test]
async fn who_leaves_is_told_nothing_and_who_is_unknown_shakes_hands() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    amy.subscribe("useramy", &scope("useramy", "*")).await;
    let left = amy.say(json!({ "channel": "/meta/unsubscribe", "subscription": "/site-7-feed-useramy" })).await;
    assert_eq!(left[0]["successful"], true);
    pond.add("user:amy", json!({})).await;
    assert!(amy.is_quiet().await);
    assert_eq!(amy.say(json!({ "channel": "/meta/disconnect" })).await[0]["successful"], true);
    let answer = amy.say(json!({ "channel": "/meta/connect", "connectionType": "long-polling" })).await.remove(0);
    assert_eq!(answer["error"], format!("401:{}:Unknown client", amy.id));
    assert_eq!(answer["advice"]["reconnect"], "handshake");
}

#[tokio::test]
async fn clients_publish_nothing() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    let answer = amy.say(json!({ "channel": "/site-7-feed-useramy", "data": {} })).await.remove(0);
    assert_eq!(
        (&answer["successful"], answer.text("error")),
        (&json!(false), "403:/site-7-feed-useramy:Forbidden channel")
    );
}

/// Says something by a script in a page; the answers.
async fn script(pond: &Pond, messages: Value) -> Vec<Value> {
    let message: String = form_urlencoded::byte_serialize(messages.to_string().as_bytes()).collect();
    let answer = pond.get(&format!("/faye?message={message}&jsonp=__jsonp1__")).await;
    assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8");
    let list = answer.text.strip_prefix("/**/__jsonp1__(").and_then(|text| text.strip_suffix(");"));
    serde_json::from_str::<Value>(list.expect("a call of the function")).unwrap().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_page_that_polls_by_script_shakes_hands_subscribes_and_is_told() {
    let pond = Pond::new().await;
    let hello =
        json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["callback-polling"] }]);
    let id = script(&pond, hello).await[0].text("clientId").to_owned();
    let say = |message: Value| json!([crate::pond::with(message, json!({ "clientId": id }))]);
    let subscribe = |token: String| {
        let ext = json!({ "user_id": "site-7-feed-useramy", "api_key": KEY, "signature": token });
        say(json!({ "channel": "/meta/subscribe", "subscription": "/site-7-feed-useramy", "ext": ext }))
    };
    assert_eq!(script(&pond, subscribe("wrong".into())).await[0]["successful"], false);
    assert_eq!(script(&pond, subscribe(scope("useramy", "read"))).await[0]["successful"], true);
    let odd = pond.add("user:amy", json!({ "object": "line\u{2028}end" })).await;
    let told = script(&pond, say(json!({ "channel": "/meta/connect", "connectionType": "callback-polling" }))).await;
    assert_eq!((&told[0]["successful"], &told[1]["data"]["new"][0]["object"]), (&json!(true), &odd["object"]));
    let left = script(&pond, say(json!({ "channel": "/meta/disconnect" }))).await;
    assert_eq!(left[0]["successful"], true);
}

#[tokio::test]
async fn a_client_that_speaks_no_way_that_is_served_is_refused() {
    let pond = Pond::new().await;
    let hello =
        json!([{ "channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["carrier-pigeon"] }]);
    let answer = send(&pond, hello).await.remove(0);
    assert_eq!((&answer["successful"], answer.text("error")), (&json!(false), "301::Connection types not supported"));
    assert!(answer.get("clientId").is_none());
}

#[tokio::test]
async fn an_app_that_was_revoked_lets_nobody_subscribe() {
    let pond = Pond::new().await;
    let amy = Subscriber::new(&pond).await;
    pond.admin(Method::POST, "apps/7/revoke", json!({})).await.ok(200);
    assert_eq!(amy.subscribe("useramy", &scope("useramy", "read")).await["successful"], false);
}

#[tokio::test]
async fn subscriptions_count_against_the_rate_of_the_app() {
    let pond = Pond::with_rate_limits(server::front::RateLimitSetting::Factor(0.001)).await;
    let amy = Subscriber::new(&pond).await;
    assert_eq!(amy.subscribe("useramy", &scope("useramy", "read")).await["successful"], true);
    let refused = amy.subscribe("userbob", &scope("userbob", "read")).await;
    assert_eq!(refused.text("error"), "429:/site-7-feed-userbob:Too many subscriptions of this app");
    pond.clock.advance(60_000_000);
    assert_eq!(amy.subscribe("userbob", &scope("userbob", "read")).await["successful"], true);
}

#[tokio::test]
async fn old_browsers_get_a_script_and_one_message_needs_no_list() {
    let pond = Pond::new().await;
    let message = "%5B%7B%22channel%22:%22/meta/handshake%22,%22version%22:%221.0%22%7D%5D";
    let answer = pond.get(&format!("/faye/?message={message}&jsonp=cb")).await;
    assert!(answer.text.starts_with("/**/cb([{") && answer.text.ends_with("]);"), "{}", answer.text);
    assert_eq!(pond.get(&format!("/faye?message={message}&jsonp=alert(1)//")).await.status, 400);
    let single = json!({ "channel": "/meta/handshake", "version": "1.0" });
    assert_eq!(send(&pond, single).await[0]["successful"], true);
    for body in ["", "x", "1", "[[]", &format!("{}1{}", "[".repeat(500), "]".repeat(500))] {
        assert_eq!(pond.call(Method::POST, "/faye", body.to_owned()).await.status, 400, "{body}");
    }
    assert_eq!(send(&pond, json!([1, null, {}])).await.len(), 3);
}
