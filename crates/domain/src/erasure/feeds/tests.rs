use super::*;
use crate::{
    feeds::{
        activities::Draft,
        pond::{Pond, feed, feeds},
    },
    keyspace::LOG,
    log::{Event, Gone},
};

fn amy() -> UserId {
    UserId::parse("amy").unwrap()
}

async fn removed(pond: &Pond) -> Progress {
    let mut progress = Progress::default();
    loop {
        let step = pond.app.write(async |tx| {
            let mut next = progress.clone();
            let is_done = remove(tx, &amy(), None, &mut next, Pond::at(0)).await?;
            Ok((next, is_done))
        });
        let (next, is_done) = step.await.unwrap();
        progress = next;
        if is_done {
            return progress;
        }
    }
}

#[test]
fn an_actor_is_a_user_by_id_or_by_reference() {
    for actor in ["amy", "SU:amy", "user:amy", "User:amy"] {
        assert!(is_actor(actor, &amy()), "{actor}");
    }
    for actor in ["bob", "samy", "SU:samy", "amy2", "group:amy"] {
        assert!(!is_actor(actor, &amy()), "{actor}");
    }
}

#[tokio::test]
async fn activities_feeds_and_follows_either_way_go_and_what_is_others_stays() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:amy", "user:bob").await;
    pond.follow("timeline:bob", "user:bob").await;
    let by_amy = |verb: &str| Draft { actor: "SU:amy".into(), ..Pond::draft(verb) };
    pond.add_draft("user:amy", &by_amy("skates")).await;
    pond.add_draft("user:bob", &by_amy("visits")).await;
    pond.add_draft("user:bob", &Draft { to: feeds(&["user:amy"]), ..Pond::draft("greets") }).await;
    pond.add("user:amy", "intrudes").await;
    assert_eq!(pond.feed("timeline:bob").await.lines().count(), 4);
    let counts = removed(&pond).await.counts;
    let count = |name: &str| counts.iter().find(|(known, _)| known == name).map(|(_, count)| *count);
    assert_eq!((count("activities"), count("feeds"), count("follows")), (Some(2), Some(1), Some(2)));
    assert_eq!(pond.feed("user:amy").await, "(empty)");
    assert_eq!(pond.feed("timeline:amy").await, "(empty)");
    assert_eq!(pond.feed("user:bob").await, "greets");
    assert_eq!(pond.feed("timeline:bob").await, "greets (from user:bob)");
    assert_eq!(pond.following("timeline:bob").await, ["user:bob"]);
    assert!(pond.following("timeline:amy").await.is_empty() && pond.followers("user:amy").await.is_empty());
}

#[tokio::test]
async fn history_that_was_kept_of_an_ended_follow_goes_too() {
    let pond = Pond::new();
    pond.follow("timeline:bob", "user:amy").await;
    pond.add("user:amy", "skates").await;
    pond.unfollow("timeline:bob", "user:amy", true).await;
    removed(&pond).await;
    assert_eq!(pond.feed("timeline:bob").await, "(empty)");
    let mut tx = pond.app.snapshot();
    let key = (Feed(feed("timeline:bob")), Feed(feed("user:amy")));
    assert!(!FOLLOWING.exists(&mut tx, 1, &key).await.unwrap());
}

#[tokio::test]
async fn what_is_too_much_for_a_step_goes_in_several_and_an_emptied_feed_can_be_used_again() {
    let pond = Pond::new();
    let many: Vec<_> = (0..250).map(|n| feed(&format!("user:u{n}"))).collect();
    let draft =
        Draft { actor: "amy".into(), foreign_id: "a:1".into(), time: Some(Pond::at(5)), ..Pond::draft("waves") };
    for feeds in many.chunks(100) {
        pond.add_to_many(feeds, &draft).await;
    }
    for n in 0..150 {
        pond.add("user:amy", &format!("n{n}")).await;
    }
    removed(&pond).await;
    assert_eq!(pond.feed("user:u249").await, "(empty)");
    assert_eq!(pond.feed("user:amy").await, "(empty)");
    pond.add("user:amy", "returns").await;
    assert_eq!(pond.feed("user:amy").await, "returns");
}

