use super::*;
use crate::{
    chat::pond::{Pond, channel, user},
    keyspace::{LOG, MEMBERSHIP, READ},
    log,
};

const SECOND: i64 = 1_000_000;

/// A channel that reminds its members, who have read all there is.
async fn pond() -> Pond {
    let pond = Pond::new().await;
    pond.set_type(|config| (config.reminders, config.read_events) = (true, true)).await;
    let now = pond.tick();
    pond.write(async |tx| {
        let tenant = tx.tenant();
        for id in ["amy", "bob", "cat"] {
            READ.put(tx, tenant, &(Chat(channel()), id.to_owned()), &reads::Read::new(now));
            MEMBERSHIP.put(tx, tenant, &(id.to_owned(), Chat(channel())), &());
        }
        Ok(())
    })
    .await;
    pond
}

/// Who is told of what from now on: user, and the messages.
async fn told(pond: &Pond, now: Timestamp) -> Vec<(String, String)> {
    let before = pond.app.store.read().stamp();
    while pond.write(async |tx| tell_due(tx, now).await).await {}
    let mut tx = pond.app.snapshot();
    let rows = LOG.scan(&mut tx, 1, before, Limit::PAGE).await.unwrap().rows;
    let read = |event| match event {
        log::Event::Chat(event) => match event.matter.as_deref() {
            Some(Matter::Unread { channels }) => {
                let ids = channels.iter().flat_map(|(_, ids)| ids).map(MessageId::as_str).collect::<Vec<_>>().join(" ");
                Some((event.user?.to_string(), ids))
            }
            _ => None,
        },
        _ => None,
    };
    rows.into_iter().filter_map(|(_, event)| read(event)).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(user, ids)| ((*user).to_owned(), (*ids).to_owned())).collect()
}

#[tokio::test]
async fn who_has_not_read_a_message_that_is_old_enough_is_reminded_of_it_once() {
    let pond = pond().await;
    let at = pond.say("amy", "m1", "hi").await.created_at;
    assert_eq!(told(&pond, at.plus_micros(299 * SECOND)).await, pairs(&[]));
    let due = at.plus_micros(300 * SECOND);
    assert!(is_any_due(&mut pond.app.snapshot(), due).await.unwrap());
    assert_eq!(told(&pond, due).await, pairs(&[("bob", "m1"), ("cat", "m1")]));
    assert!(!is_any_due(&mut pond.app.snapshot(), due.plus_micros(9999 * SECOND)).await.unwrap());
}

#[tokio::test]
async fn of_a_channel_a_member_is_told_once_in_an_interval_and_who_has_read_is_not_told() {
    let pond = pond().await;
    let first = pond.say("amy", "m1", "hi").await.created_at;
    let second = pond.say("amy", "m2", "there").await.created_at;
    let due = first.plus_micros(300 * SECOND);
    assert_eq!(told(&pond, due).await, pairs(&[("bob", "m1"), ("cat", "m1")]));
    assert_eq!(told(&pond, second.plus_micros(300 * SECOND)).await, pairs(&[]));
    pond.write(async |tx| {
        let tenant = tx.tenant();
        READ.put(tx, tenant, &(Chat(channel()), "cat".to_owned()), &reads::Read::new(second));
        Ok(())
    })
    .await;
    assert_eq!(told(&pond, due.plus_micros(300 * SECOND)).await, pairs(&[("bob", "m1 m2")]));
}

#[tokio::test]
async fn silent_messages_and_channels_that_do_not_remind_plan_nothing() {
    let pond = pond().await;
    let silent = crate::chat::messages::Draft {
        is_silent: true,
        ..crate::chat::messages::Draft::text(Some(user("amy")), "psst")
    };
    pond.send_as(None, "m1", &silent).await.unwrap();
    pond.set_type(|config| config.reminders = false).await;
    let at = pond.say("amy", "m2", "hi").await.created_at;
    assert!(!is_any_due(&mut pond.app.snapshot(), at.plus_micros(9999 * SECOND)).await.unwrap());
}

#[tokio::test]
async fn a_large_channel_reminds_nobody() {
    let pond = pond().await;
    let at = pond.say("amy", "m1", "hi").await.created_at;
    let now = pond.tick();
    pond.write(async |tx| {
        for n in 0..MEMBERS_MAX {
            members::put(tx, &channel(), &user(&format!("more-{n}")), &Member::new(now));
        }
        Ok(())
    })
    .await;
    assert_eq!(told(&pond, at.plus_micros(300 * SECOND)).await, pairs(&[]));
}
