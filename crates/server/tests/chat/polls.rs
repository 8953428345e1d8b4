//! Polls (§6.14, §11.6; v2 §7.3).

use http::Method;
use serde_json::{Value, json};

use crate::{messages::room, sockets::lake::Lake};

/// A room where the message `m` of amy shows the poll `p` with the options a and b.
async fn asked(more: Value) -> Lake {
    let lake = room().await;
    let mut poll = json!({ "id": "p", "name": "Q?", "user_id": "amy",
        "options": [{ "id": "a", "text": "A", "hex": "f00" }, { "id": "b", "text": "B" }], "topic": "x" });
    poll.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    lake.post("polls", poll).await.ok(201);
    lake.say(json!({ "id": "m", "user_id": "amy", "poll_id": "p" })).await;
    lake
}

impl Lake {
    async fn votes(&self, user: &str, option: &str) -> Value {
        self.user(user).post("messages/m/polls/p/vote", json!({ "vote": { "option_id": option } })).await.ok(201)
    }
}

#[tokio::test]
async fn a_poll_has_its_own_fields_flat_in_the_classic_dialect_and_together_in_v2() {
    let lake = asked(json!({ "max_votes_allowed": 2 })).await;
    lake.votes("bob", "a").await;
    let classic = lake.get("polls/p?user_id=bob").await.ok(200)["poll"].clone();
    assert_eq!((&classic["topic"], &classic["options"][0]["hex"]), (&json!("x"), &json!("f00")));
    assert_eq!((&classic["vote_count"], &classic["vote_counts_by_option"]), (&json!(1), &json!({ "a": 1, "b": 0 })));
    assert_eq!((&classic["created_by_id"], &classic["created_by"]["id"]), (&json!("amy"), &json!("amy")));
    assert_eq!((&classic["voting_visibility"], &classic["max_votes_allowed"]), (&json!("public"), &json!(2)));
    assert_eq!((&classic["own_votes"][0]["option_id"], &classic["latest_answers"]), (&json!("a"), &json!([])));
    let v2 = lake.v2().get("polls/p").await.ok(200)["poll"].clone();
    assert_eq!((&v2["custom"], &v2["options"][0]["custom"]), (&json!({ "topic": "x" }), &json!({ "hex": "f00" })));
    assert_eq!((&v2["own_votes"], &v2["answers_count"]), (&json!([]), &json!(0)));
    let vote = &v2["latest_votes_by_option"]["a"][0];
    assert_eq!((&vote["user_id"], &vote["user"]["id"], &vote["poll_id"]), (&json!("bob"), &json!("bob"), &json!("p")));
    assert!(vote["created_at"].is_i64() && v2["updated_at"].is_i64());
    let none = asked(json!({})).await;
    let poll = none.get("polls/p").await.ok(200)["poll"].clone();
    assert_eq!(poll.get("max_votes_allowed"), Some(&Value::Null));
    assert_eq!(none.v2().get("polls/p").await.ok(200)["poll"].get("max_votes_allowed"), None);
}

#[tokio::test]
async fn a_message_shows_its_poll_with_the_votes_of_its_reader() {
    let lake = asked(json!({})).await;
    lake.votes("bob", "a").await;
    let shown = lake.user("bob").get("messages/m").await.ok(200)["message"].clone();
    assert_eq!((&shown["poll_id"], &shown["poll"]["name"]), (&json!("p"), &json!("Q?")));
    assert_eq!(shown["poll"]["own_votes"][0]["user_id"], "bob");
    let state = lake.user("amy").v2().post("chat/channels/messaging/room/query", json!({})).await.ok(201);
    assert_eq!(
        (&state["messages"][0]["poll"]["own_votes"], &state["messages"][0]["poll"]["vote_count"]),
        (&json!([]), &json!(1))
    );
}

