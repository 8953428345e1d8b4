//! Groups of users (v2 §7.2), and calls that this version answers with nothing.

use http::Method;
use serde_json::{Value, json};

use crate::pond::Pond;

async fn pond() -> Pond {
    let pond = Pond::new().await;
    let users: Value = ["amy", "bob", "cat"]
        .map(|id| (id.to_owned(), json!({ "id": id })))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into();
    pond.post("users", json!({ "users": users })).await.ok(201);
    pond
}

fn ids(groups: &Value) -> Vec<&str> {
    groups["user_groups"].as_array().unwrap().iter().map(|group| group["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_comes_with_its_members_when_it_is_made_and_read() {
    let pond = pond().await;
    let sent = json!({ "id": "g1", "name": "Staff", "description": "d", "member_ids": ["amy"] });
    let at = 1_767_225_600_000_000_000_i64;
    let member = json!({ "app_pk": 7, "group_id": "g1", "user_id": "amy", "is_admin": false, "created_at": at });
    let group = json!({ "user_group": { "id": "g1", "name": "Staff", "description": "d", "created_at": at,
        "updated_at": at, "members": [member] } });
    assert_eq!(pond.v2().post("usergroups", sent.clone()).await.ok(201), group);
    assert_eq!(pond.v2().get("usergroups/g1").await.ok(200), group);
    assert_eq!(pond.refuses(Method::POST, "usergroups", sent.to_string()).await, (400, 4));
    let other = pond.post("usergroups", json!({ "name": "Other", "member_ids": null })).await.ok(201);
    assert_eq!(other["user_group"]["id"].as_str().unwrap().len(), 36);
    let changed = pond.put("usergroups/g1", json!({ "name": "Crew" })).await.ok(201)["user_group"].clone();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Crew"), &json!("d")));
    assert_eq!(pond.delete("usergroups/g1").await.ok(200), json!({}));
    assert_eq!(pond.refuses(Method::GET, "usergroups/g1", "").await, (404, 16));
}

#[tokio::test]
async fn members_are_added_all_or_none_and_taken_out_silently() {
    let pond = pond().await;
    pond.post("usergroups", json!({ "id": "g", "name": "G" })).await.ok(201);
    let unknown = json!({ "member_ids": ["amy", "nobody"] }).to_string();
    assert_eq!(pond.refuses(Method::POST, "usergroups/g/members", unknown).await, (400, 4));
    let added = pond.post("usergroups/g/members", json!({ "member_ids": ["amy", "bob"], "as_admin": true })).await;
    let members = added.ok(201)["user_group"]["members"].clone();
    assert_eq!((members.as_array().unwrap().len(), &members[0]["is_admin"]), (2, &json!(true)));
    let left = pond.post("usergroups/g/members/delete", json!({ "member_ids": ["bob", "cat", "nobody"] })).await;
    assert_eq!(left.ok(201)["user_group"]["members"].as_array().unwrap().len(), 1);
    assert_eq!(pond.refuses(Method::POST, "usergroups/g/members", "{}").await, (400, 4));
}

#[tokio::test]
async fn groups_are_listed_in_pages_found_by_the_start_of_their_names_and_kept_in_their_team() {
    let pond = pond().await;
    for (id, name, team) in [("a", "Sales", ""), ("b", "Staff", "blue"), ("c", "Support", "")] {
        pond.clock.advance(1_000_000);
        pond.post("usergroups", json!({ "id": id, "name": name, "team_id": team })).await.ok(201);
    }
    let page = pond.v2().get("usergroups?limit=2").await.ok(200);
    assert_eq!((ids(&page), page["user_groups"][0].get("members")), (vec!["a", "b"], None));
    let next = pond.v2().get("usergroups?limit=2&id_gt=b&created_at_gt=%222026-01-01T00:00:02Z%22").await.ok(200);
    assert_eq!(ids(&next), ["c"]);
    assert_eq!(ids(&pond.get("usergroups/search?query=s&limit=2").await.ok(200)), ["a", "b"]);
    assert_eq!(ids(&pond.get("usergroups/search?query=s&name_gt=Staff&id_gt=b").await.ok(200)), ["c"]);
    assert_eq!(ids(&pond.get("usergroups/search?query=STA").await.ok(200)), ["b"]);
    assert_eq!(ids(&pond.get("usergroups?team_id=blue").await.ok(200)), ["b"]);
    assert_eq!(pond.refuses(Method::GET, "usergroups/b?team_id=red", "").await, (404, 16));
    assert_eq!(pond.refuses(Method::PUT, "usergroups/b", r#"{"team_id":"red"}"#).await, (404, 16));
}

#[tokio::test]
async fn teams_that_are_not_kept_apart_have_no_usage() {
    let pond = Pond::new().await;
    let asked = json!({ "start_date": "2026-01-01", "end_date": "2026-01-31", "limit": 30 });
    assert_eq!(pond.post("stats/team_usage", asked).await.ok(201), json!({ "teams": [] }));
    for body in [
        r#"{"month":"2026-13"}"#,
        r#"{"month":"soon"}"#,
        r#"{"start_date":"x"}"#,
        r#"{"start_date":"2026-02-01","end_date":"2026-01-01"}"#,
        r#"{"limit":31}"#,
    ] {
        assert_eq!(pond.refuses(Method::POST, "stats/team_usage", body).await, (400, 4), "{body}");
    }
    pond.patch("app", json!({ "multi_tenant_enabled": true })).await.ok(201);
    assert_eq!(pond.refuses(Method::POST, "stats/team_usage", "{}").await, (501, -1));
}
