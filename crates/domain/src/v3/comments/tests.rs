//! The facts of comments.

use super::*;
use crate::{
    filter::Filter,
    keyspace::USER,
    users::User,
    v3::{
        activities::{self, Tallies},
        bookmarks,
        pond::{Pond, broken, user},
        query::{LIMIT_MAX, Query},
        reactions,
    },
};

async fn pond() -> Pond {
    let pond = Pond::new();
    pond.add("post", "ann", &["user:ann"]).await;
    pond
}

fn draft(id: &str, author: &str, parent: Option<&str>) -> Draft {
    Draft {
        id: id.into(),
        activity: parent.is_none().then(|| "post".into()),
        parent: parent.map(str::to_owned),
        user: user(author),
        text: id.into(),
        attachments: Vec::new(),
        mentioned: Vec::new(),
        custom: None,
    }
}

async fn try_say(pond: &Pond, draft: &Draft) -> crate::Result<Comment> {
    let now = pond.tick();
    pond.app.write(async |tx| add(tx, draft, now).await).await
}

async fn say(pond: &Pond, id: &str, author: &str, parent: Option<&str>) {
    try_say(pond, &draft(id, author, parent)).await.unwrap();
}

async fn take(pond: &Pond, id: &str, is_hard: bool, by: Option<&str>) -> crate::Result<(Comment, bool)> {
    let (now, by) = (pond.tick(), by.map(user));
    pond.app.write(async |tx| delete(tx, id, is_hard, by.as_ref(), now).await).await
}

async fn bring_back(pond: &Pond, id: &str, by: Option<&str>) -> crate::Result<Comment> {
    let (now, by) = (pond.tick(), by.map(user));
    pond.app.write(async |tx| restore(tx, id, by.as_ref(), now).await).await
}

async fn vote(pond: &Pond, id: &str, kind: &str, voters: &[&str]) {
    for voter in voters {
        let draft = reactions::Draft { user: user(voter), kind: kind.into(), is_only: false, custom: None };
        let (now, object) = (pond.tick(), Object::Comment(id.into()));
        pond.write(async |tx| reactions::add(tx, &object, &draft, now).await).await;
    }
}

fn asked(order: Order) -> Asked {
    let (depth, replies_limit, limit) = (THREAD_DEPTH_MAX, REPLIES_LIMIT, LIMIT_MAX);
    Asked { order, depth, replies_limit, cursor: None, around: None, limit, viewer: None }
}

/// Ids, each with its replies behind it in brackets; a stub has a star.
fn line(nodes: &[Node]) -> String {
    let one = |node: &Node| {
        let star = if node.shown.scored.comment.is_live() { "" } else { "*" };
        let replies = if node.replies.is_empty() { String::new() } else { format!("({})", line(&node.replies)) };
        format!("{}{star}{replies}", node.shown.scored.id)
    };
    nodes.iter().map(one).collect::<Vec<_>>().join(" ")
}

async fn shown(pond: &Pond, asked: &Asked) -> String {
    line(&thread(&mut pond.app.snapshot(), "post", None, asked).await.unwrap().rows)
}

/// How many comments the activity counts, and how many replies the comment `id`.
async fn counts(pond: &Pond, id: &str) -> (i64, i64) {
    let mut tx = pond.app.snapshot();
    let (inner, _) = activities::load(&mut tx, "post").await.unwrap();
    let tallies: Vec<Tallies> = activities::tallies(&mut tx, &[inner]).await.unwrap();
    let comment = get(&mut tx, id).await.unwrap().unwrap();
    let one = gather(&mut tx, vec![(id.to_owned(), comment)], None).await.unwrap();
    (tallies[0].comments, one[0].scored.replies)
}

#[tokio::test]
async fn replies_nest_below_what_they_reply_to_and_all_of_them_count_for_the_activity() {
    let pond = pond().await;
    for (id, parent) in [("a", None), ("b", None), ("a1", Some("a")), ("a11", Some("a1")), ("a2", Some("a"))] {
        say(&pond, id, "bob", parent).await;
    }
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a(a1(a11) a2) b");
    assert_eq!(shown(&pond, &asked(Order::Last)).await, "b a(a2 a1(a11))");
    assert_eq!(counts(&pond, "a").await, (5, 2));
}

#[tokio::test]
async fn a_reply_is_about_what_its_parent_is_about() {
    let pond = pond().await;
    say(&pond, "a", "bob", None).await;
    let other = Draft { activity: Some("other".into()), ..draft("b", "bob", Some("a")) };
    assert!(broken(try_say(&pond, &other).await).contains("object_id"));
    assert!(broken(try_say(&pond, &draft("b", "bob", Some("none"))).await).contains("not found"));
    let nowhere = Draft { activity: None, ..draft("b", "bob", None) };
    assert!(broken(try_say(&pond, &nowhere).await).contains("object_id"));
    assert!(broken(try_say(&pond, &draft("a", "bob", None)).await).contains("exists already"));
}