#[tokio::test]
async fn voting_answers_the_vote_and_the_poll_and_a_vote_is_taken_back_once() {
    let lake = asked(json!({ "enforce_unique_vote": true })).await;
    let first = lake.votes("bob", "a").await;
    assert_eq!((&first["vote"]["option_id"], &first["poll"]["vote_count"]), (&json!("a"), &json!(1)));
    let body = json!({ "vote": { "option_id": "b" }, "user_id": "bob" });
    let second = lake.v2().post("chat/messages/m/polls/p/vote", body).await.ok(201);
    assert_eq!(second["poll"]["vote_counts_by_option"], json!({ "a": 0, "b": 1 }));
    let path = format!("messages/m/polls/p/vote/{}", second["vote"]["id"].as_str().unwrap());
    assert_eq!(lake.user("amy").delete(&path).await.refusal(), (404, 16));
    let gone = lake.delete(&format!("{path}?user_id=bob")).await.ok(200);
    assert_eq!((&gone["vote"]["option_id"], &gone["poll"]["vote_count"]), (&json!("b"), &json!(0)));
    assert_eq!(lake.delete(&format!("{path}?user_id=bob")).await.refusal(), (404, 16));
}

#[tokio::test]
async fn an_update_resets_what_it_leaves_out_but_for_options_and_a_patch_changes_what_it_names() {
    let lake = asked(json!({ "description": "long", "allow_answers": true })).await;
    lake.votes("bob", "a").await;
    let body = json!({ "id": "p", "name": "Q!", "options": null, "custom": null, "user_id": "amy" });
    let poll = lake.v2().put("polls", body).await.ok(201)["poll"].clone();
    assert_eq!((&poll["description"], &poll["allow_answers"]), (&json!(""), &json!(false)));
    assert_eq!((poll["options"].as_array().unwrap().len(), &poll["custom"]), (2, &json!({})));
    assert_eq!(poll["vote_count"], 1);
    let body = json!({ "set": { "description": "d", "max_votes_allowed": 3, "topic": "y" }, "user_id": "amy" });
    let poll = lake.patch("polls/p", body).await.ok(201)["poll"].clone();
    assert_eq!((&poll["name"], &poll["description"], &poll["topic"]), (&json!("Q!"), &json!("d"), &json!("y")));
    let body = json!({ "set": { "is_closed": true }, "unset": ["max_votes_allowed", "topic"] });
    let poll = lake.user("amy").patch("polls/p", body).await.ok(201)["poll"].clone();
    assert_eq!((&poll["is_closed"], &poll["max_votes_allowed"], poll.get("topic")), (&json!(true), &Value::Null, None));
    let closed = lake.user("bob").post("messages/m/polls/p/vote", json!({ "vote": { "option_id": "b" } })).await;
    assert_eq!(closed.refusal(), (400, 4));
}

#[tokio::test]
async fn options_are_added_changed_read_and_removed() {
    let lake = asked(json!({})).await;
    let body = json!({ "text": "C", "hex": "00f", "user_id": "amy" });
    let option = lake.post("polls/p/options", body).await.ok(201)["poll_option"].clone();
    let id = option["id"].as_str().unwrap();
    assert_eq!((&option["text"], &option["hex"]), (&json!("C"), &json!("00f")));
    let body = json!({ "id": id, "text": "D", "custom": { "n": 1 }, "user_id": "amy" });
    let option = lake.v2().put("polls/p/options", body).await.ok(201)["poll_option"].clone();
    assert_eq!(option, json!({ "id": id, "text": "D", "custom": { "n": 1 } }));
    assert_eq!(lake.user("bob").get(&format!("polls/p/options/{id}")).await.ok(200)["poll_option"]["text"], "D");
    let own = json!({ "text": "mine" });
    assert_eq!(lake.user("bob").post("polls/p/options", own.clone()).await.refusal(), (403, 17));
    lake.user("amy").patch("polls/p", json!({ "set": { "allow_user_suggested_options": true } })).await.ok(201);
    lake.user("bob").post("polls/p/options", own).await.ok(201);
    lake.delete(&format!("polls/p/options/{id}?user_id=amy")).await.ok(200);
    assert_eq!(lake.get(&format!("polls/p/options/{id}")).await.refusal(), (404, 16));
}

