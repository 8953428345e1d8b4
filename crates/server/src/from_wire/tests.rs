use super::*;

fn refused(json: &str) -> String {
    draft(json).err().map_or("taken".to_owned(), |error| serde_json::to_string(&error.fields).unwrap())
}

#[test]
fn numbers_stand_for_texts_in_actor_verb_object_and_foreign_id() {
    let draft = draft(r#"{"actor":3,"verb":4,"object":5,"foreign_id":6}"#).unwrap();
    assert_eq!([draft.actor, draft.verb, draft.object, draft.foreign_id], ["3", "4", "5", "6"]);
}

#[test]
fn missing_null_and_empty_actor_verb_and_object_are_all_named() {
    let expected =
        r#"{"actor":["this field is required"],"object":["this field is required"],"verb":["this field is required"]}"#;
    assert_eq!(refused("{}"), expected);
    assert_eq!(refused(r#"{"actor":null,"verb":"","object":""}"#), expected);
    assert!(refused(r#"{"actor":"a","verb":"b","object":{}}"#).contains("object"));
}

#[test]
fn to_is_a_list_of_feed_ids_whose_tokens_are_dropped() {
    let to =
        |json: &str| draft(&format!(r#"{{"actor":"a","verb":"b","object":"c","to":{json}}}"#)).map(|draft| draft.to);
    let feeds = |texts: &[&str]| texts.iter().map(|text| FeedId::parse(text).unwrap()).collect::<Vec<_>>();
    assert_eq!(to(r#"["user:1 abc","user:2","user:1"]"#).unwrap(), feeds(&["user:1", "user:2"]));
    assert_eq!(to(r#"[["user:1","abc"]]"#).unwrap(), feeds(&["user:1"]));
    assert_eq!(to("null").unwrap(), feeds(&[]));
    for bad in [r#""user:1""#, r#"["user"]"#, "[1]", r#"[null]"#, r#"{"a":1}"#] {
        assert!(to(bad).is_err(), "{bad}");
    }
    let many =
        |count: usize| format!("[{}]", (0..count).map(|n| format!("\"user:{n}\"")).collect::<Vec<_>>().join(","));
    assert_eq!(to(&many(100)).unwrap().len(), 100);
    assert!(to(&many(101)).is_err());
}

#[test]
fn custom_fields_keep_their_bytes_and_read_only_ones_are_dropped() {
    let sent = r#"{"actor":"a","verb":"b","object":"c","id":"x","origin":null,"score":1,"latest_reactions":{},"n":1.00,"deep":{"b":[1,  2]}}"#;
    assert_eq!(draft(sent).unwrap().custom.to_string(), r#"{"n":1.00,"deep":{"b":[1,  2]}}"#);
}

#[test]
fn an_enriched_object_becomes_its_reference_again() {
    let actor = |json: &str| draft(&format!(r#"{{"actor":{json},"verb":"b","object":"c"}}"#)).map(|draft| draft.actor);
    assert_eq!(actor(r#"{"id":"bob","data":{}}"#).unwrap(), "SU:bob");
    assert_eq!(actor(r#"{"id":"x","collection":"food","data":{}}"#).unwrap(), "SO:food:x");
    assert_eq!(actor(r#"{"id":"bob","error":"ReferenceNotFound","reference":"SU:bob"}"#).unwrap(), "SU:bob");
    assert!(actor(r#"{"name":"bob"}"#).is_err());
}

#[test]
fn limits_of_an_activity() {
    let with = |name: &str, length: usize| {
        let mut fields = serde_json::json!({ "actor": "a", "verb": "b", "object": "c" });
        fields[name] = "x".repeat(length).into();
        draft(&fields.to_string())
    };
    assert!(with("verb", 255).is_ok() && with("verb", 256).is_err());
    assert!(with("foreign_id", 512).is_ok() && with("foreign_id", 513).is_err());
    assert!(with("text", 10_000).is_ok());
    assert_eq!(with("text", 10_240).err().map(|error| error.code), Some(Code::TooLarge));
    assert_eq!(with(&"n".repeat(256), 1).err().map(|error| error.code), Some(Code::CustomField));
}

#[test]
fn a_bad_time_is_named() {
    for time in [r#""soon""#, "1531058976", "{}"] {
        assert!(
            refused(&format!(r#"{{"actor":"a","verb":"b","object":"c","time":{time}}}"#)).contains("time"),
            "{time}"
        );
    }
}

fn change_error(json: &str) -> String {
    changes(json.as_bytes()).err().map_or("taken".to_owned(), |error| error.detail)
}

#[test]
fn a_partial_update_names_one_activity_in_one_way() {
    let id = r#""id":"8b866680-82b8-11e8-8080-80014b9d80a2""#;
    assert_eq!(change_error(&format!(r#"{{{id},"set":{{"a":1}}}}"#)), "taken");
    assert_eq!(change_error(r#"{"foreign_id":1,"time":"2018-07-08T14:09:36","unset":["a"]}"#), "taken");
    let neither_or_both = "name an activity either by `id` or by `foreign_id` and `time`";
    assert_eq!(change_error(r#"{"set":{"a":1}}"#), neither_or_both);
    assert_eq!(change_error(r#"{"foreign_id":"x","set":{"a":1}}"#), neither_or_both);
    assert_eq!(
        change_error(&format!(r#"{{{id},"foreign_id":"x","time":"2018-07-08T14:09:36","set":{{"a":1}}}}"#)),
        neither_or_both
    );
}

#[test]
fn a_partial_update_cannot_touch_what_belongs_to_the_api_or_one_thing_twice() {
    let with = |rest: &str| change_error(&format!(r#"{{"id":"8b866680-82b8-11e8-8080-80014b9d80a2",{rest}}}"#));
    for name in CORE {
        assert!(with(&format!(r#""set":{{"{name}":1}}"#)).contains("belongs to the API"), "{name}");
    }
    assert!(with(r#""set":{"a":1},"unset":["a"]"#).contains("at once"));
    assert!(with(r#""set":{"a":1,"a.b":2}"#).contains("at once"));
    assert!(with(r#""set":{"a.b":1},"unset":["a"]"#).contains("at once"));
    assert_eq!(with(r#""set":{"a.b":1,"ab":2},"unset":["a.c"]"#), "taken");
    assert!(with(r#""set":{"a..b":1}"#).contains("not a path"));
    assert!(with(r#""set":{}"#).contains("nothing to change"));
}

#[test]
fn a_partial_update_sets_and_unsets_at_most_25_fields() {
    let set = |count: usize| {
        let fields = (0..count).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",");
        change_error(&format!(r#"{{"id":"8b866680-82b8-11e8-8080-80014b9d80a2","set":{{{fields}}}}}"#))
    };
    assert_eq!(set(25), "taken");
    assert_ne!(set(26), "taken");
    let unset = |count: usize| {
        let fields = (0..count).map(|n| format!("\"f{n}\"")).collect::<Vec<_>>().join(",");
        change_error(&format!(r#"{{"id":"8b866680-82b8-11e8-8080-80014b9d80a2","unset":[{fields}]}}"#))
    };
    assert_eq!(unset(25), "taken");
    assert_ne!(unset(26), "taken");
}

fn retarget_error(json: &str) -> String {
    retargets(json.as_bytes()).err().map_or("taken".to_owned(), |error| error.detail)
}

#[test]
fn new_targets_stand_alone_and_added_and_removed_do_not_overlap() {
    let with = |rest: &str| retarget_error(&format!(r#"{{"foreign_id":"x","time":"2018-07-08T14:09:36",{rest}}}"#));
    assert_eq!(with(r#""new_targets":["user:1"]"#), "taken");
    assert_eq!(with(r#""new_targets":[]"#), "taken");
    assert_eq!(with(r#""added_targets":["user:1"],"removed_targets":["user:2"]"#), "taken");
    assert!(with(r#""new_targets":["user:1"],"added_targets":["user:2"]"#).contains("combined"));
    assert!(with(r#""added_targets":["user:1"],"removed_targets":["user:1"]"#).contains("both"));
    assert!(with(r#""foo":1"#).contains("nothing to change"));
}

#[test]
fn a_list_of_target_updates_names_each_activity_once() {
    let one = r#"{"foreign_id":"x","time":"2018-07-08T14:09:36","new_targets":[]}"#;
    assert_eq!(retarget_error(&format!("[{one}]")), "taken");
    assert!(retarget_error(&format!("[{one},{one}]")).contains("twice"));
    assert!(retarget_error("[]").contains("empty"));
}

#[test]
fn updates_want_a_foreign_id_and_a_time() {
    let update = |rest: &str| {
        updates(format!(r#"{{"activities":[{{"actor":"a","verb":"b","object":"c"{rest}}}]}}"#).as_bytes()).is_ok()
    };
    assert!(update(r#","foreign_id":"x","time":"2018-07-08T14:09:36""#));
    assert!(!update(r#","foreign_id":"x""#));
    assert!(!update(r#","time":"2018-07-08T14:09:36""#));
}
