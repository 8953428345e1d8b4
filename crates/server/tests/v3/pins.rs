//! `…/activities/{activity}/pin` and `…/pinned_activities/query` (§3.3).

use http::Method;
use serde_json::json;

use crate::pond::Pond;

const FEED: &str = "feed_groups/user/feeds/amy";

#[tokio::test]
async fn pins_stand_in_the_order_of_pinning_and_go_with_their_activities() {
    let pond = Pond::new().await;
    for id in ["a1", "a2", "a3"] {
        pond.add(id, "amy", &["user:amy"]).await;
    }
    for id in ["a3", "a1", "a2"] {
        let pinned = pond.post(&format!("{FEED}/activities/{id}/pin"), json!({ "user_id": "amy" })).await;
        assert_eq!(
            (&pinned["feed"], &pinned["user_id"], &pinned["activity"]["id"]),
            (&json!("user:amy"), &json!("amy"), &json!(id))
        );
        assert!(pinned["created_at"].is_i64());
    }
    pond.delete("activities/a1").await;
    let unpinned = pond.delete(&format!("{FEED}/activities/a2/pin?user_id=amy")).await;
    assert_eq!((&unpinned["feed"], &unpinned["activity"]["id"]), (&json!("user:amy"), &json!("a2")));
    let page = pond.post(FEED, json!({})).await;
    assert_eq!(page["feed"]["pin_count"], 1);
    let pin = &page["pinned_activities"][0];
    assert_eq!(
        (&pin["activity"]["id"], &pin["user"]["id"], &pin["feed"]),
        (&json!("a3"), &json!("amy"), &json!("user:amy"))
    );
    let found = pond.post(&format!("{FEED}/pinned_activities/query"), json!({})).await;
    assert_eq!(found["pinned_activities"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_what_the_feed_holds_is_pinned_and_only_by_its_owner() {
    let pond = Pond::new().await;
    pond.make("user:amy", "visible").await;
    pond.add("b1", "bob", &["user:bob"]).await;
    pond.add("a1", "amy", &["user:amy"]).await;
    let amys = json!({ "user_id": "amy" });
    assert_eq!(pond.refuses_post(&format!("{FEED}/activities/b1/pin"), amys.clone()).await, (400, 4));
    assert_eq!(pond.refuses_post(&format!("{FEED}/activities/none/pin"), amys).await, (404, 16));
    assert_eq!(
        pond.refuses(Method::DELETE, &format!("{FEED}/activities/a1/pin?user_id=amy"), json!(null)).await,
        (404, 16)
    );
    assert_eq!(pond.user("bob").refuses_post(&format!("{FEED}/activities/a1/pin"), json!({})).await, (403, 17));
}