#[tokio::test]
async fn a_comment_says_something_and_not_too_much() {
    let pond = pond().await;
    let empty = Draft { text: String::new(), ..draft("a", "bob", None) };
    assert!(broken(try_say(&pond, &empty).await).contains("comment is a required field"));
    let long = Draft { text: "x".repeat(TEXT_BYTES_MAX + 1), ..draft("a", "bob", None) };
    assert!(broken(try_say(&pond, &long).await).contains("at most"));
    let mentions = Draft { mentioned: vec![user("nobody")], ..draft("a", "bob", None) };
    assert!(broken(try_say(&pond, &mentions).await).contains("mentioned_user_ids"));
    assert_eq!(shown(&pond, &asked(Order::First)).await, "");
}

#[tokio::test]
async fn a_thread_is_cut_at_its_depth_and_says_how_many_replies_are_not_shown() {
    let pond = pond().await;
    say(&pond, "a", "bob", None).await;
    for n in 1..=7 {
        say(&pond, &format!("a{n}"), "bob", Some("a")).await;
    }
    say(&pond, "a11", "bob", Some("a1")).await;
    let asked = Asked { depth: 2, ..asked(Order::First) };
    let page = thread(&mut pond.app.snapshot(), "post", None, &asked).await.unwrap();
    assert_eq!(line(&page.rows), "a(a1 a2 a3 a4 a5)");
    let meta = page.rows[0].meta.clone().unwrap();
    assert_eq!((meta.remaining, meta.is_truncated), (2, false));
    let truncated = page.rows[0].replies[0].meta.clone().unwrap();
    assert_eq!((truncated.remaining, truncated.is_truncated, truncated.next_cursor), (1, true, None));
    let cursor = Some(crate::filter::Cursor::parse(&meta.next_cursor.unwrap()).unwrap());
    let rest = Asked { cursor, ..asked };
    let page = thread(&mut pond.app.snapshot(), "post", Some("a"), &rest).await.unwrap();
    assert_eq!(line(&page.rows), "a6 a7");
}

#[tokio::test]
async fn a_page_around_a_comment_shows_its_neighbours_and_that_of_a_reply_those_of_its_thread() {
    let pond = pond().await;
    for n in 0..9 {
        say(&pond, &format!("c{n}"), "bob", None).await;
    }
    say(&pond, "r", "bob", Some("c6")).await;
    for (around, expected) in [("c4", "c3 c4 c5"), ("c0", "c0 c1 c2"), ("r", "c5 c6(r) c7")] {
        let asked = Asked { around: Some(around.into()), limit: 3, ..asked(Order::First) };
        assert_eq!(shown(&pond, &asked).await, expected, "{around}");
    }
}

#[tokio::test]
async fn votes_make_the_score_and_each_order_goes_by_its_own() {
    let pond = pond().await;
    for id in ["split", "loved", "liked", "plain"] {
        say(&pond, id, "bob", None).await;
    }
    vote(&pond, "loved", reactions::UPVOTE, &["u1", "u2", "u3"]).await;
    vote(&pond, "liked", reactions::UPVOTE, &["u1"]).await;
    vote(&pond, "split", reactions::UPVOTE, &["u1", "u2", "u3", "u4", "u5", "u6"]).await;
    vote(&pond, "split", reactions::DOWNVOTE, &["v1", "v2"]).await;
    assert_eq!(shown(&pond, &asked(Order::Top)).await, "split loved liked plain");
    assert_eq!(shown(&pond, &asked(Order::Best)).await, "loved split liked plain");
    assert!(shown(&pond, &asked(Order::Controversial)).await.starts_with("split "));
    let page = thread(&mut pond.app.snapshot(), "post", None, &asked(Order::Top)).await.unwrap();
    let split = &page.rows[0].shown.scored;
    assert_eq!((split.score(), split.up, split.down), (4, 6, 2));
    assert!(page.rows[3].shown.scored.confidence() == 0.0 && split.confidence() > 0.3 && split.confidence() < 0.75);
}

#[tokio::test]
async fn a_deleted_comment_is_a_stub_while_something_stands_below_it_and_counts_no_longer() {
    let pond = pond().await;
    for (id, parent) in [("a", None), ("a1", Some("a")), ("b", None)] {
        say(&pond, id, "bob", parent).await;
    }
    let (deleted, _) = take(&pond, "a", false, None).await.unwrap();
    assert_eq!((deleted.status(), deleted.text.as_str()), ("deleted", ""));
    take(&pond, "b", false, None).await.unwrap();
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a*(a1)");
    assert_eq!(counts(&pond, "a").await, (1, 1));
    take(&pond, "a1", false, None).await.unwrap();
    assert_eq!(shown(&pond, &asked(Order::First)).await, "");
    assert_eq!(counts(&pond, "a").await, (0, 0));
    assert!(broken(take(&pond, "a", false, None).await).contains("not found"));
}