#[tokio::test]
async fn polls_and_votes_are_queried() {
    let lake = asked(json!({ "allow_answers": true })).await;
    lake.votes("bob", "a").await;
    let answer = json!({ "vote": { "answer_text": "neither" } });
    lake.user("bob").post("messages/m/polls/p/vote", answer).await.ok(201);
    let polls = |page: Value| page["polls"].as_array().unwrap().len();
    let found = lake.v2().post("polls/query?user_id=bob", json!({ "filter": { "id": "p" } })).await.ok(201);
    assert_eq!(polls(found), 1);
    let by_amy = json!({ "user_id": "amy", "filter": { "created_by_id": "amy", "is_closed": false }, "sort": null });
    assert_eq!(polls(lake.post("polls/query", by_amy).await.ok(201)), 1);
    assert_eq!(polls(lake.user("eve").post("polls/query", json!({ "filter": { "id": "p" } })).await.ok(201)), 0);
    assert_eq!(lake.post("polls/query", json!({})).await.refusal(), (400, 4));
    let votes = lake.user("amy").post("polls/p/votes", json!({ "filter": { "option_id": "a" } })).await.ok(201);
    assert_eq!((&votes["votes"][0]["user_id"], votes["votes"].as_array().unwrap().len()), (&json!("bob"), 1));
    let answers = lake.v2().post("polls/p/votes", json!({ "filter": { "is_answer": true } })).await.ok(201);
    assert_eq!(
        (&answers["votes"][0]["answer_text"], &answers["votes"][0]["is_answer"]),
        (&json!("neither"), &json!(true))
    );
    assert_eq!(lake.user("eve").post("polls/p/votes", json!({})).await.refusal(), (403, 17));
}

#[tokio::test]
async fn an_anonymous_poll_tells_nobody_who_voted_but_the_voter() {
    let lake = asked(json!({ "voting_visibility": "anonymous" })).await;
    let mut amy = lake.connect("amy").await;
    let watch = json!({ "watch": true });
    lake.user("amy").post(&format!("channels/messaging/room/query?connection_id={}", amy.id), watch).await.ok(201);
    let cast = lake.votes("bob", "a").await;
    assert_eq!((&cast["vote"]["user_id"], &cast["poll"]["own_votes"][0]["user_id"]), (&json!("bob"), &json!("bob")));
    let event = amy.find("poll.vote_casted").await;
    assert_eq!((event["poll_vote"].get("user_id"), event.get("user")), (None, None), "{event}");
    let poll = lake.user("amy").get("polls/p").await.ok(200)["poll"].clone();
    assert_eq!(poll["latest_votes_by_option"]["a"][0].get("user"), None);
    let hidden = lake.user("amy").post("polls/p/votes", json!({ "filter": { "user_id": "bob" } })).await.ok(201);
    assert_eq!(hidden["votes"], json!([]));
}

