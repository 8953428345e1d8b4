//! Moderation (chat §11.8, §12.18; v2 §2.9, §6).

use http::Method;
use serde_json::{Value, json};

use crate::{
    pond::{Client, NOW_SECONDS, Pond, encoded},
    sockets::lake::Lake,
};

const AT: &str = "2026-01-01T00:00:00Z";
const NANOS: i64 = 1_767_225_600_000_000_000;
const CID: &str = "messaging:general";

/// A channel with amy, who made it, and bob; cat is not in it, and eve is a moderator of it.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    let users =
        json!({ "amy": { "id": "amy" }, "bob": { "id": "bob" }, "cat": { "id": "cat" }, "eve": { "id": "eve" } });
    pond.post("users", json!({ "users": users })).await.ok(201);
    let members = json!(["amy", "bob", { "user_id": "eve", "channel_role": "channel_moderator" }]);
    let body = json!({ "data": { "created_by_id": "amy", "members": members } });
    pond.post("channels/messaging/general/query", body).await.ok(201);
    pond
}

async fn say(client: &Client, body: Value) -> crate::pond::Answer {
    client.post("channels/messaging/general/message", json!({ "message": body })).await
}

async fn said(pond: &Pond, id: &str) {
    say(pond, json!({ "id": id, "text": "hi", "user_id": "bob" })).await.ok(201);
}

/// The bans that a filter finds.
async fn banned(client: &Client, filter: Value) -> Vec<Value> {
    let path = format!("query_banned_users?payload={}", encoded(&json!({ "filter_conditions": filter })));
    client.get(&path).await.ok(200)["bans"].as_array().unwrap().clone()
}

async fn user(client: &Client, id: &str) -> Value {
    let path = format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": id } })));
    client.get(&path).await.ok(200)["users"][0].clone()
}

#[tokio::test]
async fn whoever_is_banned_from_the_app_cannot_write_and_reads_on() {
    let pond = pond().await;
    let body =
        json!({ "target_user_id": "bob", "user_id": "amy", "timeout": 60, "reason": "spam", "id": "", "type": "" });
    assert_eq!(pond.post("moderation/ban", body).await.ok(201), json!({}));
    assert_eq!(say(&pond.user("bob"), json!({ "text": "hi" })).await.refusal(), (403, 17));
    pond.user("bob").post("channels/messaging/general/query", json!({})).await.ok(201);
    let bob = user(&pond, "bob").await;
    assert_eq!((&bob["banned"], &bob["ban_expires"]), (&json!(true), &json!("2026-01-01T01:00:00Z")));
    assert_eq!(pond.delete("moderation/ban?target_user_id=bob&type=&id=").await.ok(200), json!({}));
    say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201);
    assert_eq!(user(&pond, "bob").await["banned"], false);
    pond.delete("moderation/ban?target_user_id=bob").await.ok(200);
}

#[tokio::test]
async fn a_ban_ends_by_itself_after_so_many_minutes() {
    let pond = pond().await;
    pond.v2()
        .post("moderation/ban", json!({ "target_user_id": "bob", "banned_by_id": "amy", "timeout": 1 }))
        .await
        .ok(201);
    pond.clock.advance(59_000_000);
    assert_eq!(say(&pond.user("bob"), json!({ "text": "hi" })).await.refusal(), (403, 17));
    pond.clock.advance(1_000_000);
    say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201);
    assert_eq!(user(&pond, "bob").await["banned"], false);
    let all = json!({ "filter_conditions": {}, "exclude_expired_bans": true });
    let left = pond.get(&format!("query_banned_users?payload={}", encoded(&all))).await.ok(200);
    assert_eq!(left, json!({ "bans": [] }));
}

#[tokio::test]
async fn a_ban_from_a_channel_is_of_that_channel_in_the_words_of_either_dialect() {
    let pond = pond().await;
    let members = json!({ "data": { "created_by_id": "amy", "members": ["bob"] } });
    pond.post("channels/messaging/other/query", members).await.ok(201);
    let classic = json!({ "target_user_id": "bob", "user_id": "amy", "type": "messaging", "id": "general" });
    let v2 = json!({ "target_user_id": "bob", "banned_by": { "id": "amy" }, "channel_cid": CID });
    for (client, body, end) in [
        (pond.client(), classic, "moderation/unban?target_user_id=bob&channel_cid=messaging%3Ageneral&created_by=amy"),
        (pond.v2(), v2, "moderation/unban?target_user_id=bob&channel_cid=messaging%3Ageneral"),
    ] {
        client.post("moderation/ban", body).await.ok(201);
        assert_eq!(say(&pond.user("bob"), json!({ "text": "hi" })).await.refusal(), (403, 17));
        pond.user("bob").post("channels/messaging/other/message", json!({ "message": { "text": "hi" } })).await.ok(201);
        assert_eq!(user(&pond, "bob").await["banned"], false);
        let bans = banned(&client, json!({ "channel_cid": { "$eq": CID } })).await;
        assert_eq!((bans.len(), &bans[0]["channel"]["cid"]), (1, &json!(CID)));
        // The end of another ban does not end this one.
        client.post("moderation/unban?target_user_id=bob", json!({})).await.ok(201);
        assert_eq!(banned(&client, json!({ "user_id": "bob" })).await.len(), 1);
        client.post(end, json!({ "unbanned_by_id": "amy" })).await.ok(201);
        assert_eq!(banned(&client, json!({ "user_id": "bob" })).await, Vec::<Value>::new());
        say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201);
    }
}