#[tokio::test]
async fn a_restored_comment_comes_back_with_all_that_was_deleted_below_it() {
    let pond = pond().await;
    for (id, parent) in [("a", None), ("a1", Some("a")), ("a11", Some("a1"))] {
        say(&pond, id, "bob", parent).await;
    }
    for id in ["a11", "a1", "a"] {
        take(&pond, id, false, None).await.unwrap();
    }
    assert_eq!(bring_back(&pond, "a", Some("bob")).await.unwrap().text, "a");
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a(a1(a11))");
    assert_eq!(counts(&pond, "a").await, (3, 1));
    assert!(broken(bring_back(&pond, "a", None).await).contains("not deleted"));
}

#[tokio::test]
async fn a_comment_that_was_deleted_for_good_leaves_a_stub_without_author_and_the_stub_goes_with_the_last_reply() {
    let pond = pond().await;
    for (id, author, parent) in [("a", "amy", None), ("b", "bob", Some("a")), ("c", "amy", Some("b"))] {
        say(&pond, id, author, parent).await;
    }
    vote(&pond, "a", reactions::UPVOTE, &["cat"]).await;
    take(&pond, "a", true, None).await.unwrap();
    let mut tx = pond.app.snapshot();
    let stub = get(&mut tx, "a").await.unwrap().unwrap();
    assert_eq!((stub.user, stub.text.as_str(), stub.status), (None, "", Status::Active));
    assert_eq!(reactions::counts(&mut tx, &Object::Comment("a".into())).await.unwrap(), []);
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a*(b(c))");
    assert!(broken(bring_back(&pond, "a", None).await).contains("not found"));
    for id in ["c", "b"] {
        take(&pond, id, true, None).await.unwrap();
    }
    let mut tx = pond.app.snapshot();
    for id in ["a", "b", "c"] {
        assert_eq!(get(&mut tx, id).await.unwrap(), None, "{id}");
    }
}

#[tokio::test]
async fn a_user_changes_deletes_and_restores_only_what_the_user_wrote() {
    let pond = pond().await;
    say(&pond, "a", "bob", None).await;
    let change = Change { text: Some("new".into()), ..Change::default() };
    let now = pond.tick();
    let changed = async |by: &str| {
        let by = user(by);
        pond.app.write(async |tx| update(tx, "a", &change, Some(&by), now).await).await
    };
    assert!(broken(changed("cat").await).contains("somebody else's"));
    assert!(broken(take(&pond, "a", false, Some("cat")).await).contains("somebody else's"));
    let comment = changed("bob").await.unwrap();
    assert_eq!((comment.text.as_str(), comment.edited_at), ("new", Some(now)));
    take(&pond, "a", false, Some("bob")).await.unwrap();
    assert!(broken(bring_back(&pond, "a", Some("cat")).await).contains("somebody else's"));
}

#[tokio::test]
async fn what_moderation_takes_down_counts_no_longer_and_comes_back() {
    let pond = pond().await;
    say(&pond, "a", "bob", None).await;
    for (status, count) in [(Status::Removed, 0), (Status::Hidden, 0), (Status::Active, 1)] {
        let change = Change { status: Some(status), ..Change::default() };
        let now = pond.tick();
        pond.write(async |tx| update(tx, "a", &change, None, now).await).await;
        assert_eq!(counts(&pond, "a").await.0, count, "{status:?}");
    }
}

