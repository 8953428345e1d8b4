use ids::{Timestamp, UserId};

use crate::{
    App,
    chat::{
        events::Event,
        messages,
        pond::{Pond, channel, message, user},
        retention::{self, OLD_MESSAGES, Policy},
    },
    erasure::{self, channels},
    keyspace::{LOG, RETENTION},
    log,
    tasks::{DeleteMessages, DeleteUsers, Kind, Leaver, Mode, Progress, Step},
};

/// The events that were told of chat.
async fn told(pond: &Pond) -> Vec<Event> {
    let mut tx = pond.app.snapshot();
    let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), store::Limit::PAGE).await.unwrap().rows;
    let chat = rows.into_iter().filter_map(|(_, event)| match event {
        log::Event::Chat(event) => Some(*event),
        _ => None,
    });
    chat.collect()
}

/// Whether an event holds `word`.
async fn says(pond: &Pond, word: &str) -> bool {
    format!("{:?}", told(pond).await).contains(word)
}

/// Does a task of this kind.
async fn done(pond: &Pond, kind: Kind) {
    let (mut progress, now) = (Progress::default(), pond.tick());
    loop {
        let (step, after) = pond
            .write(async |tx| {
                let mut after = progress.clone();
                Ok((erasure::step(tx, &kind, &mut after, now, now).await?, after))
            })
            .await;
        progress = after;
        if step == Step::Done {
            return;
        }
    }
}

/// Takes out of the log what it tells of what is gone.
async fn forget_all(app: &App) {
    let (mut cursor, mut is_done) = (Vec::new(), false);
    while !is_done {
        let step = app.write(async |tx| {
            let mut next = cursor.clone();
            Ok((super::forget(tx, &mut next).await?, next))
        });
        (is_done, cursor) = step.await.unwrap();
    }
}

fn amy() -> UserId {
    user("amy")
}

fn delete_users(messages: Option<Mode>, conversations: Option<Mode>) -> Kind {
    Kind::DeleteUsers(Box::new(DeleteUsers {
        users: vec![Leaver::alone(&amy())],
        user: Mode::Soft,
        messages,
        conversations,
        files: false,
        calls: None,
    }))
}

#[tokio::test]
async fn what_a_user_said_leaves_the_log_when_it_is_pruned_or_removed_and_stays_when_it_is_deleted_softly() {
    for (mode, is_left) in [(Mode::Soft, true), (Mode::Pruning, false), (Mode::Hard, false)] {
        let pond = Pond::new().await;
        pond.say("amy", "one", "secret").await;
        pond.reply("bob", "answer", "one").await;
        pond.say("bob", "two", "public").await;
        done(&pond, delete_users(Some(mode), None)).await;
        assert_eq!(says(&pond, "secret").await, is_left, "{mode:?}");
        assert!(says(&pond, "public").await && says(&pond, "answer").await, "{mode:?}");
        assert!(told(&pond).await.iter().any(|event| event.kind == "user.messages.deleted"), "{mode:?}");
    }
}

#[tokio::test]
async fn that_a_message_was_deleted_is_told_on_without_its_words() {
    let pond = Pond::new().await;
    pond.say("amy", "one", "secret").await;
    let now = pond.tick();
    pond.write(async |tx| messages::delete(tx, None, &message("one"), None, now).await).await;
    done(&pond, delete_users(Some(Mode::Pruning), None)).await;
    let deleted = told(&pond).await.into_iter().find(|event| event.kind == "message.deleted").unwrap();
    let (id, left) = *deleted.message.unwrap();
    assert_eq!((id, left.text, left.user), (message("one"), String::new(), Some(amy())));
    assert!(!says(&pond, "secret").await);
}

#[tokio::test]
async fn a_message_of_the_same_id_is_another() {
    let pond = Pond::new().await;
    pond.say("amy", "one", "secret").await;
    let asked = DeleteMessages { user: amy(), channel: None, mode: Mode::Hard };
    done(&pond, Kind::DeleteMessages(Box::new(asked.clone()))).await;
    pond.say("amy", "one", "again").await;
    pond.say("bob", "two", "public").await;
    done(&pond, Kind::DeleteMessages(Box::new(DeleteMessages { user: user("cat"), ..asked }))).await;
    assert!(!says(&pond, "secret").await && says(&pond, "again").await && says(&pond, "public").await);
}

