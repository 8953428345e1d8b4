//! What a batch does to each channel, and that one that cannot be changed stops none of the others.

use super::*;
use crate::{
    chat::{
        channels::{Channel, are_hidden},
        pond::{Pond, user},
    },
    keyspace::MEMBER,
};

/// Makes channels, each with the member amy, made by her and with this tag.
async fn make(pond: &Pond, cids: &[&str], tag: &str) {
    let now = pond.tick();
    pond.write(async |tx| {
        let tenant = tx.tenant();
        for cid in cids {
            let id = Chat(ChannelId::parse(cid).unwrap());
            let channel = Channel { filter_tags: vec![tag.to_owned()], ..Channel::new(Some(user("amy")), now) };
            CHANNEL.put(tx, tenant, &id, &channel);
            MEMBER.put(tx, tenant, &(id, "amy".to_owned()), &members::Member::new(now));
        }
        Ok(())
    })
    .await;
}

fn named(cids: &[&str]) -> Reach {
    let channels = cids.iter().map(|cid| ChannelId::parse(cid).unwrap()).collect();
    Reach { channels: Some(channels), ..Reach::default() }
}

fn batch(operation: Operation, reach: Reach, seats: &[&str]) -> Batch {
    let seat = |id: &&str| Seat { user: user(id), channel_role: None };
    Batch { operation, reach, seats: seats.iter().map(seat).collect(), data: Data::default(), tags: Vec::new() }
}

/// Does all of the batch as the worker does; which channels were changed, and which were not.
async fn run(pond: &Pond, batch: &Batch) -> (u64, Vec<String>) {
    let mut progress = Progress::default();
    loop {
        let now = pond.tick();
        let times = Times { planned_at: now, now };
        let done = pond.app.write(async |tx| {
            let mut tried = progress.clone();
            let step = step(tx, "task", batch, &mut tried, times).await?;
            Ok((step, tried))
        });
        match done.await {
            Ok((Step::Done, _)) => break,
            Ok((Step::More, tried)) => progress = tried,
            Err(error) => {
                let failure = error.to_string();
                let skipped = pond.write(async |tx| {
                    let mut tried = progress.clone();
                    skip(tx, batch, &mut tried, &failure).await?;
                    Ok(tried)
                });
                progress = skipped.await;
            }
        }
    }
    let changed = progress.counts.iter().find(|(name, _)| name == CHANGED).map_or(0, |(_, count)| *count);
    (changed, progress.failed.into_iter().map(|(cid, _)| cid).collect())
}

async fn member(pond: &Pond, cid: &str, id: &str) -> Option<members::Member> {
    let channel = ChannelId::parse(cid).unwrap();
    members::get(&mut pond.app.snapshot(), &channel, &user(id)).await.unwrap()
}

async fn channel(pond: &Pond, cid: &str) -> Channel {
    super::super::load(&mut pond.app.snapshot(), &ChannelId::parse(cid).unwrap()).await.unwrap()
}

#[tokio::test]
async fn members_come_go_and_change_in_every_channel_that_is_named() {
    let pond = Pond::new().await;
    make(&pond, &["test:a", "test:b"], "t").await;
    let both = || named(&["test:a", "test:b"]);
    assert_eq!(run(&pond, &batch(Operation::AddMembers, both(), &["bob"])).await, (2, vec![]));
    assert!(member(&pond, "test:a", "bob").await.is_some() && member(&pond, "test:b", "bob").await.is_some());
    run(&pond, &batch(Operation::AddModerators, both(), &["bob"])).await;
    assert_eq!(member(&pond, "test:b", "bob").await.unwrap().channel_role, members::MODERATOR);
    run(&pond, &batch(Operation::DemoteModerators, both(), &["bob"])).await;
    assert_eq!(member(&pond, "test:b", "bob").await.unwrap().channel_role, members::ROLE);
    run(&pond, &batch(Operation::Archive, both(), &["bob"])).await;
    assert!(member(&pond, "test:a", "bob").await.unwrap().archived_at.is_some());
    run(&pond, &batch(Operation::Unarchive, both(), &["bob"])).await;
    assert!(member(&pond, "test:a", "bob").await.unwrap().archived_at.is_none());
    run(&pond, &batch(Operation::RemoveMembers, both(), &["bob"])).await;
    assert!(member(&pond, "test:a", "bob").await.is_none());
    run(&pond, &batch(Operation::InviteMembers, both(), &["cat"])).await;
    assert!(member(&pond, "test:b", "cat").await.unwrap().is_pending());
}