#[tokio::test]
async fn a_ban_is_listed_with_who_made_it_and_why() {
    let pond = pond().await;
    let body = json!({ "target_user_id": "bob", "user_id": "amy", "timeout": 60, "reason": "spam" });
    pond.post("moderation/ban", body).await.ok(201);
    for (client, at, end) in [
        (pond.client(), json!(AT), json!("2026-01-01T01:00:00Z")),
        (pond.v2(), json!(NANOS), json!(NANOS + 3_600_000_000_000)),
    ] {
        let bans =
            banned(&client, json!({ "user_id": { "$eq": "bob" }, "banned_by_id": "amy", "reason": "spam" })).await;
        let ban = &bans[0];
        assert_eq!((&ban["user"]["id"], &ban["banned_by"]["id"]), (&json!("bob"), &json!("amy")));
        assert_eq!((&ban["reason"], &ban["created_at"], &ban["expires"]), (&json!("spam"), &at, &end));
        assert_eq!((ban.get("shadow"), ban.get("channel")), (None, None));
    }
    pond.post("moderation/ban", json!({ "target_user_id": "bob", "user_id": "amy", "reason": "again" })).await.ok(201);
    let bans = banned(&pond, json!({})).await;
    assert_eq!((bans.len(), &bans[0]["reason"], bans[0].get("expires")), (1, &json!("again"), None));
}

#[tokio::test]
async fn what_a_shadow_banned_user_says_is_shadowed_until_the_ban_ends() {
    let pond = pond().await;
    for body in [
        json!({ "target_user_id": "bob", "user_id": "amy", "shadow": true }),
        json!({ "target_user_id": "bob", "user_id": "amy", "shadow": true, "type": "messaging", "id": "general" }),
    ] {
        pond.post("moderation/ban", body.clone()).await.ok(201);
        let sent = say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201)["message"].clone();
        assert_eq!(sent["shadowed"], true);
        let path = format!("messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(pond.get(&path).await.ok(200)["message"]["shadowed"], true);
        let said = json!({ "message": { "text": "hi", "user_id": "bob" } });
        let sent = pond.v2().post("chat/channels/messaging/general/message", said).await.ok(201);
        assert_eq!(sent["message"]["shadowed"], true);
        assert_eq!(banned(&pond, json!({ "user_id": "bob" })).await[0]["shadow"], true);
        assert_eq!(user(&pond, "bob").await["banned"], false);
        let scope = if body.get("id").is_some() { "&type=messaging&id=general" } else { "" };
        pond.delete(&format!("moderation/ban?target_user_id=bob&shadow=true{scope}")).await.ok(200);
        assert_eq!(say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201)["message"]["shadowed"], false);
    }
}

#[tokio::test]
async fn a_ban_from_later_channels_holds_in_those_that_the_banning_user_makes_later() {
    let pond = pond().await;
    let ban = json!({ "target_user_id": "bob", "user_id": "amy", "type": "messaging", "id": "general", "ban_from_future_channels": true });
    pond.post("moderation/ban", ban.clone()).await.ok(201);
    pond.clock.advance(1_000_000);
    for (channel, maker) in [("later", "amy"), ("of-another", "cat")] {
        let body = json!({ "data": { "created_by_id": maker, "members": ["bob"] } });
        pond.post(&format!("channels/messaging/{channel}/query"), body).await.ok(201);
    }
    let write = async |channel: &str| {
        let path = format!("channels/messaging/{channel}/message");
        pond.user("bob").post(&path, json!({ "message": { "text": "hi" } })).await.status
    };
    assert_eq!((write("later").await, write("of-another").await), (403, 201));
    let list = async |payload: Value| {
        pond.v2().get(&format!("query_future_channel_bans?payload={}", encoded(&payload))).await.ok(200)
    };
    let all = list(json!({ "user_id": "amy", "include_total": true })).await;
    assert_eq!((&all["bans"][0]["user"]["id"], &all["total"]), (&json!("bob"), &json!(1)));
    let own = list(json!({ "target_user_id": "bob" })).await;
    assert_eq!((own["bans"].as_array().unwrap().len(), own["bans"][0].get("user")), (1, None));
    pond.delete("moderation/ban?target_user_id=bob&type=messaging&id=general&remove_future_channels_ban=true")
        .await
        .ok(200);
    assert_eq!(list(json!({})).await, json!({ "bans": [] }));
    assert_eq!(write("later").await, 201);
    let app = json!({ "target_user_id": "bob", "user_id": "amy", "ban_from_future_channels": true });
    assert_eq!(pond.refuses(Method::POST, "moderation/ban", app.to_string()).await, (400, 4));
}

