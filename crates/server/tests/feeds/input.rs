//! What cannot be added or read, and that nothing of it is stored (§3, §4.1, §4.2, §4.5, §5.2, §5.6, §11).

use http::Method;
use serde_json::{Value, json};

use crate::pond::{Pond, activity, with};

const FEED: &str = "feed/user/amy/";
const BAD: (u16, i64) = (400, 4);
const NO_GROUP: (u16, i64) = (400, 6);

/// An activity without one of its members.
fn without(name: &str) -> Value {
    let mut activity = activity(json!({}));
    activity.as_object_mut().unwrap().remove(name);
    activity
}

/// The words of the contract for groups that are not there.
fn not_configured(names: &str) -> String {
    format!(
        "The following feeds are not configured: {names}. This could be the cause of a typo, but otherwise you should \
         configure them on the dashboard of this app."
    )
}

/// Bad activities, and the fields that are told to be wrong.
fn bad_activities() -> Vec<(Value, &'static [&'static str])> {
    let many: Vec<String> = (0..101).map(|n| format!("user:{n}")).collect();
    vec![
        (json!({}), &["actor", "object", "verb"]),
        (without("actor"), &["actor"]),
        (without("verb"), &["verb"]),
        (without("object"), &["object"]),
        (activity(json!({ "actor": null })), &["actor"]),
        (activity(json!({ "actor": "" })), &["actor"]),
        (activity(json!({ "actor": true })), &["actor"]),
        (activity(json!({ "actor": ["amy"] })), &["actor"]),
        (activity(json!({ "actor": {} })), &["actor"]),
        (activity(json!({ "verb": "" })), &["verb"]),
        (activity(json!({ "verb": "v".repeat(256) })), &["verb"]),
        (activity(json!({ "verb": "é".repeat(128) })), &["verb"]),
        (activity(json!({ "object": {} })), &["object"]),
        (activity(json!({ "object": "" })), &["object"]),
        (activity(json!({ "object": [] })), &["object"]),
        (activity(json!({ "target": {} })), &["target"]),
        (activity(json!({ "foreign_id": {} })), &["foreign_id"]),
        (activity(json!({ "foreign_id": "f".repeat(513) })), &["foreign_id"]),
        (activity(json!({ "time": "now" })), &["time"]),
        (activity(json!({ "time": "2026-13-01T00:00:00" })), &["time"]),
        (activity(json!({ "time": 1_767_225_600 })), &["time"]),
        (activity(json!({ "time": {} })), &["time"]),
        (activity(json!({ "to": "user:bob" })), &["to"]),
        (activity(json!({ "to": {} })), &["to"]),
        (activity(json!({ "to": ["user"] })), &["to"]),
        (activity(json!({ "to": [1] })), &["to"]),
        (activity(json!({ "to": [""] })), &["to"]),
        (activity(json!({ "to": ["user:b ob:x", "us er:bob"] })), &["to"]),
        (activity(json!({ "to": many })), &["to"]),
        (activity(json!({ "actor": null, "time": "x", "to": "user:bob" })), &["actor", "time", "to"]),
    ]
}

#[tokio::test]
async fn a_bad_activity_is_refused_with_the_names_of_its_bad_fields() {
    let pond = Pond::new().await;
    for (body, fields) in bad_activities() {
        let refusal = pond.refuses(FEED, body.to_string()).await;
        assert_eq!((refusal.error, refusal.fields), (BAD, fields.iter().map(ToString::to_string).collect()), "{body}");
    }
    assert!(pond.objects("user:amy").await.is_empty());
}

#[tokio::test]
async fn the_detail_of_bad_fields_names_them() {
    let pond = Pond::new().await;
    assert_eq!(pond.refuses(FEED, without("verb").to_string()).await.detail, "Errors for fields 'verb'");
    let answer = pond.post(FEED, without("verb")).await.json();
    assert_eq!(answer["exception_fields"], json!({ "verb": ["this field is required"] }));
}

