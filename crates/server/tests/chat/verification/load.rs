//! Erasures that meet other requests: pages begun before, the same erasure again, writes as who is erased (v2 §8 no. 34, 45, 54).

use super::*;

/// No. 34, of chat.
#[tokio::test]
async fn pages_of_chat_that_were_begun_before_an_erasure_go_on_without_what_was_erased() {
    let pond = Pond::new().await;
    pond.group().await;
    let search = json!({ "filter_conditions": { "members": { "$in": ["bob"] } }, "query": NEEDLE, "limit": 1 });
    let page = pond.get(&format!("search?payload={}", encoded(&search))).await.ok(200);
    let mut next = search.clone();
    next["next"] = page["next"].clone();
    assert!(next["next"].is_string(), "{page}");
    pond.erase_ann().await;
    let page = pond.get(&format!("search?payload={}", encoded(&next))).await.ok(200);
    assert_eq!(page["results"], json!([]));
    // What came before and after a message that is gone is found by its id no more.
    for bound in ["id_lt", "id_gt", "id_lte", "id_gte", "id_around"] {
        let body = json!({ "state": true, "messages": { "limit": 10, bound: "a2" } });
        let answer = pond.post("channels/messaging/group/query", body).await;
        assert!(!answer.text.contains(NEEDLE) && !answer.text.contains("\"ann\""), "{bound}: {}", answer.text);
    }
}

/// Load: who is asked to go again and again goes once, and whoever asks is told.
#[tokio::test]
async fn deletions_of_one_user_that_come_together_all_complete_and_the_user_goes_once() {
    let pond = Pond::new().await;
    pond.group().await;
    let body = json!({ "user_ids": ["ann", "ann"], "user": "hard", "messages": "hard" });
    let ask = || pond.post("users/delete", body.clone());
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    let more = pond.v2().call(Method::DELETE, "users/ann?hard_delete=true", "null").await;
    more.ok(200);
    pond.run_tasks().await;
    let mut statuses = Vec::new();
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        let task = answer.ok(201)["task_id"].as_str().unwrap().to_owned();
        let task = pond.get(&format!("tasks/{task}")).await.ok(200);
        assert_eq!(task["status"], "completed", "{task}");
        statuses.push(task["result"]["ann"]["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(statuses, ["ok"; 4]);
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    let mut tx = pond.store().read();
    let events = LOG.scan(&mut tx, 7, Stamp::default(), Limit { rows: 10_000, bytes: 1 << 24 }).await.unwrap().rows;
    let told = events.iter().filter(|(_, event)| format!("{event:?}").contains("\"user.deleted\"")).count();
    assert_eq!(told, 1, "it is told once");
}

/// Load: what is written as the user while the user is being erased is refused, or goes too.
#[tokio::test]
async fn what_is_written_as_somebody_who_is_being_erased_does_not_stay() {
    let pond = Pond::new().await;
    pond.group().await;
    for n in 0..60 {
        pond.say(&format!("m{n}"), "ann", NEEDLE).await;
    }
    let body = json!({ "user_ids": ["ann"], "user": "hard", "messages": "hard" });
    pond.post("users/delete", body).await.ok(201);
    let ann = pond.user("ann");
    let write = async {
        for n in 0..60 {
            let message = json!({ "message": { "id": format!("late{n}"), "text": NEEDLE } });
            let said = ann.post("channels/messaging/group/message", message).await;
            assert!(said.status >= 400, "a user who is gone speaks: {}", said.text);
            let reaction = json!({ "reaction": { "type": "like" } });
            let reacted = ann.post("messages/b1/reaction", reaction).await;
            assert!(reacted.status >= 400, "a user who is gone reacts: {}", reacted.text);
        }
    };
    tokio::join!(pond.run_tasks(), write);
    assert_eq!(pond.residue("ann").await, Vec::<String>::new());
    assert!(!pond.post("channels/messaging/group/query", json!({ "state": true })).await.text.contains(NEEDLE));
}
