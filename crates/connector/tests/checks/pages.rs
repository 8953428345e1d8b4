//! What the other side finds too much is asked for in smaller parts, or in another way: §7.3, §8, §11.4.

use connector::{
    NewRequest,
    executions::TaskKind,
    requests::Kind,
    status::{Outcome, Reason, Status},
};
use serde_json::Value;
use testing::upstream::calls;

use crate::place::*;

const ALL: &str = "all@example.com";

/// A place with so many users of one e-mail address, all of whom a deletion means.
async fn crowd(users: usize) -> Place {
    let place = Place::with(|new| new.policies.multi_match_delete = connector::integrations::MultiMatch::All).await;
    place.upstream.set(|world| (0..users).for_each(|number| world.add(&format!("u{number:03}"), ALL)));
    place
}

/// What the lists of users were asked for with.
fn payloads(place: &Place) -> Vec<Value> {
    let asked = place.upstream.seen().into_iter().filter(|seen| seen.call == calls::QUERY);
    asked.map(|seen| serde_json::from_str(&seen.query["payload"]).unwrap()).collect()
}

#[tokio::test]
async fn a_page_that_is_too_large_is_halved_until_it_is_taken() {
    let place = crowd(60).await;
    place.upstream.set(|world| world.page_max = 30);
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![email(ALL)])).await;
    let request = place.finish(&asked.id).await;
    assert_eq!(request.state.reason(), Some(Reason::MultipleMatches), "more than 25 are held");
    assert_eq!(place.detail(&request).await.targets.len(), 60);
    let sizes: Vec<u64> = payloads(&place).iter().map(|payload| payload["limit"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [100, 50, 25, 25, 25]);
}

#[tokio::test]
async fn a_page_of_one_that_is_too_large_is_given_up() {
    let place = crowd(1).await;
    place.upstream.set(|world| world.page_max = 0);
    let request = place.access(email(ALL)).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::None), Some(Reason::Rejected)));
}

#[tokio::test]
async fn pages_are_told_apart_by_their_offset_where_an_id_is_refused() {
    let place = crowd(250).await;
    place.upstream.set(|world| world.refuses_ids_for_pages = true);
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![email(ALL)])).await;
    let request = place.finish(&asked.id).await;
    assert_eq!(place.detail(&request).await.targets.len(), 250);
    let pages: Vec<(Value, Value)> =
        payloads(&place).iter().map(|payload| (payload["id_gt"].clone(), payload["offset"].clone())).collect();
    let expected = [
        (Value::Null, Value::Null),
        ("u099".into(), Value::Null),
        (Value::Null, 100.into()),
        (Value::Null, 200.into()),
    ];
    assert_eq!(pages, expected);
}

#[tokio::test]
async fn a_deletion_of_too_many_at_once_is_halved_and_erases_everybody_once() {
    let place = crowd(20).await;
    place.upstream.set(|world| world.deletion_max = 6);
    let request = place.delete(email(ALL)).await;
    assert_eq!(state(&request), ERASED);
    let sizes: Vec<usize> = place.upstream.deletions().iter().map(Vec::len).collect();
    assert_eq!(sizes, [5, 5, 5, 5], "20 and 10 are refused");
    let mut deleted = place.upstream.deletions().concat();
    deleted.sort_unstable();
    deleted.dedup();
    assert_eq!(deleted.len(), 20);
    let jobs = place.detail(&request).await.tasks;
    let jobs = jobs.iter().filter(|(task, _)| task.kind == TaskKind::DeleteUsers && task.upstream_task_id.is_some());
    assert_eq!(jobs.count(), 4, "the certificate names the job of each");
}

#[tokio::test]
async fn a_deletion_of_too_many_at_once_survives_a_lost_answer_in_its_middle() {
    let place = crowd(20).await;
    place.upstream.set(|world| world.deletion_max = 5);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![email(ALL)])).await;
    place.run_until_deleted().await;
    place.upstream.fail(calls::DELETE, 1, testing::upstream::Fault::LoseAnswer);
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    let mut deleted = place.upstream.deletions().concat();
    let all = deleted.len();
    deleted.sort_unstable();
    deleted.dedup();
    assert_eq!((all, deleted.len()), (20, 20), "each is deleted once");
}

#[tokio::test]
async fn a_job_that_fails_for_some_is_asked_for_again_for_them_alone() {
    let place = crowd(10).await;
    place.upstream.set(|world| world.deletion_max = 5);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![email(ALL)])).await;
    place.run_until_deleted().await;
    place.upstream.set(|world| (world.task_words, world.deletes) = (vec!["failed".to_owned()], false));
    while place.upstream.deletions().len() < 2 {
        place.run_until(place.clock.micros() + SECOND).await;
    }
    place.run_until(place.clock.micros() + MINUTE).await;
    place.upstream.set(|world| (world.task_words, world.deletes) = (vec!["completed".to_owned()], true));
    assert_eq!(state(&place.finish(&asked.id).await), ERASED);
    let deletions = place.upstream.deletions();
    assert_eq!(deletions.len(), 3);
    assert_eq!(deletions[1], deletions[2], "those whose job had failed");
}

#[tokio::test]
async fn check_37_a_preview_counts_what_there_is_by_kind_and_keeps_nothing_of_it() {
    let place = crowd(2).await;
    place.upstream.set(|world| {
        let messages = serde_json::json!([
            {"id": "a", "text": "canary-text", "attachments": [{"type": "image"}, {"type": "file"}]},
            {"id": "b", "text": "canary-text"},
        ]);
        world.exports.get_mut("u000").unwrap()["messages"] = messages;
        world.too_large.insert("u001".to_owned());
    });
    let preview = serde_json::json!({"identifiers": [{"category": "email", "value": ALL}]});
    let shown = tokio::select! {
        shown = place.call("POST", "/v1/requests/preview", &preview) => shown.json(),
        _ = place.work() => unreachable!("it works for ever"),
    };
    assert_eq!(shown["outcome"], "preview", "{shown}");
    let counts = serde_json::json!({"messages": 2, "files": 2, "reactions": 1, "reports": 2});
    assert_eq!(shown["counts"], counts, "{shown}");
    assert_eq!(shown["executions"][0]["sub_tasks"][3]["note"], "not counted", "what is too large is told");
    let called = [
        "GET /users",
        "POST /users/delete",
        "GET /tasks/{id}",
        "GET /users/{id}/export",
        "GET /moderation/user_report",
    ];
    assert_eq!(shown["would_call"], serde_json::json!(called));
    assert!(place.upstream.seen().iter().all(|seen| seen.method == "GET"));
    let blobs = walk(&place.dir.path().join("blobs"));
    assert_eq!(blobs, 0, "bodies were counted and not kept");
}

#[tokio::test]
async fn check_37_a_preview_of_nobody_names_no_call() {
    let place = Place::new().await;
    let preview = serde_json::json!({"identifiers": [{"category": "user_id", "value": "nobody"}]});
    let shown = tokio::select! {
        shown = place.call("POST", "/v1/requests/preview", &preview) => shown.json(),
        _ = place.work() => unreachable!("it works for ever"),
    };
    assert_eq!(shown["outcome"], "no_records_found", "{shown}");
    assert_eq!((&shown["would_call"], &shown["estimated_s"]), (&serde_json::json!([]), &serde_json::json!(0)));
}

/// The files below a folder.
fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}
