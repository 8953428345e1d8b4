//! Polls on activities (§3.10).

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

async fn pond() -> Pond {
    let pond = Pond::new().await;
    let options = json!([{ "id": "red", "text": "Red" }, { "id": "blue", "text": "Blue" }]);
    let poll = json!({ "id": "p1", "name": "Which?", "user_id": "amy", "options": options, "allow_answers": true });
    pond.post("/api/v2/polls", poll).await;
    let activity = json!({ "id": "a1", "type": "poll", "user_id": "amy", "feeds": ["user:amy"], "poll_id": "p1" });
    let added = pond.post("activities", activity).await;
    assert_eq!(added["activity"]["poll"]["id"], "p1");
    pond
}

const VOTE: &str = "activities/a1/polls/p1/vote";

fn counts(poll: &Value) -> (i64, i64, i64) {
    let of = |option: &str| poll["vote_counts_by_option"][option].as_i64().unwrap();
    (of("red"), of("blue"), poll["answers_count"].as_i64().unwrap())
}

#[tokio::test]
async fn a_vote_is_cast_changed_and_taken_back_and_the_activity_shows_the_poll_as_it_is() {
    let pond = pond().await;
    let voted = pond.post(VOTE, json!({ "user_id": "bob", "vote": { "option_id": "red" } })).await;
    assert_eq!((&voted["vote"]["option_id"], &voted["vote"]["user_id"]), (&json!("red"), &json!("bob")));
    assert_eq!(counts(&voted["poll"]), (1, 0, 0));
    let answered = pond.user("cat").post(VOTE, json!({ "vote": { "answer_text": "Green" } })).await;
    assert_eq!((&answered["vote"]["answer_text"], counts(&answered["poll"])), (&json!("Green"), (1, 0, 1)));
    let shown = pond.user("bob").get("activities/a1").await;
    let poll = &shown["activity"]["poll"];
    assert_eq!((counts(poll), &poll["own_votes"][0]["option_id"]), ((1, 0, 1), &json!("red")));
    let vote = voted["vote"]["id"].as_str().unwrap();
    let gone = pond.delete(&format!("{VOTE}/{vote}?user_id=bob")).await;
    assert_eq!((&gone["vote"]["id"], counts(&gone["poll"])), (&json!(vote), (0, 0, 1)));
    let page = pond.post("feed_groups/user/feeds/amy", json!({ "user_id": "amy" })).await;
    assert_eq!(page["activities"][0]["poll"]["answers_count"], 1);
    let options = json!({ "user_id": "amy", "enrichment_options": { "skip_activity_poll": true } });
    let page = pond.post("feed_groups/user/feeds/amy", options).await;
    assert!(page["activities"][0].get("poll").is_none());
}

#[tokio::test]
async fn what_cannot_be_voted_for_is_refused() {
    let pond = pond().await;
    for (path, body, refusal) in [
        (VOTE, json!({ "user_id": "bob" }), (400, 4)),
        (VOTE, json!({ "user_id": "bob", "vote": {} }), (400, 4)),
        (VOTE, json!({ "user_id": "bob", "vote": { "option_id": "none" } }), (404, 16)),
        (VOTE, json!({ "vote": { "option_id": "red" } }), (400, 4)),
        ("activities/a1/polls/p2/vote", json!({ "user_id": "bob", "vote": { "option_id": "red" } }), (400, 4)),
        ("activities/none/polls/p1/vote", json!({ "user_id": "bob", "vote": { "option_id": "red" } }), (404, 16)),
    ] {
        assert_eq!(pond.refuses_post(path, body.clone()).await, refusal, "{path} {body}");
    }
    assert_eq!(pond.refuses(Method::DELETE, &format!("{VOTE}/none"), json!(null)).await, (404, 16));
    let unknown = json!({ "type": "poll", "user_id": "amy", "feeds": ["user:amy"], "poll_id": "none" });
    assert_eq!(pond.refuses_post("activities", unknown).await, (404, 16));
}

#[tokio::test]
async fn a_full_update_without_it_lets_go_of_the_poll_and_a_partial_one_attaches_it() {
    let pond = pond().await;
    let activity = pond.put("activities/a1", json!({ "user_id": "amy", "text": "no poll" })).await;
    assert!(activity["activity"].get("poll").is_none());
    let activity = pond.patch("activities/a1", json!({ "user_id": "amy", "set": { "poll_id": "p1" } })).await;
    assert_eq!(activity["activity"]["poll"]["id"], "p1");
    let found = pond.post("activities/query", json!({ "filter": { "poll_id": "p1" } })).await;
    assert_eq!(crate::pond::ids(&found["activities"]), "a1");
}

#[tokio::test]
async fn the_votes_of_an_erased_user_are_counted_no_more() {
    let pond = pond().await;
    pond.post(VOTE, json!({ "user_id": "bob", "vote": { "option_id": "red" } })).await;
    let hard = json!({ "user_ids": ["bob"], "user": "hard", "messages": "hard", "conversations": "hard" });
    pond.post("/api/v2/users/delete", hard).await;
    pond.run_tasks_later().await;
    assert_eq!(pond.residue("bob").await, Vec::<&str>::new());
    assert_eq!(counts(&pond.get("activities/a1").await["activity"]["poll"]), (0, 0, 0));
}
