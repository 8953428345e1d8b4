//! A scene for tests of what is told and left of somebody: who does everything that can be done, with bob and what is his.

use ids::json::Object as Own;

use super::{Pond, draft, fid, user};
use crate::{
    keyspace::{Personal, TABLES},
    polls,
    v3::{
        activities::Draft,
        bookmarks,
        collections::{self, Ref},
        comments, feedback, feeds, levels, made,
        marks::{self, Marking},
        members::{self, Member},
        metrics::{self, Counted},
        notifications,
        objects::Object,
        pins, polls as shown, reactions,
    },
};

/// `who` posts, comments, reacts, bookmarks, collects and follows; bob does the same about what is theirs.
pub(crate) async fn plant(pond: &Pond, who: &str) {
    let own = format!("user:{who}");
    // A feed is of whoever posts to it first.
    pond.feed("user:bob").await;
    pond.add("a1", who, &[&own]).await;
    pond.add("a2", who, &["user:bob"]).await;
    pond.add("b1", "bob", &["user:bob"]).await;
    pond.add("b2", "bob", &[&own]).await;
    pond.add("b3", "bob", &[&own, "user:bob"]).await;
    let share = Draft { parent: Some("a1".into()), ..draft("share", "bob", &["user:bob"]) };
    pond.try_add(None, &share).await.unwrap();
    let timeline = format!("timeline:{who}");
    pond.feed(&timeline).await;
    pond.follow(&timeline, "user:bob").await;
    pond.feed("timeline:bob").await;
    pond.follow("timeline:bob", &own).await;
    for (id, author, activity, parent) in [
        ("c1", who, "b1", None),
        ("c2", "bob", "b1", Some("c1")),
        ("c3", who, "b1", Some("c2")),
        ("c4", "bob", "a1", None),
        ("c5", who, "b1", None),
    ] {
        comment(pond, id, author, activity, parent).await;
    }
    for (by, object) in [(who, "b1"), ("bob", "b1"), ("bob", "a1")] {
        react(pond, by, Object::Activity(object.into())).await;
        save(pond, by, Object::Activity(object.into())).await;
    }
    for (by, object) in [(who, "c2"), ("bob", "c5")] {
        react(pond, by, Object::Comment(object.into())).await;
        save(pond, by, Object::Comment(object.into())).await;
    }
    for owner in [who, "bob"] {
        let drafts = [collections::Draft {
            of: Ref::parse(&format!("movies:{owner}")).unwrap(),
            custom: Own::parse(r#"{"title":"x"}"#).unwrap(),
            user: Some(user(owner)),
        }];
        let now = pond.tick();
        pond.write(async |tx| collections::create(tx, &drafts, now).await).await;
    }
}

pub(crate) async fn comment(pond: &Pond, id: &str, author: &str, activity: &str, parent: Option<&str>) {
    let (draft, now) = (said(id, author, activity, parent), pond.tick());
    pond.write(async |tx| comments::add(tx, &draft, now).await).await;
}

fn said(id: &str, author: &str, activity: &str, parent: Option<&str>) -> comments::Draft {
    comments::Draft {
        id: id.into(),
        activity: Some(activity.into()),
        parent: parent.map(str::to_owned),
        user: user(author),
        text: id.into(),
        attachments: Vec::new(),
        mentioned: Vec::new(),
        custom: None,
    }
}

pub(crate) async fn react(pond: &Pond, by: &str, object: Object) {
    let draft = reactions::Draft { user: user(by), kind: "like".into(), is_only: false, custom: None };
    let now = pond.tick();
    pond.write(async |tx| reactions::add(tx, &object, &draft, now).await).await;
}

/// In a folder of that user.
pub(crate) async fn save(pond: &Pond, by: &str, object: Object) {
    let folder = bookmarks::Folder::Named { name: "later".into(), custom: None, id: format!("folder of {by}") };
    let (now, by) = (pond.tick(), user(by));
    pond.write(async |tx| bookmarks::add(tx, &by, &object, &folder, None, now).await).await;
}

/// After [`plant`]: what `who` does beside it, so that every table names them which can.
pub(crate) async fn plant_more(pond: &Pond, who: &str) {
    let (whose, bobs) = (user(who), fid("user:bob"));
    join(pond, who).await;
    let marking = Marking { all_seen: true, read: vec!["b1".into()], ..Marking::default() };
    let now = pond.tick();
    pond.write(async |tx| marks::mark(tx, None, &bobs, &whose, (&marking, "{}"), now).await).await;
    let wants = feedback::Change { show_more: Some(true), ..feedback::Change::default() };
    let now = pond.tick();
    pond.write(async |tx| feedback::give(tx, None, "b1", &whose, wants, now).await).await;
    let views = Counted { activity: "a1".into(), metric: "views".into(), delta: 3 };
    pond.write(async |tx| metrics::add(tx, None, &views).await).await;
    let now = pond.tick();
    pond.write(async |tx| pins::add(tx, None, &bobs, "b1", &whose, now).await).await;
    let mut of_bob = draft("a3", who, &[&format!("user:{who}")]);
    of_bob.parent = Some("b1".into());
    of_bob.content.mentioned = vec![user("bob")];
    pond.try_add(None, &of_bob).await.unwrap();
    let mut names = draft("b4", "bob", &["user:bob"]);
    names.content.mentioned = vec![whose];
    pond.try_add(None, &names).await.unwrap();
    vote(pond, who).await;
    notify(pond, who).await;
}

/// Bob's feed has `who` as a member of a level.
async fn join(pond: &Pond, who: &str) {
    let (whose, bobs, now) = (user(who), fid("user:bob"), pond.tick());
    let level = levels::Change { name: Some("Gold".into()), ..levels::Change::default() };
    let member = Member { level: Some("gold".into()), ..Member::new(now) };
    let run = pond.write(async |tx| {
        levels::add(tx, "gold", &level, now).await?;
        let feed = feeds::load(tx, &bobs).await?;
        members::store(tx, &bobs, &feed, (&whose, &member), true, None, now).await
    });
    run.await;
}

/// Both have a poll of the other's in an activity and vote in it.
async fn vote(pond: &Pond, who: &str) {
    for (owner, voter) in [(who, "bob"), ("bob", who)] {
        let (poll, activity) = (format!("poll of {owner}"), format!("asked by {owner}"));
        let option = polls::NewOption { id: "yes".into(), text: "Yes".into(), custom: Own::default() };
        let content = polls::Content { name: "?".into(), options: Some(vec![option]), ..polls::Content::default() };
        let (maker, now) = (user(owner), pond.tick());
        pond.write(async |tx| polls::create(tx, &maker, &poll, &content, now).await).await;
        let mut asks = draft(&activity, owner, &["user:bob"]);
        asks.content.poll = Some(poll.clone());
        pond.try_add(None, &asks).await.unwrap();
        let (voter, now) = (user(voter), pond.tick());
        let (ballot, vote) = (polls::Ballot::Option("yes".into()), format!("vote on {owner}"));
        let of = (activity.as_str(), poll.as_str());
        pond.write(async |tx| shown::cast(tx, None, &voter, of, (&vote, &ballot), now).await).await;
    }
}

/// Both are notified of something that the other did.
async fn notify(pond: &Pond, who: &str) {
    for (by, activity) in [(who, "b1"), ("bob", "a1")] {
        let draft = reactions::Draft { user: user(by), kind: "love".into(), is_only: false, custom: None };
        let (object, moment) = (Object::Activity(activity.into()), pond.moment());
        let run = pond.write(async |tx| {
            let (scene, given) = made::react(tx, None, &object, &draft, moment.now).await?;
            notifications::reaction(tx, &scene, &given, false, moment).await
        });
        assert!(run.await);
        let id = format!("told by {by}");
        let (draft, moment) = (said(&id, by, activity, None), pond.moment());
        let run = pond.write(async |tx| {
            let (scene, made) = made::comment(tx, None, &draft, moment.now).await?;
            notifications::comment(tx, &scene, (&id, &made), false, moment).await
        });
        assert!(run.await.is_told);
    }
}

/// The tables of feeds v3 that can hold somebody's data in fields that name them.
pub(crate) fn naming_tables() -> impl Iterator<Item = &'static str> {
    // Streams, and what is kept under them and under numbers, name nobody.
    const NAMELESS: [&str; 4] = ["v3_stream", "v3_activity_id", "v3_follow", "v3_follower"];
    let is_of_v3 = |name: &str| name.starts_with("v3_") && !NAMELESS.contains(&name);
    TABLES
        .iter()
        .filter(|(_, _, personal, _)| *personal != Personal::None)
        .map(|(_, name, ..)| *name)
        .filter(move |name| is_of_v3(name))
}