#[tokio::test]
async fn one_bad_activity_refuses_the_whole_list_wherever_it_stands() {
    let pond = Pond::new().await;
    for (bad, fields) in bad_activities() {
        for at in [0, 2] {
            let mut list = vec![activity(json!({})), activity(json!({}))];
            list.insert(at, bad.clone());
            let refusal = pond.refuses(FEED, json!({ "activities": list }).to_string()).await;
            let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
            assert_eq!((refusal.error, refusal.fields), (BAD, fields), "{bad} at {at}");
        }
    }
    assert!(pond.objects("user:amy").await.is_empty());
}

#[tokio::test]
async fn a_list_has_one_to_a_hundred_activities() {
    let pond = Pond::new().await;
    let list = |count: usize| json!({ "activities": vec![activity(json!({})); count] });
    let refusal = pond.refuses(FEED, list(0).to_string()).await;
    assert_eq!((refusal.error, refusal.fields), (BAD, vec!["activities".into()]));
    let refusal = pond.refuses(FEED, list(101).to_string()).await;
    assert_eq!((refusal.error, refusal.fields), (BAD, vec!["activities".into()]));
    pond.post(FEED, list(100)).await.ok(201);
    assert_eq!(pond.objects("user:amy").await.len(), 100);
}

#[tokio::test]
async fn a_list_of_what_is_no_activity_is_refused() {
    let pond = Pond::new().await;
    for item in [json!(1), json!("x"), json!(null), json!([]), json!([activity(json!({}))])] {
        assert_eq!(pond.refuses(FEED, json!({ "activities": [item] }).to_string()).await.error, BAD, "{item}");
    }
}

/// Every path that takes a body.
const POSTS: [&str; 10] = [
    FEED,
    "feed/add_to_many/",
    "feed/user/amy/follows/",
    "feed/user/amy/following/",
    "follow_many/",
    "unfollow_many/",
    "feed_targets/user/amy/activity_to_targets/",
    "activities/",
    "activity/",
    "feed/timeline/amy/",
];

#[tokio::test]
async fn a_body_that_is_not_the_json_of_the_call_is_refused() {
    let pond = Pond::new().await;
    let deep = |depth| format!("{{\"actor\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let nested = |depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for path in POSTS {
        for body in ["", "{", "nul", "[", "]", "1", "\"x\"", "true", "null", "[1]", "[null]", "{}x", "'", "{\"a\":}"] {
            assert_eq!(pond.refuses(path, body).await.error, BAD, "{body} to {path}");
        }
        assert_eq!(pond.refuses(path, &b"{\"actor\":\"\xff\"}"[..]).await.error, BAD, "not UTF-8 to {path}");
        assert_eq!(pond.refuses(path, deep(100_000)).await.error, BAD, "deep lists to {path}");
        assert_eq!(pond.refuses(path, nested(100_000)).await.error, BAD, "deep objects to {path}");
        let empty = if path.ends_with("follow_many/") { "{\"a\":1}" } else { "[]" };
        assert_eq!(pond.refuses(path, empty).await.error, BAD, "{empty} to {path}");
    }
}

#[tokio::test]
async fn a_list_does_not_stand_for_an_object_with_its_members_in_order() {
    let pond = Pond::new().await;
    let cases = [
        ("feed/user/amy/follows/", json!(["user:bob", null])),
        ("feed/add_to_many/", json!([["user:1"], activity(json!({}))])),
        ("follow_many/", json!([["timeline:bob", "user:amy", null]])),
        ("unfollow_many/", json!([["timeline:bob", "user:amy", null]])),
        ("activities/", json!([[]])),
        ("activity/", json!({ "changes": [[null, "fish:1", "2026-01-01T00:00:00", { "a": 1 }, null]] })),
        (
            "feed_targets/user/amy/activity_to_targets/",
            json!([["8b866680-82b8-11e8-8080-80014b9d80a2", null, null, [], null, null]]),
        ),
    ];
    for (path, body) in cases {
        assert_eq!(pond.refuses(path, body.to_string()).await.error, BAD, "{body} to {path}");
    }
}

