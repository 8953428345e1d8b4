//! Who is told of each call: exactly these, and nothing else (§10.1, §10.3).

use domain::chat::events::{self, Event};
use http::Method;
use ids::Timestamp;
use serde_json::{Value, json};

use super::lake::{Lake, Socket, user};
use crate::pond::NOW_SECONDS;

/// Amy is a member and watches; bob is a member who does not; cat watches and is no member; dan is nobody there.
struct Room {
    lake: Lake,
    people: Vec<(&'static str, Socket)>,
}

const NAMES: [&str; 4] = ["amy", "bob", "cat", "dan"];
const PATH: &str = "channels/livestream/room";

impl Room {
    async fn new() -> Self {
        let lake = Lake::new().await;
        let users: Value = NAMES.iter().map(|&name| (name.to_owned(), json!({ "id": name }))).collect();
        lake.post("users", json!({ "users": users })).await.ok(201);
        let data = json!({ "created_by_id": "amy", "members": ["amy", "bob"] });
        lake.post(&format!("{PATH}/query"), json!({ "data": data })).await.ok(201);
        let mut people = Vec::new();
        for name in NAMES {
            people.push((name, lake.connect(name).await));
        }
        let mut room = Room { lake, people };
        for watcher in ["amy", "cat"] {
            let body = json!({ "watch": true, "connection_id": room.connection(watcher) });
            room.lake.user(watcher).post(&format!("{PATH}/query"), body).await.ok(201);
        }
        room.told().await;
        room
    }

    fn connection(&self, name: &str) -> String {
        self.people.iter().find(|(known, _)| *known == name).unwrap().1.id.clone()
    }

    /// What each was told since the last time, as `name: kind kind`; who was told nothing is not named.
    async fn told(&mut self) -> Vec<String> {
        let all =
            Event::new("the_end", Timestamp::from_micros(NOW_SECONDS * 1_000_000), None).only_for(NAMES.map(user));
        self.lake.write(|tx| events::record(tx, all.clone())).await;
        let mut told = Vec::new();
        for (name, socket) in &mut self.people {
            let mut kinds = Vec::new();
            loop {
                let kind = socket.event().await["type"].as_str().unwrap().to_owned();
                if kind == "the_end" {
                    break;
                }
                kinds.push(kind);
            }
            if !kinds.is_empty() {
                told.push(format!("{name}: {}", kinds.join(" ")));
            }
        }
        told
    }