#[tokio::test]
async fn who_calls_from_the_address_of_a_ban_cannot_write_until_it_ends() {
    let lake = Lake::new().await;
    for user in ["amy", "bob", "cat"] {
        lake.member("messaging:room", user).await;
        lake.member("messaging:other", user).await;
    }
    let message = json!({ "message": { "text": "hi" } });
    let say = async |user: &str, address: &str| {
        let forwarded = format!("x-forwarded-for: {address}\r\n");
        lake.post_from(user, "channels/messaging/room/message", &forwarded, &message).await
    };
    let ban = json!({ "target_user_id": "bob", "banned_by_id": "amy", "ip_ban": true });
    // Nobody knows yet from where bob comes: the user alone is banned.
    lake.post("moderation/ban", ban.clone()).await.ok(201);
    assert_eq!((say("bob", "127.0.0.1").await, say("cat", "127.0.0.1").await), (403, 201));
    let _bob = lake.connect("bob").await;
    lake.post("moderation/ban", ban.clone()).await.ok(201);
    assert_eq!((say("cat", "127.0.0.1").await, say("cat", "192.0.2.7").await), (403, 201));
    // The app's own server writes from wherever it is.
    let by_server = json!({ "message": { "text": "hi", "user_id": "cat" } });
    lake.post("channels/messaging/room/message", by_server).await.ok(201);
    // A ban that says so no more leaves the address alone; a ban of one channel is of that channel.
    lake.post("moderation/ban", json!({ "target_user_id": "bob", "banned_by_id": "amy" })).await.ok(201);
    assert_eq!(say("cat", "127.0.0.1").await, 201);
    let mut of_channel = ban.clone();
    of_channel["channel_cid"] = json!("messaging:other");
    lake.post("moderation/ban", of_channel).await.ok(201);
    assert_eq!(say("cat", "127.0.0.1").await, 201);
    lake.post("moderation/ban", ban).await.ok(201);
    assert_eq!(say("cat", "127.0.0.1").await, 403);
    lake.delete("moderation/ban?target_user_id=bob").await.ok(200);
    assert_eq!((say("bob", "127.0.0.1").await, say("cat", "127.0.0.1").await), (201, 201));
}

#[tokio::test]
async fn channels_that_bans_and_mutes_name_tell_how_many_members_there_are() {
    let pond = pond().await;
    let mute = json!({ "channel_cid": CID, "user_id": "amy" });
    pond.post("moderation/mute/channel", mute).await.ok(201);
    let ban = json!({ "target_user_id": "bob", "user_id": "amy", "channel_cid": CID });
    pond.post("moderation/ban", ban).await.ok(201);
    let users = format!("users?payload={}", encoded(&json!({ "filter_conditions": { "id": "amy" } })));
    let muted = pond.get(&users).await.ok(200)["users"][0]["channel_mutes"][0]["channel"].clone();
    let bans = format!("query_banned_users?payload={}", encoded(&json!({ "filter_conditions": { "user_id": "bob" } })));
    let banned = pond.get(&bans).await.ok(200)["bans"][0]["channel"].clone();
    assert_eq!((&muted["cid"], &muted["member_count"]), (&json!(CID), &json!(3)));
    assert_eq!((&banned["cid"], &banned["member_count"]), (&json!(CID), &json!(3)));
}

#[tokio::test]
async fn what_cannot_be_banned_is_refused() {
    let pond = pond().await;
    for (body, error) in [
        (json!({ "user_id": "amy" }), (400, 4)),
        (json!({ "target_user_id": "nobody", "user_id": "amy" }), (404, 16)),
        (json!({ "target_user_id": "bob", "user_id": "nobody" }), (404, 16)),
        (json!({ "target_user_id": "bob", "user_id": "bob" }), (400, 4)),
        (json!({ "target_user_id": "bob", "user_id": "amy", "timeout": -1 }), (400, 4)),
        (json!({ "target_user_id": "bob", "user_id": "amy", "type": "messaging" }), (400, 4)),
        (json!({ "target_user_id": "bob", "user_id": "amy", "channel_cid": "messaging:none" }), (404, 16)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "moderation/ban", body.to_string()).await, error, "{body}");
    }
    assert_eq!(pond.delete("moderation/ban?target_user_id=nobody").await.refusal(), (404, 16));
    let path = format!("query_banned_users?payload={}", encoded(&json!({ "filter_conditions": { "color": "red" } })));
    assert_eq!(pond.refuses(Method::GET, &path, "").await, (400, 4));
}