#[tokio::test]
async fn a_query_finds_comments_by_what_they_are_about_by_author_and_by_words_without_deleted_ones() {
    let pond = pond().await;
    pond.add("other", "ann", &["user:ann"]).await;
    for (id, author, activity) in [("red fox", "bob", "post"), ("blue", "amy", "post"), ("red hen", "bob", "other")] {
        try_say(&pond, &Draft { activity: Some(activity.into()), ..draft(id, author, None) }).await.unwrap();
    }
    say(&pond, "gone", "bob", None).await;
    take(&pond, "gone", false, None).await.unwrap();
    let found = async |filter: &str| {
        let filter = Filter::parse(filter, SCHEMA).unwrap();
        let asked = Query { filter, sort: Order::First.sort(), cursor: None, limit: LIMIT_MAX };
        let page = query(&mut pond.app.snapshot(), None, &asked, None).await.unwrap();
        page.rows.into_iter().map(|scored| scored.id).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(found(r#"{"object_id":"post"}"#).await, "red fox, blue");
    assert_eq!(found(r#"{"user_id":"bob"}"#).await, "red fox, red hen");
    assert_eq!(found(r#"{"comment_text":{"$q":"red"}}"#).await, "red fox, red hen");
    assert_eq!(found(r#"{"id":{"$in":["blue","gone"]}}"#).await, "blue");
    assert_eq!(found(r#"{"object_id":"post","status":"deleted"}"#).await, "gone");
}

/// What amy, bob and cat left on the post of ann: amy – bob – amy in a row, a comment of bob with a reaction and a bookmark
/// of amy's, and the same the other way round.
async fn plant(pond: &Pond) {
    for (id, author, parent) in
        [("a", "amy", None), ("b", "bob", Some("a")), ("c", "amy", Some("b")), ("d", "bob", None), ("e", "amy", None)]
    {
        say(pond, id, author, parent).await;
    }
    for (id, by) in [("d", "amy"), ("e", "bob"), ("e", "cat")] {
        vote(pond, id, reactions::UPVOTE, &[by]).await;
        let (now, object, by) = (pond.tick(), Object::Comment(id.into()), user(by));
        let folder = bookmarks::Folder::Outside;
        pond.write(async |tx| bookmarks::add(tx, &by, &object, &folder, None, now).await).await;
    }
}

async fn erased(pond: &Pond, soft: bool) -> u64 {
    let (now, amy) = (pond.tick(), user("amy"));
    let (mut spot, mut erased) = (Vec::new(), 0);
    loop {
        let (count, is_done, next) = pond
            .write(async |tx| {
                let mut spot = spot.clone();
                let (count, is_done) = erase(tx, &amy, soft.then_some(now), &mut spot, 2).await?;
                Ok((count, is_done, spot))
            })
            .await;
        (erased, spot) = (erased + count, next);
        if is_done {
            return erased;
        }
    }
}

#[tokio::test]
async fn of_a_chain_of_two_authors_an_erasure_for_good_keeps_only_the_others_below_a_stub_without_author() {
    let pond = pond().await;
    plant(&pond).await;
    assert_eq!(erased(&pond, false).await, 3);
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a*(b) d");
    assert_eq!(counts(&pond, "b").await, (2, 0));
    let mut tx = pond.app.snapshot();
    assert_eq!(get(&mut tx, "a").await.unwrap().unwrap().user, None);
    assert_eq!(of_user(&mut tx, &user("amy"), None, 10).await.unwrap().0, []);
    for by in ["bob", "cat"] {
        let left = bookmarks::of_object(&mut tx, &user(by), &Object::Comment("e".into())).await.unwrap();
        assert!(left.is_empty(), "a bookmark of what is gone goes with it");
    }
}

#[tokio::test]
async fn a_soft_erasure_keeps_the_words_in_the_store_alone_and_is_final_and_can_be_completed() {
    let pond = pond().await;
    plant(&pond).await;
    assert_eq!(erased(&pond, true).await, 3);
    assert_eq!(erased(&pond, true).await, 0);
    assert_eq!(shown(&pond, &asked(Order::First)).await, "a*(b) d");
    let page = thread(&mut pond.app.snapshot(), "post", None, &asked(Order::First)).await.unwrap();
    assert_eq!(page.rows[0].shown.scored.comment.user, None, "a stub of an erasure shows no author");
    assert_eq!(get(&mut pond.app.snapshot(), "a").await.unwrap().unwrap().text, "a");
    assert!(broken(bring_back(&pond, "a", None).await).contains("final"));
    assert_eq!(erased(&pond, false).await, 3);
    assert_eq!(get(&mut pond.app.snapshot(), "e").await.unwrap(), None);
}

#[tokio::test]
async fn sixty_four_users_comment_on_one_activity_without_running_again() {
    let pond = pond().await;
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writers: Vec<_> = (0..64)
        .map(|n| {
            let (app, now, runs) = (pond.app.clone(), pond.tick(), runs.clone());
            tokio::spawn(async move {
                let draft = draft(&format!("c{n}"), "bob", None);
                app.write(async |tx| {
                    runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    add(tx, &draft, now).await
                })
                .await
                .unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(counts(&pond, "c0").await.0, 64);
    assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 64);
}

#[tokio::test]
async fn a_mentioned_user_is_found_by_the_index_of_who_is_named() {
    let pond = pond().await;
    let now = pond.tick();
    pond.write(async |tx| {
        USER.put(tx, 1, &"cat".to_owned(), &User::new(now));
        Ok(())
    })
    .await;
    try_say(&pond, &Draft { mentioned: vec![user("cat"), user("cat")], ..draft("a", "bob", None) }).await.unwrap();
    let naming = crate::v3::owned::naming(&mut pond.app.snapshot(), &user("cat"), 10).await.unwrap();
    assert_eq!(naming, [(crate::v3::owned::Kind::Comment, "a".to_owned())]);
}
