//! Who may call what: every route of the chat API with every kind of credential, against the table in `access.txt` (§2.2).

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Answer, Client, NOW_SECONDS, Pond, sign};

/// Method and path → who may call.
fn table() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let rows = include_str!("access.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let [method, path, who] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("odd row: {line}") };
        ((method, path), who)
    })
    .collect()
}

/// What the gate says: the code by which it refused, or nothing when it let the call in.
fn verdict(answer: &Answer) -> Option<i64> {
    if answer.status < 400 || !answer.text.starts_with('{') {
        return None;
    }
    let body = answer.json();
    let code = body["code"].as_i64().unwrap();
    // Who may call at all can still lack a permission, which is not the gate's to say.
    let is_of_gate = answer.status == 401 || body["message"].as_str().unwrap().contains("this endpoint is ");
    is_of_gate.then_some(code)
}

/// Every kind of credential, with what it is to a route for `server`, `both`, `readers` and `anyone`: the code of the
/// refusal, or nothing.
fn credentials(pond: &Pond, guest: &str) -> Vec<(&'static str, Client, [Option<i64>; 4])> {
    let (amy, ago) = (json!({ "user_id": "amy" }), NOW_SECONDS - 3600);
    let token = |text: &str| pond.token(Some(text.to_owned()));
    let refused = |code| [Some(code); 4];
    vec![
        ("a server token", (**pond).clone(), [None; 4]),
        ("a user's token", pond.claims(&amy), [Some(17), None, None, None]),
        ("a guest's token", token(guest), [Some(17), None, None, None]),
        ("no token", pond.token(None), [Some(5), Some(5), Some(5), None]),
        (
            "no token, and said so",
            pond.token(None).header("stream-auth-type", "anonymous"),
            [Some(17), Some(17), None, None],
        ),
        ("an unknown kind of token", pond.token(None).header("stream-auth-type", "magic"), refused(5)),
        ("garbage", token("nonsense"), refused(5)),
        ("three parts of garbage", token("a.b.c"), refused(5)),
        ("an unsigned token", token("eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiYW15In0."), refused(5)),
        ("a token signed otherwise", token(&sign("other-secret", &amy)), refused(43)),
        ("a server token of another app", token(&sign("other-secret", &json!({ "server": true }))), refused(43)),
        ("an expired token", pond.claims(&json!({ "user_id": "amy", "exp": ago })), refused(40)),
        ("an expired server token", pond.claims(&json!({ "server": true, "exp": ago })), refused(40)),
        ("a token of tomorrow", pond.claims(&json!({ "user_id": "amy", "nbf": NOW_SECONDS + 86_400 })), refused(41)),
        ("a token made tomorrow", pond.claims(&json!({ "user_id": "amy", "iat": NOW_SECONDS + 86_400 })), refused(42)),
        ("a user that is no text", pond.claims(&json!({ "user_id": 7 })), refused(5)),
    ]
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{type}" => "messaging".to_owned(),
        part if part.starts_with('{') => "x".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_has_a_row_and_every_row_a_route() {
    let (_, running) = Pond::start(|_| {}).await;
    let routes: Vec<_> = running.chat_routes().iter().map(|route| (route.method, route.path)).collect();
    let table = table();
    let without_row: Vec<_> = routes.iter().filter(|route| !table.contains_key(*route)).collect();
    assert!(without_row.is_empty(), "routes without a row in access.txt: {without_row:?}");
    let without_route: Vec<_> = table.keys().filter(|row| !routes.contains(row)).collect();
    assert!(without_route.is_empty(), "rows of access.txt without a route: {without_route:?}");
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let pond = Pond::new().await;
    let made = pond.post("guest", json!({ "user": { "id": "gus" } })).await.ok(201);
    let guest = made["access_token"].as_str().unwrap().to_owned();
    pond.post("users", json!({ "users": { "amy": { "id": "amy" } } })).await.ok(201);
    let mut wrong = Vec::new();
    for (what, client, expected) in credentials(&pond, &guest) {
        for ((method, path), who) in table() {
            let Some(column) = ["server", "both", "readers", "anyone"].iter().position(|known| *known == who) else {
                assert_eq!(who, "socket", "{path}");
                continue;
            };
            let (verb, path) = (Method::from_bytes(method.as_bytes()).unwrap(), filled(path));
            let before = pond.stamp();
            let answer = client.call(verb, &path, "{}").await;
            let found = verdict(&answer);
            if found != expected[column] {
                wrong.push(format!("{method} {path} with {what}: {found:?}, not {:?}", expected[column]));
            }
            if found.is_some() && pond.stamp() != before {
                wrong.push(format!("{method} {path} with {what}: refused, and stored something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_route_answers_without_a_key_that_is_known() {
    let pond = Pond::new().await;
    for (method, path) in table().into_keys() {
        for key in ["api_key=", "api_key=nobody", "api_key=%00"] {
            let verb = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = pond.call(verb, &format!("{}?{key}", filled(path)), "{}").await;
            let code = serde_json::from_str::<Value>(&answer.text).ok().and_then(|body| body["code"].as_i64());
            // A socket is first asked for an upgrade.
            let is_socket = table()[&(method, path)] == "socket";
            assert!(is_socket || (answer.status, code) == (401, Some(2)), "{method} {path}?{key}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn both_dialects_have_the_same_gate() {
    let pond = Pond::new().await;
    for ((method, path), who) in table() {
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = pond.v2().token(None).call(verb, &filled(path), "{}").await;
        let expected = if matches!(who, "anyone" | "socket") { None } else { Some(5) };
        assert!(who == "socket" || verdict(&answer) == expected, "{method} {path}: {}", answer.text);
    }
}