async fn react(pond: &Pond, id: &str, by: &str, to: reactions::To, targets: &[&str]) {
    let draft = reactions::Draft {
        id: id.into(),
        has_own_id: false,
        kind: "like".into(),
        to,
        user: UserId::parse(by).unwrap(),
        data: ids::json::Object::parse(r#"{"text":"x"}"#).unwrap(),
        targets: reactions::Targets { feeds: feeds(targets), ..reactions::Targets::default() },
    };
    let now = pond.tick();
    pond.app.write(async |tx| reactions::add(tx, &draft, now).await).await.unwrap();
}

async fn left(pond: &Pond) -> Vec<&'static str> {
    let found = crate::erasure::traces::residue(&pond.app.store, &amy(), &mut |_| {}).await.unwrap();
    found.into_iter().map(|residue| residue.table).filter(|table| *table != "log").collect()
}

/// Ids of the reactions that are stored, and how many the activity counts.
async fn reacted(pond: &Pond, activity: ids::ActivityId) -> (Vec<String>, i64) {
    let mut tx = pond.app.snapshot();
    let rows = FEED_REACTION.scan(&mut tx, 1, FEED_REACTION.range(1), Direction::Forward, Limit::PAGE).await.unwrap();
    let counts = reactions::on_activity(&mut tx, activity, &[]).await.unwrap();
    (rows.rows.into_iter().map(|(id, _)| id).collect(), counts.iter().map(|(_, count)| count).sum())
}