    /// Calls as the app's own server, and compares who is told what.
    async fn tells(&mut self, method: Method, path: &str, body: Value, expected: &[&str]) {
        let answer = self.lake.call(method.clone(), path, body.to_string()).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        assert_eq!(self.told().await, expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn messages_and_reactions_are_told_to_who_watches_and_new_messages_to_members_besides() {
    let mut room = Room::new().await;
    let of = |path: &str| format!("{PATH}/{path}");
    let message = json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy" } });
    let expected = ["amy: message.new", "bob: notification.message_new", "cat: message.new"];
    room.tells(Method::POST, &of("message"), message, &expected).await;
    let silent = json!({ "message": { "id": "m2", "text": "psst", "user_id": "amy", "silent": true } });
    room.tells(Method::POST, &of("message"), silent, &["amy: message.new", "cat: message.new"]).await;
    let update = json!({ "message": { "id": "m1", "text": "ho", "user_id": "amy" } });
    room.tells(Method::POST, "messages/m1", update, &["amy: message.updated", "cat: message.updated"]).await;
    let reaction = json!({ "reaction": { "type": "love", "user_id": "bob" } });
    room.tells(Method::POST, "messages/m1/reaction", reaction, &["amy: reaction.new", "cat: reaction.new"]).await;
    let path = "messages/m1/reaction/love?user_id=bob";
    room.tells(Method::DELETE, path, json!({}), &["amy: reaction.deleted", "cat: reaction.deleted"]).await;
    room.tells(Method::DELETE, "messages/m1", json!({}), &["amy: message.deleted", "cat: message.deleted"]).await;
}

#[tokio::test]
async fn typing_and_reading_are_told_to_others_who_watch() {
    let mut room = Room::new().await;
    let of = |path: &str| format!("{PATH}/{path}");
    let typing = json!({ "event": { "type": "typing.start", "user_id": "amy" } });
    room.tells(Method::POST, &of("event"), typing, &["cat: typing.start"]).await;
    let own = json!({ "event": { "type": "wave", "user_id": "amy" } });
    room.tells(Method::POST, &of("event"), own, &["amy: wave", "cat: wave"]).await;
    let expected = ["amy: message.read notification.mark_read", "cat: message.read"];
    room.tells(Method::POST, &of("read"), json!({ "user_id": "amy" }), &expected).await;
    let message = json!({ "message": { "id": "m1", "text": "hi", "user_id": "cat" } });
    room.lake.post(&of("message"), message).await.ok(201);
    room.told().await;
    let unread = json!({ "user_id": "amy", "message_id": "m1" });
    room.tells(Method::POST, &of("unread"), unread, &["amy: notification.mark_unread"]).await;
}

#[tokio::test]
async fn what_happens_to_members_is_told_to_who_watches_and_to_the_member() {
    let mut room = Room::new().await;
    let add = json!({ "add_members": ["dan"] });
    let expected = ["amy: member.added", "cat: member.added", "dan: notification.added_to_channel"];
    room.tells(Method::POST, PATH, add, &expected).await;
    let change = json!({ "set": { "color": "red" } });
    let path = format!("{PATH}/member/dan");
    room.tells(Method::PATCH, &path, change, &["amy: member.updated", "cat: member.updated"]).await;
    let remove = json!({ "remove_members": ["dan"] });
    let expected = ["amy: member.removed", "cat: member.removed", "dan: notification.removed_from_channel"];
    room.tells(Method::POST, PATH, remove, &expected).await;
    let invite = json!({ "invites": ["dan"] });
    let told = room.lake.post(PATH, invite).await;
    assert_eq!(told.status, 201, "{}", told.text);
    assert!(room.told().await.contains(&"dan: notification.invited".to_owned()));
}

#[tokio::test]
async fn what_happens_to_a_channel_is_told_to_who_watches_and_its_end_to_members_besides() {
    let mut room = Room::new().await;
    let patch = json!({ "set": { "color": "red" } });
    room.tells(Method::PATCH, PATH, patch, &["amy: channel.updated", "cat: channel.updated"]).await;
    let hide = json!({ "user_id": "bob" });
    room.tells(Method::POST, &format!("{PATH}/hide"), hide.clone(), &["bob: channel.hidden"]).await;
    room.tells(Method::POST, &format!("{PATH}/show"), hide, &["bob: channel.visible"]).await;
    let expected = ["amy: channel.truncated", "bob: notification.channel_truncated", "cat: channel.truncated"];
    room.tells(Method::POST, &format!("{PATH}/truncate"), json!({}), &expected).await;
    let mute = json!({ "user_id": "bob", "channel_cids": ["livestream:room"] });
    let expected = ["bob: notification.channel_mutes_updated"];
    room.tells(Method::POST, "moderation/mute/channel", mute, &expected).await;
    let expected = ["amy: channel.deleted", "bob: notification.channel_deleted", "cat: channel.deleted"];
    room.tells(Method::DELETE, PATH, json!({}), &expected).await;
}

#[tokio::test]
async fn the_new_message_says_what_each_receiver_has_not_read() {
    let mut room = Room::new().await;
    for id in ["m1", "m2"] {
        let message = json!({ "message": { "id": id, "text": "hi", "user_id": "amy" } });
        room.lake.post(&format!("{PATH}/message"), message).await.ok(201);
    }
    let unread = |event: Value| {
        ["total_unread_count", "unread_channels", "unread_count"].map(|name| event[name].as_i64().unwrap())
    };
    for (name, kind, expected) in [
        ("amy", "message.new", [[0, 0, 0], [0, 0, 0]]),
        ("bob", "notification.message_new", [[1, 1, 1], [2, 1, 2]]),
        ("cat", "message.new", [[0, 0, 0], [0, 0, 0]]),
    ] {
        let socket = &mut room.people.iter_mut().find(|(known, _)| *known == name).unwrap().1;
        let told = [unread(socket.find(kind).await), unread(socket.find(kind).await)];
        // A message that came meanwhile is counted, too.
        assert!(told[0] == expected[0] || told[0] == expected[1], "{name}: {told:?}");
        assert_eq!(told[1], expected[1], "{name}");
    }
    let bob = &mut room.people[1].1;
    room.lake.post(&format!("{PATH}/read"), json!({ "user_id": "bob" })).await.ok(201);
    assert_eq!(unread(bob.find("notification.mark_read").await), [0, 0, 0]);
}

#[tokio::test]
async fn the_message_of_an_event_is_shown_as_its_answer_was() {
    let room = &mut Room::new().await;
    let message = json!({ "message": { "id": "m1", "text": "hi", "user_id": "amy", "color": "red" } });
    let answer = room.lake.post(&format!("{PATH}/message"), message).await.ok(201);
    let event = room.people[0].1.find("message.new").await;
    let (mut sent, mut told) = (answer["message"].clone(), event["message"].clone());
    for shown in [&mut sent, &mut told] {
        // The author is shown online in the one, and as whom it is embedded in the other.
        shown.as_object_mut().unwrap().remove("user");
    }
    assert_eq!(told, sent);
    assert_eq!((&event["watcher_count"], &event["channel_type"]), (&json!(2), &json!("livestream")), "{event}");
}