#[tokio::test]
async fn moderators_ban_where_they_moderate_and_others_do_not() {
    let pond = pond().await;
    let here = json!({ "target_user_id": "bob", "channel_cid": CID });
    let everywhere = json!({ "target_user_id": "bob" });
    let ban = async |who: &str, body: &Value| pond.user(who).post("moderation/ban", body.clone()).await;
    assert_eq!(ban("bob", &json!({ "target_user_id": "amy", "channel_cid": CID })).await.refusal(), (403, 17));
    assert_eq!(ban("eve", &everywhere).await.refusal(), (403, 17));
    assert_eq!(
        ban("eve", &json!({ "target_user_id": "bob", "channel_cid": CID, "user_id": "amy" })).await.refusal(),
        (403, 17)
    );
    ban("eve", &here).await.ok(201);
    assert_eq!(banned(&pond.user("eve"), json!({ "channel_cid": CID })).await[0]["banned_by"]["id"], "eve");
    let path = format!("query_banned_users?payload={}", encoded(&json!({ "filter_conditions": {} })));
    assert_eq!(pond.user("eve").get(&path).await.refusal(), (403, 17));
    assert_eq!(
        pond.user("bob").delete("moderation/ban?target_user_id=bob&channel_cid=messaging:general").await.refusal(),
        (403, 17)
    );
    pond.user("eve").delete("moderation/ban?target_user_id=bob&type=messaging&id=general").await.ok(200);
}

#[tokio::test]
async fn muting_answers_the_mutes_and_shows_in_the_muters_profile() {
    let pond = pond().await;
    let one = pond.post("moderation/mute", json!({ "target_id": "bob", "user_id": "amy" })).await.ok(201);
    let mute = &one["mute"];
    assert_eq!((&mute["user"]["id"], &mute["target"]["id"]), (&json!("amy"), &json!("bob")));
    assert_eq!((&mute["created_at"], mute.get("expires")), (&json!(AT), None));
    assert_eq!((&one["own_user"]["id"], &one["own_user"]["mutes"][0]["target"]["id"]), (&json!("amy"), &json!("bob")));
    let body = json!({ "target_ids": ["bob", "cat", "nobody"], "user_id": "amy", "timeout": 30 });
    let many = pond.v2().post("moderation/mute", body).await.ok(201);
    assert_eq!((many["mutes"].as_array().unwrap().len(), &many["non_existing_users"]), (2, &json!(["nobody"])));
    assert_eq!(many["mutes"][0]["expires"], NANOS + 30 * 60_000_000_000);
    assert_eq!(user(&pond, "amy").await["mutes"].as_array().unwrap().len(), 2);
    let body = json!({ "target_ids": ["bob", "cat", "nobody"] });
    let ended = pond.user("amy").post("moderation/unmute", body).await.ok(201);
    assert_eq!(ended, json!({ "non_existing_users": ["nobody"] }));
    assert_eq!(user(&pond.v2(), "amy").await["mutes"], json!([]));
    assert_eq!(
        pond.post("moderation/unmute", json!({ "target_id": "bob", "user_id": "amy" })).await.ok(201),
        json!({})
    );
}