#[tokio::test]
async fn channels_are_hidden_from_the_members_that_are_named_and_shown_again() {
    let pond = Pond::new().await;
    make(&pond, &["test:a"], "t").await;
    let hidden = async || {
        are_hidden(&mut pond.app.snapshot(), &[ChannelId::parse("test:a").unwrap()], &user("amy")).await.unwrap()[0]
    };
    run(&pond, &batch(Operation::Hide, named(&["test:a"]), &["amy"])).await;
    assert!(hidden().await);
    run(&pond, &batch(Operation::Show, named(&["test:a"]), &["amy"])).await;
    assert!(!hidden().await);
}

#[tokio::test]
async fn data_that_is_given_changes_and_the_rest_stays() {
    let pond = Pond::new().await;
    make(&pond, &["test:a"], "t").await;
    let change = |custom: &str, is_frozen| Batch {
        data: Data { is_frozen, custom: custom.to_owned(), ..Data::default() },
        ..batch(Operation::UpdateData, named(&["test:a"]), &[])
    };
    run(&pond, &change(r#"{"a":1,"b":2}"#, Some(true))).await;
    run(&pond, &change(r#"{"b":3}"#, None)).await;
    let channel = channel(&pond, "test:a").await;
    assert!(channel.is_frozen);
    assert_eq!(channel.custom, r#"{"a":1,"b":3}"#);
}

#[tokio::test]
async fn a_channel_that_cannot_be_changed_is_told_with_its_reason_and_the_others_are_changed() {
    let pond = Pond::new().await;
    make(&pond, &["test:a", "test:c"], "t").await;
    let reach = named(&["test:a", "test:b", "test:c"]);
    assert_eq!(run(&pond, &batch(Operation::AddMembers, reach, &["bob"])).await, (2, vec!["test:b".to_owned()]));
    // Nothing of a channel is changed if one of the members cannot be.
    let roles = Batch {
        seats: vec![
            Seat { user: user("amy"), channel_role: Some("boss".to_owned()) },
            Seat { user: user("cat"), channel_role: Some("boss".to_owned()) },
        ],
        ..batch(Operation::AssignRoles, named(&["test:a"]), &[])
    };
    assert_eq!(run(&pond, &roles).await, (0, vec!["test:a".to_owned()]));
    assert_eq!(member(&pond, "test:a", "amy").await.unwrap().channel_role, members::ROLE);
}

#[tokio::test]
async fn channels_are_found_by_type_and_tag_however_many_there_are() {
    let pond = Pond::new().await;
    let cids: Vec<String> = (0..300).map(|n| format!("other:{n:03}")).collect();
    make(&pond, &cids.iter().map(String::as_str).collect::<Vec<_>>(), "t").await;
    make(&pond, &["other:zz"], "u").await;
    make(&pond, &["another:a"], "u").await;
    let reach = |kinds: &[&str], tag: Option<&str>| Reach {
        kinds: Some(kinds.iter().map(|&kind| kind.to_owned()).collect()),
        tags: tag.map(|tag| vec![tag.to_owned()]),
        channels: None,
    };
    let archive = |reach| batch(Operation::Archive, reach, &["amy"]);
    assert_eq!(run(&pond, &archive(reach(&["another", "other"], None))).await, (302, vec![]));
    assert_eq!(run(&pond, &archive(reach(&["other"], Some("u")))).await, (1, vec![]));
    assert_eq!(run(&pond, &archive(reach(&["none"], None))).await, (0, vec![]));
}

#[tokio::test]
async fn a_batch_tells_once_that_it_began_and_once_that_it_ended() {
    let pond = Pond::new().await;
    make(&pond, &["test:a", "test:b"], "t").await;
    let before = pond.told().await.len();
    run(&pond, &batch(Operation::AddMembers, named(&["test:a", "test:b", "test:c"]), &["bob"])).await;
    let told = pond.told().await.split_off(before);
    let of_batch = |kind: &&String| kind.starts_with("channel_batch_update.");
    let told: Vec<_> = told.iter().filter(of_batch).map(String::as_str).collect();
    assert_eq!(told, ["channel_batch_update.started", "channel_batch_update.completed"]);
}
