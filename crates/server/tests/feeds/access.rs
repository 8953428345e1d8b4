//! Who may call what: every route of feeds with every kind of credential, against the table in `access.txt` (§2.1–§2.3, §2.5).
//!
//! What a user may do on a route that lets users in stands in `policy`, `reactions` and `entities`.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;

use crate::pond::{Client, NOW_SECONDS, Pond, SECRET, sign, with};

/// A row of the table.
struct Row {
    method: &'static str,
    path: &'static str,
    resource: &'static str,
    covers: &'static str,
    users: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("access.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let [method, path, resource, covers, users] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("odd row: {line}")
            };
            assert!(
                matches!(covers, "feed" | "app" | "any" | "none") && matches!(users, "policy" | "refused"),
                "odd row: {line}"
            );
            Row { method, path, resource, covers, users }
        })
        .collect()
}

impl Row {
    fn action(&self) -> &'static str {
        match self.method {
            "GET" => "read",
            "DELETE" => "delete",
            _ => "write",
        }
    }

    /// What a scope must name to cover the call: the call is about `timeline:amy`.
    fn feed_id(&self) -> &'static str {
        if self.covers == "feed" { "timelineamy" } else { "*" }
    }

    /// A path with something of amy's in the place of each parameter.
    fn filled(&self) -> String {
        let part = |part: &str| match part {
            "{group}" => "timeline".to_owned(),
            "{activity}" => "8b866680-82b8-11e8-8080-80014b9d80a2".to_owned(),
            "{target}" => "user:carl".to_owned(),
            part if part.starts_with('{') => "amy".to_owned(),
            part => part.to_owned(),
        };
        let path = self.path.split('/').map(part).collect::<Vec<_>>().join("/");
        if path == "stats/follow" { format!("{path}?followers=timeline:amy") } else { format!("{path}/") }
    }

    async fn call(&self, client: &Client) -> Verdict {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let body = if self.method == "GET" { "" } else { "{}" };
        let (client, path) = match self.path {
            // A link carries its token itself.
            "/analytics/redirect" => client.with_its_token_in(&self.filled()),
            _ => (client.clone(), self.filled()),
        };
        let answer = client.call(method, &path, body).await;
        // Whoever is let in asks nonsense and is told so, or what to do is there already; nobody is refused for it.
        matches!(answer.status, 401 | 403).then(|| answer.refusal().error)
    }
}

/// Status and code of a refusal; nothing for whoever is let in.
type Verdict = Option<(u16, i64)>;

const NO_KEY: Verdict = Some((401, 2));
const REFUSED: Verdict = Some((403, 17));

/// Every kind of credential, with what the row's call meets.
fn credentials(pond: &Pond, row: &Row) -> Vec<(&'static str, Client, Verdict)> {
    let all = json!({ "resource": "*", "action": "*", "feed_id": "*" });
    let amy = json!({ "user_id": "amy" });
    let token = |text: &str| pond.token(Some(text.to_owned()));
    let (resource, action, feed) = (row.resource, row.action(), row.feed_id());
    let resource = if resource == "any" { "feed" } else { resource };
    let other = if resource == "follower" { "users" } else { "follower" };
    let by_scope = if row.covers == "any" { None } else { REFUSED };
    let by_feed = if row.covers == "none" { None } else { by_scope };
    let other_action = if action == "read" { "write,delete" } else { "read" };
    let of_user = if row.users == "refused" { REFUSED } else { None };
    vec![
        ("everything", pond.claims(&all), None),
        ("exactly what is asked", pond.scope(resource, action, feed), None),
        (
            "what is asked in lists",
            pond.scope(&format!("x, {resource}"), &format!("x,{action}"), &format!("x,{feed}")),
            None,
        ),
        ("a scope that names no feed", pond.claims(&json!({ "resource": resource, "action": action })), None),
        ("a scope and a user", pond.claims(&with(all.clone(), json!({ "user_id": "*" }))), None),
        ("a bearer", token(&format!("Bearer {}", sign(SECRET, &all))), None),
        ("another resource", pond.scope(other, "*", "*"), by_scope),
        ("another action", pond.scope("*", other_action, "*"), by_scope),
        ("another feed", pond.scope("*", "*", "timelinebob"), by_feed),
        ("the group alone", pond.scope("*", "*", "timeline"), by_feed),
        ("the user", pond.claims(&amy), of_user),
        ("the user, with more claims", pond.claims(&with(amy.clone(), json!({ "role": "admin" }))), of_user),
        ("the user, until later", pond.claims(&with(amy.clone(), json!({ "exp": NOW_SECONDS + 60 }))), of_user),
        ("no key", pond.key(""), NO_KEY),
        ("an unknown key", pond.key("unknown"), NO_KEY),
        ("no token", pond.token(None), REFUSED),
        ("an empty token", token(""), REFUSED),
        ("garbage", token("nonsense"), REFUSED),
        ("two parts", token("a.b"), REFUSED),
        ("three parts of garbage", token("a.b.c"), REFUSED),
        ("an unsigned token", token("eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiYW15In0."), REFUSED),
        ("a token signed otherwise", token(&sign("other", &all)), REFUSED),
        ("a user's token signed otherwise", token(&sign("other", &amy)), REFUSED),
        ("a token without claims", pond.claims(&json!({})), REFUSED),
        ("a resource without an action", pond.claims(&json!({ "resource": "*" })), REFUSED),
        ("an expired token", pond.claims(&with(all.clone(), json!({ "exp": NOW_SECONDS - 60 }))), REFUSED),
        ("a token of tomorrow", pond.claims(&with(amy.clone(), json!({ "nbf": NOW_SECONDS + 86_400 }))), REFUSED),
        ("a token made tomorrow", pond.claims(&with(amy, json!({ "iat": NOW_SECONDS + 86_400 }))), REFUSED),
    ]
}

#[tokio::test]
async fn every_route_has_a_row_and_every_row_a_route() {
    let pond = Pond::new().await;
    let routes: BTreeSet<_> = pond.feed_routes.iter().map(|route| (route.method, route.path)).collect();
    let rows: BTreeSet<_> = rows().iter().map(|row| (row.method, row.path)).collect();
    let without_row: Vec<_> = routes.difference(&rows).collect();
    assert!(without_row.is_empty(), "routes without a row in access.txt: {without_row:?}");
    let without_route: Vec<_> = rows.difference(&routes).collect();
    assert!(without_route.is_empty(), "rows of access.txt without a route: {without_route:?}");
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let pond = Pond::new().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for (what, client, expected) in credentials(&pond, &row) {
            let before = pond.stamp();
            let found = row.call(&client).await;
            if found != expected {
                wrong.push(format!("{} {} with {what}: {found:?}, not {expected:?}", row.method, row.path));
            }
            if found.is_some() && pond.stamp() != before {
                wrong.push(format!("{} {} with {what}: refused, and stored something", row.method, row.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_route_of_an_app_that_was_revoked_answers() {
    let pond = Pond::new().await;
    pond.admin(Method::POST, "apps/7/revoke", json!({})).await.ok(200);
    for row in rows() {
        for client in [(*pond).clone(), pond.user("amy"), pond.token(None)] {
            assert_eq!(row.call(&client).await, Some((401, 7)), "{} {}", row.method, row.path);
        }
    }
}