#[tokio::test]
async fn of_a_channel_that_was_removed_the_log_tells_that_it_was_deleted_and_nothing_else() {
    let pond = Pond::new().await;
    pond.say("amy", "one", "secret").await;
    let now = pond.tick();
    pond.write(async |tx| channels::mark(tx, &channel(), true, None, now).await).await;
    done(&pond, Kind::DeleteChannels { channels: vec![(channel(), true)], is_hard: true }).await;
    let kinds: Vec<_> = told(&pond).await.into_iter().filter(|event| event.channel.is_some()).collect();
    assert!(kinds.iter().all(|event| event.kind == "channel.deleted"), "{kinds:?}");
    assert_eq!(kinds.len(), 1);
}

#[tokio::test]
async fn what_a_policy_removes_leaves_the_log_too() {
    let pond = Pond::new().await;
    pond.say("amy", "one", "secret").await;
    let now = pond.tick().plus_micros(2 * 3600 * 1_000_000);
    pond.write(async |tx| {
        let policy = Policy { enabled_at: now, max_age_hours: 1, ran_on: None };
        RETENTION.put(tx, 1, &OLD_MESSAGES.to_owned(), &policy);
        retention::plan(tx, "t", OLD_MESSAGES, now).await
    })
    .await;
    work(&pond, now).await;
    assert!(pond.get("one").await.is_none() && !says(&pond, "secret").await);
}

/// Does the task `t` to its end.
async fn work(pond: &Pond, now: Timestamp) {
    let mut task = crate::tasks::load(&mut pond.app.snapshot(), "t").await.unwrap();
    loop {
        let (step, after) = pond
            .write(async |tx| {
                let mut after = task.clone();
                Ok((crate::tasks::step(tx, "t", &mut after, now).await?, after))
            })
            .await;
        task = after;
        if step == Step::Done {
            return;
        }
    }
}

#[tokio::test]
async fn one_message_that_was_removed_is_forgotten_with_the_next_look_at_the_whole_log() {
    let pond = Pond::new().await;
    pond.say("amy", "one", "secret").await;
    pond.say("amy", "two", "public").await;
    let now = pond.tick();
    messages::delete_for_good(&pond.app, None, &message("one"), None, now).await.unwrap();
    assert!(says(&pond, "secret").await);
    forget_all(&pond.app).await;
    assert!(!says(&pond, "secret").await && says(&pond, "public").await);
    assert!(told(&pond).await.iter().any(|event| event.kind == "message.deleted"));
}

#[tokio::test]
async fn activities_and_comments_that_were_removed_are_forgotten_and_others_are_not() {
    use crate::v3::{activities, comments, made, pond::Pond};

    let pond = Pond::new();
    pond.add("gone", "amy", &["user:amy"]).await;
    pond.add("stays", "amy", &["user:amy"]).await;
    let now = pond.tick();
    pond.write(async |tx| {
        for (id, parent, text) in [("c1", None, "secret"), ("c2", Some("c1"), "public")] {
            let draft = comments::Draft {
                id: id.into(),
                activity: Some("stays".into()),
                parent: parent.map(Into::into),
                user: user("bob"),
                text: text.into(),
                attachments: Vec::new(),
                mentioned: Vec::new(),
                custom: None,
            };
            made::comment(tx, None, &draft, now).await?;
        }
        Ok(())
    })
    .await;
    pond.write(async |tx| made::delete_comment(tx, None, "c1", true, now).await).await;
    pond.write(async |tx| activities::delete(tx, None, "gone", true, now).await).await;
    forget_all(&pond.app).await;
    let mut tx = pond.app.snapshot();
    let rows = LOG.scan(&mut tx, 1, store::Stamp::default(), store::Limit::PAGE).await.unwrap().rows;
    let text = format!("{rows:?}");
    assert!(!text.contains("secret") && text.contains("public"), "{text}");
    assert!(!text.contains("Some(\"gone\")") && text.contains("Some(\"stays\")"), "{text}");
    let kinds: Vec<_> = pond.told().await.into_iter().filter(|told| told.contains(".deleted")).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
}