#[tokio::test]
async fn members_of_the_wrong_type_are_refused() {
    let pond = Pond::new().await;
    let fish = json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" });
    let cases = [
        ("feed/add_to_many/", json!({ "feeds": "user:1", "activity": activity(json!({})) })),
        ("feed/add_to_many/", json!({ "feeds": [1], "activity": activity(json!({})) })),
        ("feed/add_to_many/", json!({ "feeds": ["user:1"], "activity": [] })),
        ("feed/add_to_many/", json!({ "feeds": ["user:1"], "activity": null })),
        ("feed/add_to_many/", json!({ "feeds": ["user:1"] })),
        ("feed/add_to_many/", json!({ "activity": activity(json!({})) })),
        ("activities/", json!({ "activities": activity(fish.clone()) })),
        ("activities/", activity(fish.clone())),
        ("activity/", with(fish.clone(), json!({ "set": [] }))),
        ("activity/", with(fish.clone(), json!({ "unset": "a" }))),
        ("activity/", with(fish.clone(), json!({ "unset": [1] }))),
        ("activity/", json!({ "changes": with(fish.clone(), json!({ "set": { "a": 1 } })) })),
        ("activity/", json!({ "id": 1, "set": { "a": 1 } })),
        ("feed_targets/user/amy/activity_to_targets/", with(fish.clone(), json!({ "new_targets": "user:1" }))),
        ("feed_targets/user/amy/activity_to_targets/", with(fish, json!({ "new_targets": [1] }))),
        ("feed/user/amy/follows/", json!({ "target": ["user:bob"] })),
    ];
    for (path, body) in cases {
        assert_eq!(pond.refuses(path, body.to_string()).await.error, BAD, "{body} to {path}");
    }
}

#[tokio::test]
async fn an_activity_has_at_most_ten_kilobytes() {
    let pond = Pond::new().await;
    let sized = |bytes: usize| {
        let empty = activity(json!({ "text": "" })).to_string().len();
        activity(json!({ "text": "x".repeat(bytes - empty) }))
    };
    pond.post(FEED, sized(10 * 1024)).await.ok(201);
    for body in [sized(10 * 1024 + 1), json!({ "activities": [activity(json!({})), sized(20_000)] })] {
        assert_eq!(pond.refuses(FEED, body.to_string()).await.error, (413, 18));
    }
    let update = with(sized(20_000), json!({ "foreign_id": "fish:1", "time": "2026-01-01T00:00:00" }));
    assert_eq!(pond.refuses("activities/", json!({ "activities": [update] }).to_string()).await.error, (413, 18));
    let many = json!({ "feeds": ["user:1"], "activity": sized(20_000) });
    assert_eq!(pond.refuses("feed/add_to_many/", many.to_string()).await.error, (413, 18));
    assert_eq!(pond.objects("user:amy").await.len(), 1);
}

#[tokio::test]
async fn the_largest_activities_fit() {
    let pond = Pond::new().await;
    let long = |n: usize| format!("user:{n:0>250}");
    let to: Vec<String> = (0..100).map(long).collect();
    let foreign_id = "\0".repeat(512);
    for foreign_id in [foreign_id.as_str(), &"f".repeat(512)] {
        let fields = json!({ "to": to, "foreign_id": foreign_id, "verb": "v".repeat(255), "text": "x".repeat(9000) });
        let body = with(activity(json!({})), with(fields, json!({ "to": to[..20] })));
        let answer = pond.post(FEED, body).await;
        assert!(answer.status < 500, "{}", answer.text);
    }
    let body =
        activity(json!({ "to": (0..100).map(|n| format!("user:{n}")).collect::<Vec<_>>(), "text": "x".repeat(8000) }));
    let added = pond.post(FEED, json!({ "activities": vec![body; 100] })).await.ok(201);
    assert_eq!(added["activities"].as_array().unwrap().len(), 100);
    assert_eq!(pond.objects("user:99").await.len(), 100);
}

#[tokio::test]
async fn a_custom_field_has_a_name_of_sane_length() {
    let pond = Pond::new().await;
    let mut body = activity(json!({}));
    body["n".repeat(255)] = 1.into();
    pond.post(FEED, body).await.ok(201);
    for name in ["".to_owned(), "n".repeat(256)] {
        let mut body = activity(json!({}));
        body[&name] = 1.into();
        assert_eq!(pond.refuses(FEED, body.to_string()).await.error, (400, 5), "{name}");
    }
}

