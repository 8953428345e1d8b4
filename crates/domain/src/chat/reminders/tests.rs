use super::*;
use crate::{
    chat::pond::{Pond, broken, message, user},
    filter::{Filter, Sort},
    keyspace::LOG,
    log,
};

async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.set_type(|config| config.user_message_reminders = true).await;
    pond.say("amy", "m", "hello").await;
    pond
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(2_000_000_000_000_000 + seconds * 1_000_000)
}

impl Pond {
    async fn saves(&self, caller: Option<&str>, id: &str, remind_at: Option<Timestamp>) -> Result<Found> {
        let (caller, bob, id, now) = (caller.map(user), user("bob"), message(id), self.tick());
        self.app.write(async |tx| create(tx, caller.as_ref(), &bob, &id, remind_at, now).await).await
    }

    async fn reminds(&self, now: Timestamp) {
        while self.write(async |tx| tell_due(tx, now).await).await {}
    }

    /// How often bob was reminded.
    async fn reminded(&self) -> usize {
        let mut tx = self.app.snapshot();
        let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), Limit::PAGE).await.unwrap().rows;
        let is_due = |event: &log::Event| match event {
            log::Event::Chat(event) => event.kind == "notification.reminder_due" && event.only_for == [user("bob")],
            _ => false,
        };
        rows.iter().filter(|(_, event)| is_due(event)).count()
    }
}

#[tokio::test]
async fn a_message_is_saved_once_where_the_channel_has_reminders() {
    let pond = pond().await;
    pond.saves(Some("bob"), "m", None).await.unwrap();
    let again = broken(pond.saves(None, "m", None).await);
    assert!(again.contains("user already has reminder created for this message_id"), "{again}");
    pond.set_type(|config| config.user_message_reminders = false).await;
    pond.say("amy", "n", "hello").await;
    let off = pond.saves(None, "n", None).await;
    assert!(matches!(&off, Err(Error::FeatureOff(text)) if text.contains("not enabled")), "{off:?}");
    assert!(broken(pond.saves(Some("eve"), "n", None).await).contains("not allowed"));
    assert!(matches!(pond.saves(None, "nothing", None).await, Err(Error::Absent(_))));
}

#[tokio::test]
async fn a_user_has_two_hundred_and_fifty_reminders() {
    let pond = pond().await;
    for n in 0..250 {
        pond.say("amy", &format!("m{n}"), "hello").await;
        pond.saves(None, &format!("m{n}"), None).await.unwrap();
    }
    assert!(broken(pond.saves(None, "m", None).await).contains("at most 250"));
}

#[tokio::test]
async fn a_due_reminder_is_told_once_and_stays() {
    let pond = pond().await;
    pond.saves(None, "m", Some(at(10))).await.unwrap();
    pond.reminds(at(9)).await;
    assert_eq!(pond.reminded().await, 0);
    pond.reminds(at(10)).await;
    pond.reminds(at(11)).await;
    assert_eq!(pond.reminded().await, 1);
    let mut tx = pond.app.snapshot();
    assert!(REMINDER.exists(&mut tx, 1, &("bob".into(), "m".into())).await.unwrap());
}

#[tokio::test]
async fn a_moment_that_is_set_anew_or_taken_away_replaces_the_one_before() {
    let pond = pond().await;
    pond.saves(None, "m", Some(at(10))).await.unwrap();
    let set = async |remind_at: Option<Timestamp>| {
        let now = pond.tick();
        pond.write(async |tx| update(tx, &user("bob"), &message("m"), remind_at, now).await).await
    };
    set(Some(at(20))).await;
    pond.reminds(at(15)).await;
    assert_eq!(pond.reminded().await, 0);
    pond.reminds(at(20)).await;
    set(Some(at(30))).await;
    pond.reminds(at(30)).await;
    assert_eq!(pond.reminded().await, 2);
    set(Some(at(40))).await;
    assert_eq!(set(None).await.reminder.remind_at, None);
    pond.reminds(at(50)).await;
    assert_eq!(pond.reminded().await, 2);
}

#[tokio::test]
async fn nobody_is_reminded_of_what_was_deleted() {
    let pond = pond().await;
    pond.say("amy", "n", "hello").await;
    for id in ["m", "n"] {
        pond.saves(None, id, Some(at(10))).await.unwrap();
    }
    let now = pond.tick();
    pond.write(async |tx| messages::delete(tx, None, &message("m"), None, now).await).await;
    messages::delete_for_good(&pond.app, None, &message("n"), None, now).await.unwrap();
    pond.reminds(at(10)).await;
    assert_eq!(pond.reminded().await, 0);
    let mut tx = pond.app.snapshot();
    assert!(!REMINDER.exists(&mut tx, 1, &("bob".into(), "n".into())).await.unwrap(), "it went with its message");
}

#[tokio::test]
async fn reminders_are_listed_by_their_moment_and_those_without_one_are_found() {
    let pond = pond().await;
    for (id, remind_at) in [("a", Some(at(20))), ("b", Some(at(10))), ("c", None)] {
        pond.say("amy", id, "hello").await;
        pond.saves(None, id, remind_at).await.unwrap();
    }
    let list = async |filter: &str, offset: usize, limit: usize| {
        let (filter, sort) = (Filter::parse(filter, REMINDERS).unwrap(), Sort::default().or(&["remind_at"]));
        let (mut tx, now) = (pond.app.snapshot(), pond.tick());
        let page = query(&mut tx, None, &user("bob"), (&filter, &sort), (None, offset, limit), now).await.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|found| found.message.to_string()).collect();
        (ids.join(" "), page.next.is_some())
    };
    assert_eq!(list(r#"{"remind_at":{"$exists":true}}"#, 0, 10).await, ("b a".to_owned(), false));
    assert_eq!(list(r#"{"remind_at":null}"#, 0, 10).await, ("c".to_owned(), false));
    assert_eq!(list(r#"{"message_id":"a"}"#, 0, 10).await, ("a".to_owned(), false));
    assert_eq!(list(r#"{"remind_at":{"$exists":true}}"#, 1, 10).await, ("a".to_owned(), false));
    assert_eq!(list(r#"{"remind_at":{"$exists":true}}"#, 0, 1).await, ("b".to_owned(), true));
}