#[tokio::test]
async fn who_watches_hears_of_votes_changes_and_the_end_of_a_poll() {
    let lake = asked(json!({ "enforce_unique_vote": true })).await;
    let mut amy = lake.connect("amy").await;
    let watch = json!({ "watch": true });
    lake.user("amy").post(&format!("channels/messaging/room/query?connection_id={}", amy.id), watch).await.ok(201);
    lake.votes("bob", "a").await;
    let event = amy.find("poll.vote_casted").await;
    assert_eq!((&event["poll"]["id"], &event["poll_vote"]["option_id"]), (&json!("p"), &json!("a")), "{event}");
    assert_eq!((&event["message"]["id"], &event["cid"]), (&json!("m"), &json!("messaging:room")));
    let cast = lake.votes("bob", "b").await;
    assert_eq!(amy.find("poll.vote_changed").await["poll"]["vote_counts_by_option"], json!({ "a": 0, "b": 1 }));
    let vote = cast["vote"]["id"].as_str().unwrap();
    lake.user("bob").delete(&format!("messages/m/polls/p/vote/{vote}")).await.ok(200);
    amy.find("poll.vote_removed").await;
    lake.user("amy").patch("polls/p", json!({ "set": { "name": "R?" } })).await.ok(201);
    assert_eq!(amy.find("poll.updated").await["poll"]["name"], "R?");
    lake.user("amy").patch("polls/p", json!({ "set": { "is_closed": true } })).await.ok(201);
    amy.find("poll.closed").await;
    lake.user("amy").delete("polls/p").await.ok(200);
    assert_eq!(amy.find("poll.deleted").await["poll"]["id"], "p");
    assert_eq!(lake.get("polls/p").await.refusal(), (404, 16));
    let message = lake.get("messages/m").await.ok(200)["message"].clone();
    assert_eq!((&message["poll_id"], message.get("poll")), (&json!("p"), None));
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_nothing_is_stored() {
    let lake = asked(json!({})).await;
    for (method, path, body, error) in [
        (Method::POST, "polls", json!({ "user_id": "amy" }), (400, 4)),
        (Method::POST, "polls", json!({ "name": "x" }), (400, 4)),
        (Method::POST, "polls", json!({ "id": "p", "name": "x", "user_id": "amy" }), (400, 4)),
        (Method::POST, "polls", json!({ "name": "x", "user_id": "amy", "max_votes_allowed": 11 }), (400, 4)),
        (Method::POST, "polls", json!({ "name": "x", "user_id": "amy", "voting_visibility": "some" }), (400, 4)),
        (Method::POST, "polls", json!({ "name": "x", "user_id": "amy", "k": "x".repeat(6000) }), (413, 22)),
        (Method::PUT, "polls", json!({ "name": "x", "user_id": "amy" }), (400, 4)),
        (Method::PUT, "polls", json!({ "id": "nothing", "name": "x" }), (404, 16)),
        (Method::PATCH, "polls/p", json!({ "set": { "options": [] } }), (400, 4)),
        (Method::POST, "polls/p/options", json!({}), (400, 4)),
        (Method::PUT, "polls/p/options", json!({ "text": "x" }), (400, 4)),
        (Method::PUT, "polls/p/options", json!({ "id": "z", "text": "x" }), (404, 16)),
        (Method::POST, "messages/m/polls/p/vote", json!({ "user_id": "bob" }), (400, 4)),
        (Method::POST, "messages/m/polls/p/vote", json!({ "vote": { "option_id": "a" } }), (400, 4)),
        (
            Method::POST,
            "messages/m/polls/p/vote",
            json!({ "vote": { "answer_text": "x" }, "user_id": "bob" }),
            (400, 4),
        ),
        (Method::POST, "messages/m/polls/q/vote", json!({ "vote": { "option_id": "a" }, "user_id": "bob" }), (400, 4)),
        (Method::DELETE, "polls/nothing", json!(null), (404, 16)),
    ] {
        assert_eq!(lake.refuses(method, path, body.to_string()).await, error, "{path} {body}");
    }
    let bob = lake.user("bob");
    assert_eq!(bob.refuses(Method::PATCH, "polls/p", r#"{"set":{"name":"x"}}"#).await, (403, 17));
    assert_eq!(bob.refuses(Method::DELETE, "polls/p", "null").await, (403, 17));
    lake.member("livestream:stage", "amy").await;
    let body = json!({ "message": { "user_id": "amy", "poll_id": "p" } }).to_string();
    let off = lake.call(Method::POST, "channels/livestream/stage/message", body).await;
    assert!(off.text.contains("polls not enabled"), "{}", off.text);
    let unknown = json!({ "message": { "user_id": "amy", "poll_id": "nothing" } }).to_string();
    assert_eq!(lake.refuses(Method::POST, "channels/messaging/room/message", unknown).await, (404, 16));
}
