//! What hooks of the v2 dialect are told of each call, with every member that the contract promises (§10.2, §10.3).

use http::Method;
use serde_json::{Value, json};

use crate::{sockets::lake::PATIENCE, webhooks::hooked};

/// A call, and what is told of it: the event, and members that it always has.
type Step = (Method, &'static str, Value, &'static [(&'static str, &'static [&'static str])]);

const ROOM: &str = "channels/messaging/room";
const CHANNEL: &[&str] = &["channel"];
const MEMBER: &[&str] = &["channel", "member"];
const MESSAGE: &[&str] = &["message_id", "message"];
const REMINDER: &[&str] = &["cid", "message_id", "user_id", "reminder"];
const USER: &[&str] = &["user"];

/// Looks at every time, however deep it stands, but for those of the application.
fn times_are_integers(kind: &str, value: &Value) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| times_are_integers(kind, value)),
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(name, _)| *name != "custom") {
                let is_time = name.ends_with("_at") || ["expires", "expiration", "last_read"].contains(&name.as_str());
                assert!(!is_time || value.is_i64() || value.is_null(), "{kind}: {name} is {value}");
                times_are_integers(kind, value);
            }
        }
        _ => {}
    }
}

async fn told_as_promised(steps: Vec<Step>) {
    let (lake, mut calls) = hooked("v2", json!([])).await;
    let users = json!({ "dan": { "id": "dan" }, "eve": { "id": "eve" }, "fox": { "id": "fox" } });
    lake.post("users", json!({ "users": users })).await.ok(201);
    lake.post(&format!("{ROOM}/message"), json!({ "message": { "id": "m0", "text": "hi", "user_id": "amy" } }))
        .await
        .ok(201);
    for (method, path, body, expected) in steps {
        let answer = lake.call(method.clone(), path, body.to_string()).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        lake.run_tasks().await;
        let mut missing: Vec<_> = expected.to_vec();
        while !missing.is_empty() {
            let told = tokio::time::timeout(PATIENCE, calls.recv()).await;
            let told = told.unwrap_or_else(|_| panic!("{method} {path} does not tell {missing:?}")).unwrap().json();
            let Some(place) = missing.iter().position(|(kind, _)| told["type"] == *kind) else { continue };
            let (kind, members) = missing.remove(place);
            assert!(told["created_at"].is_i64() && told["custom"].is_object(), "{kind}: {told}");
            times_are_integers(kind, &told);
            for member in members {
                assert!(told.get(member).is_some_and(|value| !value.is_null()), "{kind} has no {member}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn hooks_are_told_of_channels_and_members() {
    told_as_promised(vec![
        (
            Method::POST,
            "channels/messaging/two/query",
            json!({ "data": { "created_by_id": "amy", "members": ["amy"] } }),
            &[("channel.created", CHANNEL), ("member.added", MEMBER)],
        ),
        (Method::POST, ROOM, json!({ "add_members": ["dan"] }), &[("member.added", MEMBER)]),
        (Method::PATCH, "channels/messaging/room/member/dan", json!({ "set": { "n": 1 } }), &[("member.updated", MEMBER)]),
        (Method::POST, ROOM, json!({ "remove_members": ["dan"] }), &[("member.removed", MEMBER)]),
        (Method::POST, ROOM, json!({ "invites": ["dan"] }), &[("member.added", MEMBER)]),
        (Method::POST, ROOM, json!({ "accept_invite": true, "user_id": "dan" }), &[("member.updated", MEMBER)]),
        (Method::PATCH, ROOM, json!({ "set": { "color": "red" } }), &[("channel.updated", CHANNEL)]),
        (
            Method::PATCH,
            ROOM,
            json!({ "set": { "frozen": true } }),
            &[("channel.updated", CHANNEL), ("channel.frozen", &["cid", "channel_id", "channel_type"])],
        ),
        (Method::PATCH, ROOM, json!({ "set": { "frozen": false } }), &[("channel.unfrozen", &["cid"])]),
        (
            Method::POST,
            "channels/messaging/room/hide",
            json!({ "user_id": "amy" }),
            &[("channel.hidden", &["clear_history", "channel", "user"])],
        ),
        (Method::POST, "channels/messaging/room/show", json!({ "user_id": "amy" }), &[("channel.visible", CHANNEL)]),
        (
            Method::POST,
            "moderation/mute/channel",
            json!({ "user_id": "amy", "channel_cid": "messaging:room" }),
            &[("channel.muted", &["user", "mute"])],
        ),
        (
            Method::POST,
            "moderation/unmute/channel",
            json!({ "user_id": "amy", "channel_cid": "messaging:room" }),
            &[("channel.unmuted", &["user", "mute"])],
        ),
        (Method::POST, "channels/messaging/room/read", json!({ "user_id": "amy" }), &[("message.read", &["cid", "user"])]),
        (
            Method::POST,
            "channels/messaging/room/unread",
            json!({ "user_id": "bob", "message_id": "m0" }),
            &[("notification.mark_unread", &["cid", "user", "first_unread_message_id", "unread_messages", "last_read_at"])],
        ),
        (
            Method::POST,
            "channels/messaging/room/truncate",
            json!({ "user_id": "amy" }),
            &[("channel.truncated", CHANNEL)],
        ),
        (
            Method::PUT,
            "channels/batch",
            json!({ "operation": "addMembers", "members": [{ "user_id": "eve" }], "filter": { "cids": { "$in": ["messaging:room"] } } }),
            &[
                (
                    "channel_batch_update.started",
                    &["batch_created_at", "operation", "status", "success_channels_count", "task_id"],
                ),
                ("member.added", MEMBER),
                (
                    "channel_batch_update.completed",
                    &["batch_created_at", "finished_at", "operation", "status", "success_channels_count", "task_id"],
                ),
            ],
        ),
        (Method::DELETE, "channels/messaging/two", json!({}), &[("channel.deleted", CHANNEL)]),
        (Method::POST, "channels/delete", json!({ "cids": ["messaging:room"] }), &[("channel.deleted", CHANNEL)]),
    ])
    .await;
}

#[tokio::test]
async fn hooks_are_told_of_messages_reactions_threads_and_reminders() {
    let override_ = json!({ "set": { "config_overrides": { "user_message_reminders": true } } });
    told_as_promised(vec![
        (Method::PATCH, ROOM, override_, &[("channel.updated", CHANNEL)]),
        (
            Method::POST,
            "channels/messaging/room/message",
            json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy" } }),
            &[("message.new", &["message_id", "message", "watcher_count"])],
        ),
        (
            Method::PUT,
            "messages/m1",
            json!({ "set": { "text": "ho" }, "user_id": "amy" }),
            &[("message.updated", MESSAGE)],
        ),
        (
            Method::POST,
            "messages/m1/reaction",
            json!({ "reaction": { "type": "love", "user_id": "bob" } }),
            &[("reaction.new", &["channel", "message", "reaction", "user", "message_id"])],
        ),
        (
            Method::POST,
            "messages/m1/reaction",
            json!({ "reaction": { "type": "love", "user_id": "bob", "score": 5 } }),
            &[("reaction.updated", &["channel", "message", "reaction", "message_id"])],
        ),
        (
            Method::DELETE,
            "messages/m1/reaction/love?user_id=bob",
            json!({}),
            &[("reaction.deleted", &["channel", "message", "reaction", "message_id"])],
        ),
        (
            Method::POST,
            "channels/messaging/room/message",
            json!({ "message": { "id": "r1", "text": "ho", "user_id": "bob", "parent_id": "m1" } }),
            &[
                ("message.new", MESSAGE),
                (
                    "notification.thread_message_new",
                    &["channel", "message", "message_id", "thread_id", "watcher_count"],
                ),
            ],
        ),
        (
            Method::PATCH,
            "threads/m1",
            json!({ "set": { "title": "T" }, "user_id": "amy" }),
            &[("thread.updated", &["thread"])],
        ),
        (Method::POST, "messages/m1/reminders", json!({ "user_id": "amy" }), &[("reminder.created", REMINDER)]),
        (
            Method::PATCH,
            "messages/m1/reminders",
            json!({ "user_id": "amy", "remind_at": "2030-01-01T00:00:00Z" }),
            &[("reminder.updated", REMINDER)],
        ),
        (
            Method::DELETE,
            "messages/m1/reminders?user_id=amy",
            json!({}),
            &[("reminder.deleted", &["cid", "message_id", "user_id"])],
        ),
        (
            Method::POST,
            "moderation/flag",
            json!({ "target_message_id": "m1", "user_id": "bob", "reason": "rude" }),
            &[("message.flagged", &["message_id", "message", "reason", "total_flags", "user"])],
        ),
        (Method::DELETE, "messages/r1", json!({}), &[("message.deleted", &["message_id", "message", "hard_delete"])]),
        (Method::POST, "messages/r1/undelete", json!({ "undeleted_by": "bob" }), &[("message.undeleted", MESSAGE)]),
        (
            Method::DELETE,
            "messages/r1?hard=true",
            json!({}),
            &[("message.deleted", &["message_id", "message", "hard_delete"])],
        ),
    ])
    .await;
}

#[tokio::test]
async fn hooks_are_told_of_users_and_of_what_moderators_do_with_them() {
    let deleted = [
        "delete_conversation",
        "delete_conversation_channels",
        "delete_messages",
        "delete_user",
        "hard_delete",
        "mark_messages_deleted",
        "user",
    ];
    let deleted: &'static [&'static str] = Box::leak(Box::new(deleted));
    let user_deleted: &'static [(&'static str, &'static [&'static str])] =
        Box::leak(Box::new([("user.deleted", deleted), ("user.messages.deleted", USER)]));
    told_as_promised(vec![
        (Method::PATCH, "users", json!({ "users": [{ "id": "dan", "set": { "n": 1 } }] }), &[("user.updated", USER)]),
        (
            Method::POST,
            "moderation/ban",
            json!({ "target_user_id": "dan", "user_id": "amy", "timeout": 5, "reason": "loud" }),
            &[("user.banned", &["user", "created_by", "reason", "expiration", "shadow", "total_bans"])],
        ),
        (Method::DELETE, "moderation/ban?target_user_id=dan", json!({}), &[("user.unbanned", &["user", "shadow"])]),
        (
            Method::POST,
            "moderation/mute",
            json!({ "target_id": "dan", "user_id": "amy" }),
            &[("user.muted", &["user", "target_user"])],
        ),
        (
            Method::POST,
            "moderation/unmute",
            json!({ "target_id": "dan", "user_id": "amy" }),
            &[("user.unmuted", &["user", "target_user"])],
        ),
        (
            Method::POST,
            "moderation/flag",
            json!({ "target_user_id": "dan", "user_id": "amy", "reason": "rude" }),
            &[("user.flagged", &["user", "target_user", "reason", "total_flags"])],
        ),
        (
            Method::POST,
            "users/eve/deactivate",
            json!({ "created_by_id": "amy" }),
            &[("user.deactivated", &["user", "created_by"])],
        ),
        (
            Method::POST,
            "users/eve/reactivate",
            json!({ "created_by_id": "amy" }),
            &[("user.reactivated", &["user", "created_by"])],
        ),
        (
            Method::POST,
            "users/delete",
            json!({ "user_ids": ["fox"], "user": "hard", "messages": "hard", "conversations": "hard" }),
            user_deleted,
        ),
        (
            Method::POST,
            "export/users",
            json!({ "user_ids": ["nobody"] }),
            &[("export.users.error", &["error", "finished_at", "started_at", "task_id"])],
        ),
        (Method::POST, "users/amy/event", json!({ "event": { "type": "wave", "n": 1 } }), &[("wave", &[])]),
        (
            Method::POST,
            "channels/messaging/room/event",
            json!({ "event": { "type": "party", "user_id": "amy", "n": 1 } }),
            &[("party", &["cid", "user"])],
        ),
    ])
    .await;
}