#[tokio::test]
async fn groups_that_are_not_there_are_named_in_the_words_of_the_contract() {
    let pond = Pond::new().await;
    let fish = activity(json!({}));
    let cases = [
        ("feed/nope/amy/", fish.clone(), "'nope'"),
        (FEED, activity(json!({ "to": ["to:something", "user:bob", "nope:1"] })), "'to', 'nope'"),
        (FEED, json!({ "activities": [fish, activity(json!({ "to": ["to:something"] }))] }), "'to'"),
        (
            "feed/add_to_many/",
            json!({ "feeds": ["user:1", "nope:1", "nope:2"], "activity": activity(json!({})) }),
            "'nope'",
        ),
        ("feed/nope/amy/follows/", json!({ "target": "user:bob" }), "'nope'"),
        ("feed/user/amy/follows/", json!({ "target": "nope:bob" }), "'nope'"),
        ("feed/user/amy/follows/", json!({ "target": "flat2:amy" }), "'flat2'"),
        (
            "follow_many/",
            json!([{ "source": "user:amy", "target": "user:bob" }, { "source": "a:1", "target": "b:1" }]),
            "'a', 'b'",
        ),
        ("unfollow_many/", json!([{ "source": "user:amy", "target": "nope:bob" }]), "'nope'"),
    ];
    for (path, body, names) in cases {
        let refusal = pond.refuses(path, body.to_string()).await;
        assert_eq!((refusal.error, refusal.detail), (NO_GROUP, not_configured(names)), "{path}");
    }
    for path in ["feed/nope/amy/", "enrich/feed/nope/amy/", "feed/nope/amy/followers/", "feed/nope/amy/follows/"] {
        let refusal = pond.get(path).await.refusal();
        assert_eq!((refusal.error, refusal.detail), (NO_GROUP, not_configured("'nope'")), "{path}");
    }
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    for path in
        [format!("feed/nope/amy/{id}/"), "feed/nope/amy/x/?foreign_id=1".into(), "feed/user/amy/follows/nope:1/".into()]
    {
        let refusal = pond.refuses_to(Method::DELETE, &path, "").await;
        assert_eq!((refusal.error, refusal.detail), (NO_GROUP, not_configured("'nope'")), "{path}");
    }
}

#[tokio::test]
async fn feeds_with_bad_names_are_refused() {
    let pond = Pond::new().await;
    let long = "x".repeat(256);
    for feed in
        ["us%20er/amy", "user/a%20my", "user/a%2Fmy", "user/am%3Ay", "user/%C3%A9", "user/%FF", &format!("user/{long}")]
    {
        assert_eq!(pond.get(&format!("feed/{feed}/")).await.refusal().error, BAD, "{feed}");
        let refusal = pond.refuses(&format!("feed/{feed}/"), activity(json!({})).to_string()).await;
        assert_eq!(refusal.error, BAD, "{feed}");
    }
}

#[tokio::test]
async fn add_to_many_takes_one_to_five_thousand_feeds_and_no_targets() {
    let pond = Pond::new().await;
    let feeds = |count: usize| (0..count).map(|n| format!("user:{n}")).collect::<Vec<_>>();
    let cases = [
        (json!({ "feeds": [], "activity": activity(json!({})) }), "feeds"),
        (json!({ "feeds": feeds(5001), "activity": activity(json!({})) }), "feeds"),
        (json!({ "feeds": ["user"], "activity": activity(json!({})) }), "feeds"),
        (json!({ "feeds": ["user:1"], "activity": activity(json!({ "to": ["user:2"] })) }), "to"),
        (json!({ "feeds": ["user:1"], "activity": without("verb") }), "verb"),
    ];
    for (body, field) in cases {
        let refusal = pond.refuses("feed/add_to_many/", body.to_string()).await;
        assert_eq!((refusal.error, refusal.fields), (BAD, vec![field.to_owned()]));
    }
    assert!(pond.objects("user:1").await.is_empty());
}

