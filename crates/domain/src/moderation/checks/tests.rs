use ids::json::Object;

use super::*;
use crate::{chat::pond::Pond, keyspace::SAID};

fn policy(json: &str) -> Policy {
    check_sections(&Object::parse(json).unwrap()).unwrap();
    Policy::read(json)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

/// What is to become of these texts, each said at its second by the same user.
async fn verdicts(json: &str, said: &[(i64, &str)]) -> Vec<Verdict> {
    let (pond, policy, user) = (Pond::new().await, policy(json), UserId::parse("amy").unwrap());
    let mut verdicts = Vec::new();
    for (number, (second, text)) in said.iter().enumerate() {
        let id = number.to_string();
        let content = Content { creator: &user, id: &id, texts: vec![text] };
        let outcome = pond.app.write(async |tx| run(tx, &policy, &content, at(*second)).await).await.unwrap();
        verdicts.push(outcome.verdict());
    }
    verdicts
}

use Verdict::{Bounce, Flag, Keep, Remove};

#[tokio::test]
async fn the_hardest_rule_of_a_policy_decides() {
    let json = r#"{"block_list_config":{"rules":[{"name":"profanity_en_2020_v1","action":"flag"},
        {"name":"profanity_en","action":"remove"},{"name":"none","action":"bounce"}]}}"#;
    assert_eq!(verdicts(json, &[(0, "hello"), (1, "oh shit")]).await, [Keep, Remove]);
    let off = r#"{"block_list_config":{"enabled":false,"rules":[{"name":"profanity_en","action":"remove"}]}}"#;
    assert_eq!(verdicts(off, &[(0, "oh shit")]).await, [Keep]);
    let inside = r#"{"block_list_config":{"match_substring":true,"rules":[{"name":"profanity_en","action":"flag"}]}}"#;
    assert_eq!(verdicts(inside, &[(0, "bullshitting")]).await, [Flag]);
}

#[tokio::test]
async fn the_same_text_again_and_again_is_a_flood() {
    let json = r#"{"flood_config":{"allowlist":["OK"],
        "identical":{"enabled":true,"threshold":3,"time_window":"1m","action":"bounce"}}}"#;
    let said = [(0, "buy now"), (1, "Buy  NOW"), (2, "buy now"), (3, "hello"), (62, "buy now"), (63, "buy now")];
    assert_eq!(verdicts(json, &said).await, [Keep, Keep, Bounce, Keep, Keep, Keep]);
    assert_eq!(verdicts(json, &[(0, "ok"), (1, "ok"), (2, "ok"), (3, "ok")]).await, [Keep; 4]);
}

#[tokio::test]
async fn a_text_with_most_words_in_common_is_similar_and_another_is_not() {
    let json =
        r#"{"flood_config":{"similar":{"enabled":true,"threshold":2,"similarity_distance":16,"action":"flag"}}}"#;
    let long = "win a free phone today just open the link in my profile and say hello to my friends";
    let other = "does anybody know when the train to the lake leaves on sunday mornings in winter";
    let said = [(0, long), (1, &format!("{long} now")), (2, other)];
    assert_eq!(verdicts(json, &said).await, [Keep, Flag, Keep]);
}

#[tokio::test]
async fn too_many_messages_in_a_short_time_are_too_fast() {
    let json = r#"{"velocity_filter_config":{"enabled":true,"rules":[
        {"action":"flag","fast_spam_threshold":2,"fast_spam_ttl":10,"url_only":true},
        {"action":"remove","slow_spam_threshold":4,"slow_spam_ttl":3600}]}}"#;
    let said = [(0, "a"), (1, "b https://x.io"), (2, "c https://y.io"), (100, "d"), (3700, "e")];
    assert_eq!(verdicts(json, &said).await, [Keep, Keep, Flag, Remove, Keep]);
}

#[tokio::test]
async fn content_that_is_checked_again_counts_once_and_what_is_old_is_forgotten() {
    let json = r#"{"flood_config":{"identical":{"enabled":true,"threshold":2,"action":"flag"}}}"#;
    let (pond, policy, user) = (Pond::new().await, policy(json), UserId::parse("amy").unwrap());
    let content = Content { creator: &user, id: "a", texts: vec!["hi"] };
    for second in [0, 1, 100_000] {
        let outcome = pond.app.write(async |tx| run(tx, &policy, &content, at(second)).await).await.unwrap();
        assert_eq!(outcome.verdict(), Keep);
    }
    let mut tx = pond.app.snapshot();
    let range = SAID.range(tx.tenant());
    assert_eq!(crate::rows::list(&mut tx, &SAID, range, 10).await.unwrap().len(), 1);
}

#[test]
fn a_policy_that_asks_for_what_cannot_be_done_is_refused() {
    for json in [
        r#"{"block_list_config":{"rules":[{"name":"x","action":"sing"}]}}"#,
        r#"{"flood_config":{"identical":{"enabled":true,"threshold":0,"action":"flag"}}}"#,
        r#"{"flood_config":{"identical":{"enabled":true,"threshold":2,"time_window":"soon","action":"flag"}}}"#,
        r#"{"velocity_filter_config":{"enabled":true,"cascading_actions":true}}"#,
        r#"{"velocity_filter_config":{"enabled":true,"rules":[{"action":"flag","ip_ban":true}]}}"#,
    ] {
        assert!(matches!(check_sections(&Object::parse(json).unwrap()), Err(crate::Error::Unfit(_))), "{json}");
    }
    let kept = r#"{"ai_text_config":{"enabled":true,"rules":[{"label":"SPAM","action":"flag"}]}}"#;
    assert_eq!(policy(kept), Policy::default());
}