#[tokio::test]
async fn reactions_of_the_user_go_with_those_to_them_and_what_survives_counts_what_is_left() {
    let pond = Pond::new();
    let post = pond.add("user:bob", "skates").await;
    let to = |id: &str| reactions::To::Reaction(id.into());
    react(&pond, "1", "amy", reactions::To::Activity(post), &["user:cat"]).await;
    react(&pond, "2", "bob", to("1"), &[]).await;
    react(&pond, "3", "bob", reactions::To::Activity(post), &["user:amy"]).await;
    react(&pond, "4", "amy", to("3"), &[]).await;
    for table in ["feed_reaction", "feed_reactions", "own_reactions"] {
        assert!(left(&pond).await.contains(&table), "plant something of amy's in {table}");
    }
    let counts = removed(&pond).await.counts;
    assert!(counts.contains(&("reactions".to_owned(), 2)), "{counts:?}");
    assert_eq!(reacted(&pond, post).await, (vec!["3".to_owned()], 1));
    assert_eq!(pond.feed("user:cat").await, "(empty)", "what was posted for a reaction goes with it");
    assert_eq!(left(&pond).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_reaction_that_nothing_shows_any_more_goes_too() {
    let pond = Pond::new();
    let post = pond.add("user:bob", "skates").await;
    react(&pond, "1", "bob", reactions::To::Activity(post), &[]).await;
    react(&pond, "2", "amy", reactions::To::Reaction("1".into()), &[]).await;
    react(&pond, "3", "amy", reactions::To::Activity(post), &[]).await;
    for (id, is_soft) in [("3", true), ("1", true)] {
        let now = pond.tick();
        pond.app.write(async |tx| reactions::remove(tx, id, is_soft, None, now).await).await.unwrap();
    }
    removed(&pond).await;
    assert_eq!(reacted(&pond, post).await, (vec!["1".to_owned()], 0));
    assert_eq!(left(&pond).await, Vec::<&str>::new());
}

#[tokio::test]
async fn what_others_said_to_an_activity_of_the_user_goes_with_it_however_much_it_is() {
    let pond = Pond::new();
    let post = pond.add_draft("user:amy", &Draft { actor: "SU:amy".into(), ..Pond::draft("skates") }).await;
    let other = pond.add("user:bob", "rests").await;
    for n in 0..40 {
        react(&pond, &format!("{n:02}"), "bob", reactions::To::Activity(post), &[]).await;
    }
    react(&pond, "child", "cat", reactions::To::Reaction("39".into()), &[]).await;
    react(&pond, "other", "bob", reactions::To::Activity(other), &[]).await;
    removed(&pond).await;
    assert_eq!(reacted(&pond, other).await, (vec!["other".to_owned()], 1));
    assert_eq!(reacted(&pond, post).await.1, 0);
}

#[tokio::test]
async fn items_of_collections_go_and_others_stay_and_the_profile_is_the_account() {
    let pond = Pond::new();
    let bob = UserId::parse("bob").unwrap();
    let now = pond.tick();
    let planted = pond.app.write(async |tx| {
        for (id, user) in [("a", Some(amy())), ("b", Some(bob.clone())), ("c", None)] {
            let name = collections::Name::new("food", id)?;
            collections::add(tx, &name, r#"{"x":1}"#, user.as_ref(), now).await?;
        }
        crate::feeds::users::create(tx, &amy(), r#"{"name":"Amy"}"#, now).await?;
        Ok(())
    });
    planted.await.unwrap();
    assert_eq!(left(&pond).await, ["profile", "collection_item"]);
    let counts = removed(&pond).await.counts;
    assert!(counts.contains(&("collections".to_owned(), 1)), "{counts:?}");
    let mut tx = pond.app.snapshot();
    let rows = ITEM.scan(&mut tx, 1, ITEM.range(1), Direction::Forward, Limit::PAGE).await.unwrap().rows;
    assert_eq!(rows.into_iter().map(|((_, id), _)| id).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(left(&pond).await, ["profile"]);
}

#[tokio::test]
async fn what_was_seen_of_the_users_notifications_goes() {
    let pond = Pond::new();
    let written = pond.app.write(async |tx| {
        NOTED.put(tx, 1, &(Feed(feed("notification:amy")), 0, 0), &7);
        NOTED.put(tx, 1, &(Feed(feed("notification:bob")), 0, 0), &7);
        Ok(())
    });
    written.await.unwrap();
    assert_eq!(left(&pond).await, ["noted"]);
    removed(&pond).await;
    assert_eq!(left(&pond).await, Vec::<&str>::new());
    assert!(NOTED.exists(&mut pond.app.snapshot(), 1, &(Feed(feed("notification:bob")), 0, 0)).await.unwrap());
}

/// Takes out of the log what it tells of amy.
async fn forget_events(pond: &Pond) {
    let mut progress = Progress::default();
    loop {
        let step = pond.app.write(async |tx| {
            let mut next = progress.clone();
            let is_done = crate::erasure::traces::erase_feed_events(tx, &amy(), true, &mut next, Pond::at(0)).await?;
            Ok((next, is_done))
        });
        let (next, is_done) = step.await.unwrap();
        progress = next;
        if is_done {
            return;
        }
    }
}

async fn events(pond: &Pond) -> Vec<Event> {
    let mut tx = pond.app.snapshot();
    let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), Limit::PAGE).await.unwrap().rows;
    rows.into_iter().map(|(_, event)| event).collect()
}

fn dated(verb: &str, foreign_id: &str) -> Draft {
    Draft { actor: "SU:amy".into(), foreign_id: foreign_id.into(), time: Some(Pond::at(0)), ..Pond::draft(verb) }
}

#[tokio::test]
async fn activities_that_leave_the_same_feeds_are_told_of_in_one_event() {
    let pond = Pond::new();
    for n in 0..70 {
        pond.add_draft("user:bob", &dated("skates", &format!("a:{n}"))).await;
    }
    pond.add_draft("user:cat", &dated("rests", "a:70")).await;
    removed(&pond).await;
    let told = events(&pond).await.into_iter().filter_map(|event| match event {
        Event::Erased { activities, feeds, user } => Some((activities.len(), feeds, user)),
        _ => None,
    });
    // In the order of their ids, among which that of cat's feed stands somewhere.
    let told: Vec<_> = told.collect();
    assert!(told.len() <= 4 && told.iter().all(|(_, feeds, user)| feeds.len() == 1 && user == "amy"), "{told:?}");
    assert_eq!(told.iter().map(|(activities, ..)| activities).sum::<usize>(), 71);
}

#[tokio::test]
async fn the_log_forgets_whose_it_was_that_left_the_feeds_of_others_and_all_of_the_users_own() {
    let pond = Pond::new();
    let early = pond.add_draft("user:bob", &dated("skates", "secret:1")).await;
    pond.remove("user:bob", early).await;
    let late = pond.add_draft("user:bob", &dated("rests", "secret:2")).await;
    pond.add_draft("user:amy", &dated("waves", "secret:3")).await;
    let others = Draft { foreign_id: "bobs:1".into(), time: Some(Pond::at(0)), ..Pond::draft("greets") };
    let stays = pond.add_draft("user:bob", &others).await;
    pond.remove("user:bob", stays).await;
    removed(&pond).await;
    forget_events(&pond).await;
    let events = events(&pond).await;
    let text = format!("{events:?}");
    assert!(!text.contains("secret") && !text.contains("amy"), "{text}");
    let has = |event: &Event| assert!(events.contains(event), "{event:?} in {text}");
    let bobs = feeds(&["user:bob"]);
    let removed = |activity, foreign_id: &str, actor: &str| Event::Removed {
        activity,
        feeds: bobs.clone(),
        foreign_id: foreign_id.into(),
        actor: actor.into(),
    };
    has(&removed(early, "", ""));
    has(&removed(stays, "bobs:1", &others.actor));
    let gone = vec![Gone { activity: late, foreign_id: String::new() }];
    has(&Event::Erased { activities: gone, feeds: bobs.clone(), user: String::new() });
}