#[tokio::test]
async fn bad_ids_cannot_be_removed() {
    let pond = Pond::new().await;
    pond.add("user:amy", json!({ "foreign_id": "fish:1" })).await;
    for id in ["fish:1", "x", "8b866680-82b8-11e8-8080-80014b9d80a", "8b866680-82b8-11e8-8080-80014b9d80ag"] {
        for query in ["", "?foreign_id=0", "?foreign_id=False"] {
            let refusal = pond.refuses_to(Method::DELETE, &format!("{FEED}{id}/{query}"), "").await;
            assert_eq!(refusal.error, BAD, "{id} {query}");
        }
    }
    let refusal = pond.refuses_to(Method::DELETE, &format!("{FEED}fish:1/?foreign_id=maybe"), "").await;
    assert_eq!((refusal.error, refusal.fields), (BAD, vec!["foreign_id".into()]));
    assert_eq!(pond.objects("user:amy").await, ["fish"]);
}

#[tokio::test]
async fn bad_parameters_of_a_read_are_refused_with_their_names() {
    let pond = Pond::new().await;
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let both_below = format!("id_lt={id}&id_lte={id}");
    let both_above = format!("id_gt={id}&id_gte={id}");
    let cases: [(&str, &[&str]); 20] = [
        ("limit=-1", &["limit"]),
        ("limit=x", &["limit"]),
        ("limit=1.5", &["limit"]),
        ("limit=99999999999999999999999", &["limit"]),
        ("offset=-1", &["offset"]),
        ("offset=x", &["offset"]),
        ("offset=1000000", &["offset"]),
        ("id_lt=x", &["id_lt"]),
        ("id_lte=x", &["id_lte"]),
        ("id_gt=x", &["id_gt"]),
        ("id_gte=8b866680-82b8-11e8-8080", &["id_gte"]),
        (&both_below, &[]),
        (&both_above, &[]),
        ("withReactionCounts=maybe", &["withReactionCounts"]),
        ("rankingVars=x", &["ranking_vars"]),
        ("ranking_vars=[]", &["ranking_vars"]),
        ("rankingVars=[1]", &["ranking_vars"]),
        ("rankingVars[]=popular&rankingVars[]=1", &["ranking_vars"]),
        ("rankingVars%5B%5D=popular", &["ranking_vars"]),
        ("rankingVars={", &["ranking_vars"]),
    ];
    for (query, fields) in cases {
        for path in [FEED, "enrich/feed/user/amy/"] {
            let refusal = pond.get(&format!("{path}?{query}").replace('{', "%7B")).await.refusal();
            let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
            assert_eq!((refusal.error, refusal.fields), (BAD, fields), "{path} {query}");
        }
    }
    assert_eq!(pond.get("feed/user/amy/?ranking=popular").await.refusal().error, (400, 12));
    pond.get("feed/user/amy/?rankingVars=%7B%22a%22:1%7D&withScoreVars=true").await.ok(200);
}

#[tokio::test]
async fn bad_parameters_of_getting_activities_are_refused() {
    let pond = Pond::new().await;
    let id = "8b866680-82b8-11e8-8080-80014b9d80a2";
    let ids = vec![id; 101].join(",");
    let cases = [
        "".to_owned(),
        "ids=".to_owned(),
        "ids=x".to_owned(),
        format!("ids={id},x"),
        format!("ids={ids}"),
        "foreign_ids=a".to_owned(),
        "timestamps=2026-01-01T00:00:00".to_owned(),
        "foreign_ids=a,b&timestamps=2026-01-01T00:00:00".to_owned(),
        "foreign_ids=a&timestamps=yesterday".to_owned(),
    ];
    for query in cases {
        for path in ["activities/", "enrich/activities/"] {
            assert_eq!(pond.get(&format!("{path}?{query}")).await.refusal().error, BAD, "{path} {query}");
        }
    }
    let hundred = vec![id; 100].join(",");
    assert_eq!(pond.get(&format!("activities/?ids={hundred}")).await.ok(200), json!({ "results": [] }));
}
