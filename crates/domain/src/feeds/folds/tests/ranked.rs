//! Groups by score (feeds-v1 §4.8, §6).

use super::*;
use crate::feeds::ranking::{External, Method, Moment};

fn method(score: &str) -> Method {
    Method::parse(&format!(r#"{{"score":"{score}","defaults":{{"n":0,"external":{{"boost":0}}}}}}"#)).unwrap()
}

async fn add(pond: &Pond, verb: &str, second: i64, n: i32) {
    let custom = ids::json::Object::parse(&format!(r#"{{"n":{n}}}"#)).unwrap();
    pond.add_draft(AMY, &Draft { custom, time: Some(Pond::at(second)), ..Pond::draft(verb) }).await;
}

/// The names and scores of a page, and whether more follow.
async fn ranked(pond: &Pond, method: &Method, limit: usize, offset: usize) -> (Vec<(String, f64)>, bool) {
    let moment = Moment { now: Pond::at(0), seed: 0, external: External::default() };
    let read = read_ranked(&pond.app, &feed(AMY), method, &moment, limit, offset).await;
    let (page, scores) = read.unwrap();
    assert_eq!(page.groups.len(), scores.len());
    (page.groups.into_iter().map(|group| group.name).zip(scores.iter().map(|score| score.score)).collect(), page.more)
}

#[tokio::test]
async fn a_group_has_the_score_of_its_best_activity_and_the_highest_is_first() {
    let pond = Pond::new();
    for (second, (verb, n)) in [("like", 5), ("follow", 3), ("like", 1), ("share", 4)].into_iter().enumerate() {
        add(&pond, verb, i64::try_from(second).unwrap(), n).await;
    }
    let (page, more) = ranked(&pond, &method("n"), 9, 0).await;
    assert_eq!(page, [(day("like"), 5.0), (day("share"), 4.0), (day("follow"), 3.0)]);
    assert!(!more);
}

#[tokio::test]
async fn groups_of_one_score_have_the_newest_first_and_pages_go_by_offset() {
    let pond = Pond::new();
    for (second, verb) in ["a", "b", "c", "a"].into_iter().enumerate() {
        add(&pond, verb, i64::try_from(second).unwrap(), 1).await;
    }
    let same = method("1");
    assert_eq!(ranked(&pond, &same, 2, 0).await, (vec![(day("a"), 1.0), (day("c"), 1.0)], true));
    assert_eq!(ranked(&pond, &same, 2, 2).await, (vec![(day("b"), 1.0)], false));
    assert_eq!(ranked(&pond, &same, 2, 9).await, (Vec::new(), false));
}

#[tokio::test]
async fn what_is_shown_of_a_ranked_group_is_the_whole_group() {
    let pond = Pond::new();
    for second in 0..20 {
        add(&pond, "like", second, i32::try_from(second).unwrap()).await;
    }
    let moment = Moment { now: Pond::at(0), seed: 0, external: External::default() };
    let read = read_ranked(&pond.app, &feed(AMY), &method("0 - n"), &moment, 9, 0).await;
    let (page, scores) = read.unwrap();
    assert_eq!((page.groups[0].activity_count, page.unread, page.unseen), (20, 1, 1));
    assert_eq!(page.groups[0].activities.len(), ACTIVITIES_MAX);
    assert_eq!((scores[0].score, scores[0].variables["n"]), (0.0, 0.0));
}

#[tokio::test]
async fn a_score_that_cannot_be_made_refuses_the_read() {
    let pond = Pond::new();
    add(&pond, "like", 1, 0).await;
    let moment = Moment { now: Pond::at(0), seed: 0, external: External::default() };
    let read = read_ranked(&pond.app, &feed(AMY), &method("1 / n"), &moment, 9, 0).await;
    assert!(matches!(read, Err(Error::Ranking(_))));
}
