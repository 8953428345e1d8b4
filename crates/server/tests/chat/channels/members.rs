//! Members: coming, going, roles, invites, and how each sees the channel (§6.6, §11.3).

use http::Method;
use serde_json::{Value, json};

use super::{QUERY, each, general};

const PATH: &str = "channels/messaging/general";

fn member<'a>(answer: &'a Value, user: &str) -> &'a Value {
    let members = answer["members"].as_array().unwrap();
    members.iter().find(|member| member["user_id"] == user).unwrap_or_else(|| panic!("no {user}: {answer}"))
}

#[tokio::test]
async fn members_come_and_go_and_the_answer_lists_who_is_there() {
    let pond = general().await;
    let answer = pond.post(PATH, json!({ "add_members": ["cat", { "user_id": "dan", "color": "red" }] })).await.ok(201);
    assert_eq!(each(&answer["members"], "user_id"), "amy bob cat dan");
    assert_eq!((&member(&answer, "dan")["color"], &answer["channel"]["member_count"]), (&json!("red"), &json!(4)));
    let answer = pond.post(PATH, json!({ "remove_members": ["cat", "nobody"], "add_members": null })).await.ok(201);
    assert_eq!(each(&answer["members"], "user_id"), "amy bob dan");
    let answer = pond.post(PATH, json!({ "remove_members": ["amy", "bob", "dan"] })).await.ok(201);
    assert_eq!((&answer["members"], &answer["channel"]["member_count"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_member_has_the_literal_shape() {
    let pond = general().await;
    let state = pond.post(QUERY, json!({})).await.ok(201);
    let mut bob = member(&state, "bob").clone();
    bob.as_object_mut().unwrap().remove("user");
    let at = "2026-01-01T00:00:00Z";
    assert_eq!(
        bob,
        json!({
            "user_id": "bob", "role": "member", "channel_role": "channel_member", "status": "member", "banned": false,
            "shadow_banned": false, "notifications_muted": false, "created_at": at, "updated_at": at,
        })
    );
    assert_eq!(member(&state, "amy")["role"], "owner");
}

#[tokio::test]
async fn moderators_are_made_and_unmade_and_roles_assigned() {
    let pond = general().await;
    let answer = pond.post(PATH, json!({ "add_moderators": ["bob", "cat"] })).await.ok(201);
    for user in ["bob", "cat"] {
        let member = member(&answer, user);
        assert_eq!((&member["role"], &member["channel_role"]), (&json!("moderator"), &json!("channel_moderator")));
        assert_eq!(member["is_moderator"], true);
    }
    let answer = pond.post(PATH, json!({ "demote_moderators": ["bob"] })).await.ok(201);
    let bob = member(&answer, "bob");
    assert_eq!((&bob["role"], &bob["channel_role"]), (&json!("member"), &json!("channel_member")));
    let roles = json!({ "assign_roles": [{ "user_id": "bob", "channel_role": "vip" }] });
    assert_eq!(member(&pond.v2().post(&format!("chat/{PATH}"), roles).await.ok(201), "bob")["channel_role"], "vip");
    assert_eq!(pond.refuses(Method::POST, PATH, r#"{"assign_roles":[{"user_id":"bob"}]}"#).await, (400, 4));
}

#[tokio::test]
async fn an_invitation_is_pending_until_it_is_accepted_or_rejected() {
    let pond = general().await;
    let answer = pond.post(PATH, json!({ "invites": ["cat", "dan"] })).await.ok(201);
    let cat = member(&answer, "cat");
    assert_eq!(
        (&cat["invited"], &cat["status"], cat.get("invite_accepted_at")),
        (&json!(true), &json!("pending"), None)
    );
    let invited = json!({ "filter_conditions": { "invite": "pending" }, "user_id": "cat" });
    assert_eq!(pond.post("channels", invited).await.ok(201)["channels"].as_array().unwrap().len(), 1);
    pond.clock.advance(1_000_000);
    let answer = pond.post(PATH, json!({ "accept_invite": true, "user_id": "cat" })).await.ok(201);
    assert_eq!(member(&answer, "cat")["invite_accepted_at"], "2026-01-01T00:00:01Z");
    let answer =
        pond.v2().post(&format!("chat/{PATH}"), json!({ "reject_invite": true, "user_id": "dan" })).await.ok(201);
    assert_eq!(member(&answer, "dan")["invite_rejected_at"], 1_767_225_601_000_000_000_i64);
    pond.post(PATH, json!({ "accept_invite": true, "user_id": "cat" })).await.ok(201);
    assert_eq!(pond.refuses(Method::POST, PATH, r#"{"accept_invite":true,"user_id":"eve"}"#).await, (400, 4));
    // Who is a member already and is asked nevertheless may say yes.
    pond.post(PATH, json!({ "invites": ["bob"] })).await.ok(201);
    let answer = pond.post(PATH, json!({ "accept_invite": true, "user_id": "bob" })).await.ok(201);
    assert_eq!(member(&answer, "bob")["user_id"], "bob");
}

#[tokio::test]
async fn a_member_pins_archives_and_has_own_fields() {
    let pond = general().await;
    let set = json!({ "set": { "pinned": true, "archived": true, "color": "red" } });
    let bob = pond.patch(&format!("{PATH}/member/bob"), set).await.ok(201)["channel_member"].clone();
    assert_eq!(
        (&bob["pinned_at"], &bob["archived_at"]),
        (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-01T00:00:00Z"))
    );
    assert_eq!(bob["color"], "red");
    let found = async |filter: Value| {
        let body = json!({ "filter_conditions": filter, "user_id": "bob" });
        pond.post("channels", body).await.ok(201)["channels"].as_array().unwrap().len()
    };
    assert_eq!((found(json!({ "pinned": true })).await, found(json!({ "archived": false })).await), (1, 0));
    let unset = json!({ "set": { "pinned": false, "archived": false }, "unset": ["color"] });
    let path = format!("chat/{PATH}/member?user_id=bob");
    let bob = pond.v2().patch(&path, unset).await.ok(201)["channel_member"].clone();
    assert_eq!((bob.get("pinned_at"), bob.get("archived_at"), &bob["custom"]), (None, None, &json!({})));
    assert_eq!((found(json!({ "pinned": true })).await, found(json!({ "archived": false })).await), (0, 1));
    assert_eq!(
        pond.refuses(Method::PATCH, &format!("{PATH}/member/cat"), r#"{"set":{"pinned":true}}"#).await,
        (400, 4)
    );
}

#[tokio::test]
async fn members_are_found_by_filter_and_sort() {
    let pond = general().await;
    let users = json!({ "users": { "bob": { "id": "bob", "name": "Bob the builder" } } });
    pond.post("users", users).await.ok(201);
    pond.post(PATH, json!({ "add_members": [{ "user_id": "cat", "score": 3 }] })).await.ok(201);
    let find = async |payload: Value| {
        let text: String = form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect();
        let answer = pond.get(&format!("members?payload={text}")).await.ok(200);
        each(&answer["members"], "user_id")
    };
    let of = |rest: Value| {
        let mut payload = json!({ "type": "messaging", "id": "general" });
        payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        payload
    };
    assert_eq!(find(of(json!({ "filter_conditions": {}, "sort": [] }))).await, "amy bob cat");
    assert_eq!(find(of(json!({ "filter_conditions": [] }))).await, "amy bob cat");
    assert_eq!(find(of(json!({ "filter_conditions": { "id": { "$in": ["bob", "eve"] } } }))).await, "bob");
    assert_eq!(find(of(json!({ "filter_conditions": { "name": { "$autocomplete": "buil" } } }))).await, "bob");
    assert_eq!(find(of(json!({ "filter_conditions": { "score": { "$gt": 2 } } }))).await, "cat");
    assert_eq!(find(of(json!({ "sort": [{ "field": "user_id", "direction": -1 }], "limit": 2 }))).await, "cat bob");
    assert_eq!(find(of(json!({ "user_id_gt": "amy", "offset": 1 }))).await, "cat");
    let kinds = json!({ "add_moderators": ["cat"], "invites": ["dan"] });
    pond.clock.advance(1_000_000);
    pond.post(PATH, kinds).await.ok(201);
    let ban = json!({ "target_user_id": "bob", "user_id": "amy", "channel_cid": "messaging:general" });
    pond.post("moderation/ban", ban).await.ok(201);
    for (filter, found) in [
        (json!({ "channel_role": "channel_moderator" }), "cat"),
        (json!({ "banned": true }), "bob"),
        (json!({ "invite": "pending" }), "dan"),
        (json!({ "joined": false }), "dan"),
        (json!({ "cid": "messaging:general", "name": { "$q": "builder" } }), "bob"),
        (json!({ "created_at": { "$gt": "2026-01-01T00:00:00Z" } }), "dan"),
        (json!({ "last_active": { "$exists": true } }), ""),
        (json!({ "$or": [{ "user_id": "amy" }, { "score": 3 }] }), "amy cat"),
    ] {
        assert_eq!(find(of(json!({ "filter_conditions": filter }))).await, found, "{filter}");
    }
    assert_eq!(find(of(json!({ "created_at_after": "2026-01-01T00:00:00Z" }))).await, "dan");
    assert_eq!(find(of(json!({ "created_at_before_or_equal": "2026-01-01T00:00:00Z" }))).await, "amy bob cat");
    for wrong in
        [json!({ "limit": 101 }), json!({ "offset": 1001 }), json!({ "filter_conditions": { "banned": { "$gt": 1 } } })]
    {
        let path = format!("members?payload={}", crate::pond::encoded(&of(wrong.clone())));
        assert_eq!(pond.refuses(Method::GET, &path, "").await, (400, 4), "{wrong}");
    }
    let body = json!({ "data": { "created_by_id": "amy", "members": ["amy", "bob"] } });
    pond.post("channels/messaging/query", body).await.ok(201);
    assert_eq!(
        find(json!({ "type": "messaging", "members": [{ "user_id": "bob" }, { "user_id": "amy" }] })).await,
        "amy bob"
    );
    assert_eq!(pond.get("members?payload=%7B%22id%22%3A%22general%22%7D").await.refusal(), (400, 4));
}

#[tokio::test]
async fn hidden_history_is_not_seen_by_who_comes_later() {
    let pond = general().await;
    super::say(&pond, "amy", "a").await;
    pond.clock.advance(1_000_000);
    pond.post(PATH, json!({ "add_members": ["cat"], "hide_history": true })).await.ok(201);
    // A moment wins over the switch.
    let since = json!({ "add_members": ["dan"], "hide_history": true, "hide_history_before": "2025-12-31T00:00:00Z" });
    pond.post(PATH, since).await.ok(201);
    pond.clock.advance(1_000_000);
    super::say(&pond, "amy", "b").await;
    let seen = async |user: &str| each(&pond.user(user).post(QUERY, json!({})).await.ok(201)["messages"], "id");
    assert_eq!(
        (seen("bob").await.as_str(), seen("cat").await.as_str(), seen("dan").await.as_str()),
        ("a b", "b", "a b")
    );
}

#[tokio::test]
async fn who_becomes_a_member_by_a_call_can_say_its_message() {
    let pond = general().await;
    for (user, change) in [
        ("cat", json!({ "add_members": ["cat"], "hide_history": true })),
        ("dan", json!({ "add_moderators": ["dan"] })),
        ("eve", json!({ "invites": ["eve"] })),
    ] {
        let mut body = change;
        body["message"] = json!({ "text": "here I am", "user_id": user });
        let answer = pond.post(PATH, body).await.ok(201);
        assert_eq!(member(&answer, user)["user_id"], user);
        assert_eq!(answer["message"]["user"]["id"], user);
        let read = pond.post(QUERY, json!({ "user_id": user })).await.ok(201)["read"].clone();
        let mark = read.as_array().unwrap().iter().find(|mark| mark["user"]["id"] == user).unwrap().clone();
        assert_eq!((&mark["unread_messages"], &mark["last_read_message_id"]), (&json!(0), &answer["message"]["id"]));
    }
}