#[tokio::test]
async fn a_mute_ends_by_itself() {
    let pond = pond().await;
    pond.user("amy").post("moderation/mute", json!({ "target_id": "bob", "timeout": 1 })).await.ok(201);
    pond.clock.advance(60_000_000);
    assert_eq!(user(&pond, "amy").await["mutes"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_muted_is_refused_and_tells_how_often_one_may_try() {
    let pond = pond().await;
    for (body, error) in [
        (json!({ "target_id": "nobody", "user_id": "amy" }), (404, 16)),
        (json!({ "target_id": "amy", "user_id": "amy" }), (400, 4)),
        (json!({ "target_id": "bob" }), (400, 4)),
        (json!({ "user_id": "amy" }), (400, 4)),
        (json!({ "target_ids": ["bob"], "user_id": "amy", "timeout": "soon" }), (400, 4)),
    ] {
        let answer = pond.post("moderation/mute", body.clone()).await;
        assert_eq!(answer.refusal(), error, "{body}");
        assert!(answer.headers["x-ratelimit-limit"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    }
    let body = json!({ "target_id": "cat", "user_id": "bob" });
    assert_eq!(pond.user("amy").refuses(Method::POST, "moderation/mute", body.to_string()).await, (403, 17));
}

#[tokio::test]
async fn a_flag_of_a_message_answers_in_the_dialect_and_is_listed_by_the_messages_author() {
    let pond = pond().await;
    said(&pond, "m1").await;
    let body = json!({ "target_message_id": "m1", "user_id": "amy", "reason": "spam", "custom": { "n": 1 } });
    let flag = pond.post("moderation/flag", body).await.ok(201)["flag"].clone();
    assert_eq!((&flag["user"]["id"], &flag["target_user"]["id"]), (&json!("amy"), &json!("bob")));
    assert_eq!((&flag["target_message_id"], &flag["target_message"]["text"]), (&json!("m1"), &json!("hi")));
    assert_eq!(
        (&flag["created_by_automod"], &flag["reason"], &flag["custom"]),
        (&json!(false), &json!("spam"), &json!({ "n": 1 }))
    );
    let body = json!({ "entity_type": "stream:chat:v1:message", "entity_id": "m1", "user_id": "cat" });
    let flagged = pond.v2().post("moderation/flag", body.clone()).await.ok(201);
    assert!(flagged["item_id"].as_str().is_some_and(|id| !id.is_empty()) && flagged.get("flag").is_none());
    assert_eq!(pond.v2().post("moderation/flag", body).await.ok(201), flagged, "the same item");
    let list = async |client: Client, filter: Value| {
        let payload = encoded(&json!({ "filter_conditions": filter }));
        client.get(&format!("moderation/flags/message?payload={payload}")).await.ok(200)["flags"].clone()
    };
    let flags = list(pond.client(), json!({ "user_id": "bob" })).await;
    assert_eq!((flags.as_array().unwrap().len(), &flags[0]["user"]["id"]), (2, &json!("bob")));
    assert_eq!(
        (&flags[0]["message"]["id"], &flags[0]["reviewed_at"], &flags[0]["reviewed_by"]),
        (&json!("m1"), &json!(null), &json!(null))
    );
    assert_eq!(list(pond.v2(), json!({ "channel_cid": CID })).await[0]["created_at"], NANOS);
    assert_eq!(list(pond.client(), json!({ "user_id": "amy" })).await, json!([]));
    let undone = pond.post("moderation/unflag", json!({ "target_message_id": "m1", "user_id": "amy" })).await.ok(201);
    assert_eq!(undone["flag"]["target_message_id"], "m1");
    assert_eq!(list(pond.client(), json!({ "is_reviewed": false })).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn users_are_flagged_and_so_are_things_of_the_applications_own() {
    let pond = pond().await;
    let flag = pond.post("moderation/flag", json!({ "target_user_id": "bob", "user_id": "amy" })).await.ok(201);
    assert_eq!((&flag["flag"]["target_user"]["id"], flag["flag"].get("target_message_id")), (&json!("bob"), None));
    let v2 = json!({ "entity_type": "user", "entity_id": "bob", "user_id": "cat", "reason": "rude" });
    assert_eq!(pond.v2().post("moderation/flag", v2).await.ok(201)["item_id"], flag["item_id"]);
    let own = json!({ "entity_type": "photo", "entity_id": "p1", "entity_creator_id": "bob", "user_id": "amy",
        "moderation_payload": { "images": ["https://example.com/p1"] } });
    pond.v2().post("moderation/flag", own).await.ok(201);
    let count = async |body: Value| pond.v2().post("moderation/flag_count", body).await.ok(201)["count"].clone();
    assert_eq!(count(json!({ "entity_creator_id": "bob" })).await, 3);
    assert_eq!(count(json!({ "entity_creator_id": "bob", "entity_type": "stream:user" })).await, 2);
    assert_eq!(count(json!({ "entity_creator_id": "amy" })).await, 0);
    let page = pond.v2().post("moderation/flags", json!({ "limit": 2 })).await.ok(201);
    assert_eq!(page["flags"].as_array().unwrap().len(), 2);
    let rest = pond.v2().post("moderation/flags", json!({ "limit": 2, "next": page["next"] })).await.ok(201);
    assert_eq!((rest["flags"].as_array().unwrap().len(), rest.get("next")), (1, None));
}

#[tokio::test]
async fn what_cannot_be_flagged_is_refused() {
    let pond = pond().await;
    said(&pond, "m1").await;
    for (body, error) in [
        (json!({ "user_id": "amy" }), (400, 4)),
        (json!({ "target_message_id": "none", "user_id": "amy" }), (404, 16)),
        (json!({ "target_user_id": "nobody", "user_id": "amy" }), (404, 16)),
        (json!({ "target_message_id": "m1", "user_id": "nobody" }), (404, 16)),
        (json!({ "target_message_id": "m1" }), (400, 4)),
        (json!({ "entity_type": "user", "user_id": "amy" }), (400, 4)),
        (json!({ "target_message_id": "m1", "user_id": "amy", "custom": { "x": "x".repeat(6000) } }), (413, 22)),
    ] {
        assert_eq!(pond.refuses(Method::POST, "moderation/flag", body.to_string()).await, error, "{body}");
    }
    let unflag = json!({ "target_message_id": "m1", "user_id": "amy" }).to_string();
    assert_eq!(pond.refuses(Method::POST, "moderation/unflag", unflag).await, (404, 16));
    let outsider = json!({ "target_message_id": "m1" }).to_string();
    assert_eq!(pond.user("cat").refuses(Method::POST, "moderation/flag", outsider.clone()).await, (403, 17));
    pond.user("amy").post("moderation/flag", json!({ "target_message_id": "m1" })).await.ok(201);
}

#[tokio::test]
async fn flag_reports_are_listed_and_reviewed() {
    let pond = pond().await;
    said(&pond, "m1").await;
    for user in ["amy", "cat"] {
        pond.post("moderation/flag", json!({ "target_message_id": "m1", "user_id": user })).await.ok(201);
    }
    let body = json!({ "filter_conditions": { "message_id": "m1", "channel_cid": CID } });
    let report = pond.post("moderation/reports", body.clone()).await.ok(201)["flag_reports"][0].clone();
    assert_eq!(
        (&report["flags_count"], &report["message_user_id"], &report["channel_cid"]),
        (&json!(2), &json!("bob"), &json!(CID))
    );
    assert_eq!((&report["message"]["id"], report.get("reviewed_at")), (&json!("m1"), None));
    let path = format!("moderation/reports/{}", report["id"].as_str().unwrap());
    let review = json!({ "review_result": "reviewed", "user_id": "eve", "review_details": { "custom": "reason_a" } });
    let reviewed = pond.patch(&path, review).await.ok(201)["flag_report"].clone();
    assert_eq!((&reviewed["review_result"], &reviewed["reviewed_by"]["id"]), (&json!("reviewed"), &json!("eve")));
    assert_eq!((&reviewed["review_details"], &reviewed["reviewed_at"]), (&json!({ "custom": "reason_a" }), &json!(AT)));
    let open = json!({ "filter_conditions": { "is_reviewed": false } });
    assert_eq!(pond.post("moderation/reports", open).await.ok(201), json!({ "flag_reports": [] }));
    assert_eq!(
        pond.patch("moderation/reports/none", json!({ "review_result": "x", "user_id": "eve" })).await.refusal(),
        (404, 16)
    );
    assert_eq!(pond.user("bob").refuses(Method::POST, "moderation/reports", body.to_string()).await, (403, 17));
    let count = async |client: &Client, filter: Value| {
        let body = json!({ "filter_conditions": filter });
        client.post("moderation/reports", body).await.ok(201)["flag_reports"].as_array().unwrap().len()
    };
    for (filter, found) in [
        (json!({ "report_id": report["id"] }), 1),
        (json!({ "user_id": "bob" }), 1),
        (json!({ "user_id": "amy" }), 0),
        (json!({ "review_result": "reviewed" }), 1),
        (json!({ "created_at": { "$lt": AT } }), 0),
    ] {
        assert_eq!(count(&pond, filter.clone()).await, found, "{filter}");
    }
    pond.patch("users", json!({ "users": [{ "id": "cat", "set": { "role": "moderator" } }] })).await.ok(201);
    assert_eq!(count(&pond.user("cat"), json!({})).await, 1, "a moderator reads reports");
    let flags = format!(
        "moderation/flags/message?payload={}",
        encoded(&json!({ "filter_conditions": { "channel_cid": CID } }))
    );
    assert_eq!(pond.user("eve").get(&flags).await.ok(200)["flags"].as_array().unwrap().len(), 2);
    assert_eq!(pond.user("bob").get(&flags).await.refusal(), (403, 17));
}

#[tokio::test]
async fn the_review_queue_shows_open_items_until_an_action_closes_them() {
    let pond = pond().await;
    said(&pond, "m1").await;
    let v2 = pond.v2();
    let body = json!({ "entity_type": "message", "entity_id": "m1", "user_id": "amy", "reason": "spam" });
    let id = v2.post("moderation/flag", body).await.ok(201)["item_id"].clone();
    let pending = json!({ "filter": { "status": "pending" }, "limit": 25 });
    let queue = v2.post("moderation/review_queue", pending.clone()).await.ok(201);
    let item = &queue["items"][0];
    assert_eq!(
        (&item["id"], &item["entity_type"], &item["status"]),
        (&id, &json!("stream:chat:v1:message"), &json!("pending"))
    );
    assert_eq!(
        (&item["flags_count"], &item["flags"][0]["reason"], &item["entity_creator"]["id"]),
        (&json!(1), &json!("spam"), &json!("bob"))
    );
    assert_eq!(
        (&item["message"]["id"], &item["created_at"], &item["flags"][0]["type"]),
        (&json!("m1"), &json!(NANOS), &json!("user_report"))
    );
    assert_eq!((&queue["stats"], &queue["action_config"]), (&json!({ "pending": 1, "reviewed": 0 }), &json!({})));
    let ban =
        json!({ "action_type": "ban", "item_id": id, "user_id": "eve", "ban": { "reason": "enough", "timeout": 60 } });
    let done = v2.post("moderation/submit_action", ban).await.ok(201)["item"].clone();
    assert_eq!(
        (&done["status"], &done["reviewed_by"], &done["latest_moderator_action"]),
        (&json!("reviewed"), &json!("eve"), &json!("ban"))
    );
    assert_eq!((&done["bans"][0]["reason"], &done["actions"][0]["type"]), (&json!("enough"), &json!("ban")));
    assert_eq!(v2.post("moderation/review_queue", pending).await.ok(201)["items"], json!([]));
    assert_eq!(say(&pond.user("bob"), json!({ "text": "hi" })).await.refusal(), (403, 17));
    for (kind, more) in [
        ("unban", json!({})),
        ("delete_message", json!({})),
        ("mark_reviewed", json!({ "content_to_mark_as_reviewed_limit": 1 })),
    ] {
        let body = json!({ "action_type": kind, "item_id": id, "user_id": "eve", kind: more });
        assert_eq!(v2.post("moderation/submit_action", body).await.ok(201)["item"]["latest_moderator_action"], kind);
    }
    let one = v2.get(&format!("moderation/review_queue/{}", id.as_str().unwrap())).await.ok(200);
    assert_eq!(one["item"]["message"]["type"], "deleted");
    say(&pond.user("bob"), json!({ "text": "hi" })).await.ok(201);
    let here = json!({ "target_user_id": "bob", "banned_by_id": "eve", "channel_cid": CID, "reason": "here" });
    v2.post("moderation/ban", here).await.ok(201);
    let bans =
        v2.get(&format!("moderation/review_queue/{}", id.as_str().unwrap())).await.ok(200)["item"]["bans"].clone();
    let info = &bans[0];
    assert_eq!(
        (&info["channel_cid"], &info["created_by"]["id"], &info["user"]["id"]),
        (&json!(CID), &json!("eve"), &json!("bob"))
    );
    assert_eq!((&info["channel"]["cid"], &info["reason"], info.get("banned_by")), (&json!(CID), &json!("here"), None));
    let logs = v2
        .post("moderation/logs", json!({ "filter": { "target_user_id": "bob", "type": "delete_message" } }))
        .await
        .ok(201);
    assert_eq!((&logs["logs"][0]["user_id"], &logs["logs"][0]["user"]["id"]), (&json!("eve"), &json!("eve")));
}

#[tokio::test]
async fn actions_that_are_not_built_say_so_and_what_is_not_there_is_not_reviewed() {
    let pond = pond().await;
    for (body, error) in [
        (json!({ "action_type": "kick_user", "item_id": "x" }), (501, -1)),
        (json!({ "action_type": "mark_reviewed", "item_id": "none" }), (404, 16)),
        (json!({ "action_type": "mark_reviewed" }), (400, 4)),
        (json!({ "item_id": "x" }), (400, 4)),
    ] {
        assert_eq!(
            pond.v2().refuses(Method::POST, "moderation/submit_action", body.to_string()).await,
            error,
            "{body}"
        );
    }
    assert_eq!(pond.v2().get("moderation/review_queue/none").await.refusal(), (404, 16));
}

#[tokio::test]
async fn only_the_apps_own_server_reviews_and_configures() {
    let pond = pond().await;
    for (method, path) in [
        (Method::POST, "moderation/review_queue"),
        (Method::POST, "moderation/submit_action"),
        (Method::POST, "moderation/logs"),
        (Method::POST, "moderation/flags"),
        (Method::POST, "moderation/config"),
        (Method::GET, "moderation/user_report?user_id=amy"),
    ] {
        assert_eq!(pond.user("amy").v2().refuses(method, path, "{}").await, (403, 17), "{path}");
    }
}

#[tokio::test]
async fn configurations_are_kept_as_they_were_sent() {
    let v2 = pond().await.v2();
    let sections = json!({ "enabled": true, "rules": [{ "name": "profanity", "action": "remove" }] });
    let sent = json!({ "key": "chat:messaging", "async": true, "team": "", "block_list_config": sections, "user_id": "amy", "ai_text_config": null });
    let config = v2.post("moderation/config", sent).await.ok(201)["config"].clone();
    let expected = json!({ "key": "chat:messaging", "team": "", "async": true, "supported_video_call_harm_types": [],
        "created_at": NANOS, "updated_at": NANOS, "block_list_config": sections });
    assert_eq!(config, expected);
    assert_eq!(v2.get("moderation/config/chat%3Amessaging").await.ok(200)["config"], expected);
    v2.post("moderation/config", json!({ "key": "other" })).await.ok(201);
    let page = v2.post("moderation/configs", json!({ "limit": 1 })).await.ok(201);
    assert_eq!(page["configs"][0]["key"], "chat:messaging");
    let rest = v2.post("moderation/configs", json!({ "limit": 1, "next": page["next"] })).await.ok(201);
    assert_eq!((&rest["configs"][0]["key"], rest.get("next")), (&json!("other"), None));
    v2.delete("moderation/config/other").await.ok(200);
    assert_eq!(v2.get("moderation/config/other").await.refusal(), (404, 16));
    assert_eq!(v2.refuses(Method::POST, "moderation/config", "{}").await, (400, 4));
}

#[tokio::test]
async fn the_report_on_a_user_tells_what_happened_and_not_who_reported() {
    let pond = pond().await;
    said(&pond, "m1").await;
    pond.post("moderation/flag", json!({ "target_message_id": "m1", "user_id": "amy", "reason": "spam" }))
        .await
        .ok(201);
    pond.post("moderation/flag", json!({ "target_user_id": "cat", "user_id": "bob" })).await.ok(201);
    pond.post("moderation/mute", json!({ "target_id": "bob", "user_id": "amy" })).await.ok(201);
    pond.post("moderation/mute", json!({ "target_id": "cat", "user_id": "bob" })).await.ok(201);
    pond.post("users/block", json!({ "blocked_user_id": "eve", "user_id": "bob" })).await.ok(201);
    pond.post("moderation/ban", json!({ "target_user_id": "bob", "user_id": "amy", "reason": "rude" })).await.ok(201);
    let report = pond.v2().get("moderation/user_report?user_id=bob").await.ok(200);
    assert_eq!(
        report["summary"],
        json!({ "flags_received": 1, "flags_made": 1, "bans_received": 1, "bans_made": 0, "mutes_received": 1,
            "mutes_made": 1, "blocks_received": 0, "blocks_made": 1, "actions": 1, "reviewed": 0 })
    );
    assert_eq!((&report["user"]["id"], &report["user"]["banned"]), (&json!("bob"), &json!(true)));
    let flag = &report["flags_received"][0];
    let again = pond.v2().get("moderation/user_report?user_id=bob").await.ok(200);
    assert!(flag["id"].as_str().is_some_and(|id| id.len() > 20), "{flag}");
    assert_eq!(again["flags_received"][0]["id"], flag["id"], "an id stays");
    assert_eq!((&flag["entity_id"], &flag["reason"], flag.get("user_id")), (&json!("m1"), &json!("spam"), None));
    assert_eq!(report["bans"], json!([{ "channel_cid": "", "reason": "rude", "shadow": false, "created_at": NANOS }]));
    assert_eq!(report["mutes"], json!([{ "target_id": "cat", "created_at": NANOS }]));
    assert_eq!(report["blocks"], json!([{ "blocked_user_id": "eve", "created_at": NANOS }]));
    assert!(!report.to_string().contains("amy"), "{report}");
    let clean = pond.get("moderation/user_report?id=eve").await.ok(200);
    assert_eq!((&clean["flags"], &clean["mutes"], &clean["bans"]), (&json!([]), &json!([]), &json!([])));
    assert_eq!(pond.get("moderation/user_report?user_id=nobody").await.refusal(), (404, 16));
    assert_eq!(pond.get("moderation/user_report").await.refusal(), (400, 4));
    assert_eq!(NOW_SECONDS * 1_000_000_000, NANOS);
}

#[tokio::test]
async fn the_review_queue_shows_activities_and_comments_of_feeds_that_were_reported() {
    let pond = Pond::new().await;
    let server = pond.v2();
    let users = json!({ "users": { "amy": { "id": "amy" }, "bob": { "id": "bob" } } });
    server.post("users", users).await.ok(201);
    let activity = json!({ "id": "a1", "type": "post", "text": "rubbish", "feeds": ["user:amy"], "user_id": "amy" });
    server.post("feeds/activities", activity).await.ok(201);
    let comment =
        json!({ "id": "c1", "object_id": "a1", "object_type": "activity", "comment": "more", "user_id": "amy" });
    server.post("feeds/comments", comment).await.ok(201);
    let item = async |kind: &str, id: &str| {
        let report = json!({ "entity_type": kind, "entity_id": id, "entity_creator_id": "amy", "user_id": "bob" });
        let item = server.post("moderation/flag", report).await.ok(201)["item_id"].clone();
        let path = format!("moderation/review_queue/{}", item.as_str().unwrap());
        server.get(&path).await.ok(200)["item"].clone()
    };
    let reported = item("stream:feeds:v3:activity", "a1").await;
    assert_eq!(
        (&reported["feeds_v3_activity"]["text"], &reported["entity_creator_id"]),
        (&json!("rubbish"), &json!("amy"))
    );
    assert!(reported["feeds_v3_activity"]["created_at"].is_i64() && reported.get("feeds_v3_comment").is_none());
    let reported = item("stream:feeds:v3:comment", "c1").await;
    assert_eq!((&reported["feeds_v3_comment"]["text"], reported.get("feeds_v3_activity")), (&json!("more"), None));
    server.delete("feeds/activities/a1").await.ok(200);
    let deleted = item("stream:feeds:v3:activity", "a1").await;
    assert!(deleted["feeds_v3_activity"]["deleted_at"].is_i64());
    let gone = item("stream:feeds:v3:activity", "nothing").await;
    assert!(gone.get("feeds_v3_activity").is_none());
}
