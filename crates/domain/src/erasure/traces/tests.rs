mod bounds;
mod kills;
mod restores;

use ids::{ChannelId, MessageId};
use store::{Direction, Limit, key::after};

use super::*;
use crate::{
    chat::{
        campaigns::{self, Campaign, Outcome, Plan},
        channels::{self, Channel, Hidden},
        drafts::Draft,
        events::{self, Origin},
        members::Member,
        messages::{self, Version},
        push::preferences::Preference,
        reads,
        reminders::Reminder,
        threads::{Participant, Thread},
        user_groups::{UserGroup, UserGroupMember},
    },
    erasure::residue::{Wanted, residue},
    exports,
    feeds::{audit::Noted, pond::Pond},
    files,
    keyspace::{At, Chat, Latest, MEMBERS},
    moderation::{
        actions::Action,
        appeals::{Appeal, Status},
        checks::Fingerprint,
        flags::{Entity, Flag},
        review::{Escalation, Item, Lock},
        settings::Setting,
    },
    polls::{self, Content, Vote},
    tasks::{self, DeleteUsers, Kind, Mode, Step},
    users::{self, mutes::Mute},
};

#[test]
fn every_table_with_personal_data_has_a_rule() {
    let missing: Vec<_> = TABLES
        .iter()
        .filter(|(tag, _, personal, _)| *personal != Personal::None && *tag != TASK.tag() && rule(*tag).is_none())
        .map(|(_, name, ..)| name)
        .collect();
    assert!(missing.is_empty(), "say in RULES what becomes of the rows of {missing:?} that name an erased user");
}

#[test]
fn the_walk_looks_at_every_table_that_no_stage_before_it_empties() {
    let stretches = walked();
    for (tag, name, personal, _) in TABLES {
        let is_left_out = matches!(personal, Personal::None | Personal::ByFeed | Personal::ByActivity);
        assert_eq!(stretches.iter().any(|tags| tags.contains(tag)), !is_left_out, "{name}");
    }
    assert!(stretches.is_sorted_by(|one, next| one.end <= next.start), "{stretches:?}");
}

const AMY: &str = "amy";

fn id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn cid(text: &str) -> ChannelId {
    ChannelId::parse(text).unwrap()
}

fn ban(by: &str) -> Ban {
    Ban {
        by: Some(id(by)),
        reason: String::new(),
        expires: None,
        is_shadow: false,
        created_at: Pond::at(0),
        address: String::new(),
    }
}

/// Amy is named in every field that can name a user, but for what is said.
async fn plant(pond: &Pond) {
    let now = Pond::at(0);
    let write = pond.app.write(async |tx| {
        let tenant = tx.tenant();
        for user in [AMY, "bob", "cat"] {
            users::put(tx, &id(user), &User::new(now));
        }
        let mut bob = User { ban: Some(ban(AMY)), ..User::new(now) };
        bob.blocked.push(users::blocks::Block { user: id(AMY), created_at: now });
        users::put(tx, &id("bob"), &bob);
        BLOCKED.put(tx, tenant, &(AMY.into(), "bob".into()), &());
        users::mutes::add(tx, &id(AMY), &[id("bob")], None, now).await?;
        users::mutes::add(tx, &id("bob"), &[id(AMY)], None, now).await?;
        BAN.put(tx, tenant, &(AMY.into(), String::new()), &ban("bob"));
        BAN.put(tx, tenant, &("bob".into(), String::new()), &ban(AMY));
        plant_campaign(tx, now);
        let target = crate::chat::segments::Target { created_at: now };
        SEGMENT_TARGET.put(tx, tenant, &("s".into(), AMY.into()), &target);
        ADDRESS_BAN.put(tx, tenant, &("192.0.2.1".into(), AMY.into(), String::new()), &());
        FUTURE_BAN.put(tx, tenant, &(AMY.into(), "bob".into()), &ban("bob"));
        FUTURE_BAN.put(tx, tenant, &("bob".into(), AMY.into()), &ban(AMY));
        for channel in ["messaging:two", "messaging:three"] {
            let chat = Chat(cid(channel));
            let made = Channel { truncated_by: Some(id(AMY)), ..Channel::new(Some(id(AMY)), now) };
            CHANNEL.put(tx, tenant, &chat, &made);
            for user in if channel == "messaging:two" { vec![AMY, "bob"] } else { vec![AMY, "bob", "cat"] } {
                let member = Member { ban: Some(ban(AMY)), ..Member::new(now) };
                MEMBER.put(tx, tenant, &(chat.clone(), user.into()), &member);
                MEMBERSHIP.put(tx, tenant, &(user.into(), chat.clone()), &());
                MEMBERS.add(tx, tenant, &chat, 1);
                READ.put(tx, tenant, &(chat.clone(), user.into()), &reads::Read::new(now));
                HIDDEN.put(tx, tenant, &(chat.clone(), user.into()), &Hidden { at: now });
            }
        }
        AUTHORED.put(tx, tenant, &(AMY.into(), At(now), "gone".into()), &());
        REACTED.put(tx, tenant, &(AMY.into(), "gone".into(), "like".into()), &());
        plant_groups(tx, now);
        plant_talk(tx, now);
        plant_kept(tx, now);
        let poll = Content { name: "Q?".into(), ..Content::default() };
        polls::create(tx, &id(AMY), "p", &poll, now).await?;
        plant_reports(tx, now);
        files::add(tx, "f", &file(now));
        AUDIT.put(tx, tenant, &("reaction".into(), "r".into(), Latest(now), 0), &Noted { user: Some(id(AMY)) });
        AUDIT_OF_USER.put(tx, tenant, &(AMY.into(), Latest(now), "reaction".into(), "r".into(), 0), &());
        exports::plan(tx, "x", "exports/users/1/x.jsonl".into(), vec![id(AMY), id("bob")]);
        Ok(())
    });
    write.await.unwrap();
}

/// Amy says something to herself and to bob, and was the last to get it.
fn plant_campaign(tx: &mut Tx, now: ids::Timestamp) {
    let tenant = tx.tenant();
    let (sender, users) = (Some(id(AMY)), vec![id(AMY), id("bob")]);
    let campaign = Campaign {
        plan: Plan { sender, users, custom: "{}".into(), ..Plan::default() },
        status: campaigns::Status::InProgress,
        scheduled_for: None,
        stop_at: None,
        task: None,
        outcome: Outcome { last: Some(format!("user {AMY}")), ..Outcome::default() },
        created_at: now,
        updated_at: now,
    };
    CAMPAIGN.put(tx, tenant, &"c".into(), &campaign);
}

/// Amy has a name, belongs to a group that she made, and muted a channel.
fn plant_groups(tx: &mut Tx, now: ids::Timestamp) {
    let tenant = tx.tenant();
    let group = UserGroup {
        name: "Staff".into(),
        description: String::new(),
        team: String::new(),
        created_by: Some(id(AMY)),
        created_at: now,
        updated_at: now,
    };
    USER_GROUP.put(tx, tenant, &"staff".into(), &group);
    let member = UserGroupMember { is_admin: true, created_at: now };
    USER_GROUP_MEMBER.put(tx, tenant, &("staff".into(), AMY.into()), &member);
    USER_NAME.put(tx, tenant, &("amy lee".into(), AMY.into()), &());
    let mute = Mute { expires: None, created_at: now, updated_at: now };
    CHANNEL_MUTE.put(tx, tenant, &(AMY.into(), Chat(cid("messaging:two"))), &mute);
}

/// Amy reported somebody, was reported, looked at a report, and was banned for it.
fn plant_reports(tx: &mut Tx, now: ids::Timestamp) {
    let tenant = tx.tenant();
    let entity = |user: &str| Entity { kind: flags::USER.into(), id: user.into() };
    for (thing, by, note) in [(AMY, "bob", "one"), ("bob", AMY, "two")] {
        let (kind, item) = (flags::USER.to_owned(), note.to_owned());
        let flag = Flag {
            item: item.clone(),
            creator: Some(id(thing)),
            channel: None,
            reason: "spam".into(),
            custom: "{}".into(),
            created_at: now,
            updated_at: now,
        };
        FLAG.put(tx, tenant, &(kind.clone(), thing.into(), by.into()), &flag);
        FLAGGED_BY.put(tx, tenant, &(by.into(), kind.clone(), thing.into()), &());
        FLAGGED.put(tx, tenant, &(thing.into(), kind.clone(), thing.into()), &());
        let queued = Item {
            creator: Some(id(thing)),
            reviewed_at: Some(now),
            reviewed_by: Some(id(by)),
            escalation: Some(Escalation {
                at: now,
                by: Some(id(by)),
                reason: "why".into(),
                notes: String::new(),
                priority: String::new(),
            }),
            lock: Some(Lock { by: id(by), until: now }),
            ..Item::new(entity(thing), now)
        };
        REVIEW.put(tx, tenant, &item, &queued);
        REVIEW_OF.put(tx, tenant, &(kind, thing.into()), &item);
        let action =
            Action { user: Some(id(by)), target: Some(id(thing)), entity: Some(entity(thing)), ..Action::new(now) };
        ACTION.put(tx, tenant, &(Latest(now), item.clone()), &action);
        let appeal = Appeal {
            user: id(by),
            entity: entity(thing),
            item: Some(item.clone()),
            reason: "why".into(),
            attachments: Vec::new(),
            status: Status::Rejected,
            decision: String::new(),
            decided_by: Some(id(thing)),
            created_at: now,
            updated_at: now,
        };
        APPEAL.put(tx, tenant, &item, &appeal);
        APPEALED_BY.put(tx, tenant, &(by.into(), item.clone()), &());
        let print = Fingerprint { exact: 1, similar: 2, has_link: false };
        SAID.put(tx, tenant, &(by.into(), At(now), item.clone()), &print);
        let setting = Setting { json: "{}".into(), created_by: Some(id(by)), created_at: now, updated_at: now };
        MODERATION_SETTING.put(tx, tenant, &("queue".into(), item), &setting);
    }
}

fn file(now: ids::Timestamp) -> files::File {
    files::File {
        owner: Some(id(AMY)),
        name: "a.txt".into(),
        mime_type: "text/plain".into(),
        bytes: 3,
        is_image: false,
        channel: None,
        created_at: now,
    }
}

fn vote(now: ids::Timestamp) -> Vote {
    Vote { user: id(AMY), option: None, answer: Some("yes".into()), created_at: now, updated_at: now }
}

/// Amy has begun to write something and saved a message, and cat has begun to write something that names her.
fn plant_kept(tx: &mut Tx, now: ids::Timestamp) {
    let (tenant, chat) = (tx.tenant(), Chat(cid("messaging:three")));
    for (user, mentioned) in [(AMY, "bob"), ("cat", AMY)] {
        let draft = Draft {
            id: MessageId::parse("draft").unwrap(),
            created_at: now,
            kind: messages::Kind::Regular,
            text: "wip".into(),
            html: None,
            mml: None,
            attachments: Vec::new(),
            mentioned: vec![id(mentioned)],
            quoted: None,
            shows_in_channel: false,
            is_silent: false,
            poll: None,
            custom: "{}".into(),
        };
        DRAFT.put(tx, tenant, &(user.into(), chat.clone(), String::new()), &draft);
        DRAFTED.put(tx, tenant, &(chat.clone(), user.into(), String::new()), &());
    }
    let reminder = Reminder { channel: cid("messaging:three"), remind_at: Some(now), created_at: now, updated_at: now };
    PUSH_PREFERENCE.put(tx, tenant, &(AMY.into(), String::new()), &Preference::default());
    VOTE.put(tx, tenant, &("p".into(), "v".into()), &vote(now));
    POLLED.put(tx, tenant, &(AMY.into(), "p".into(), "v".into()), &());
    LIVE.put(tx, tenant, &(AMY.into(), At(now), "gone".into()), &());
    REMINDER.put(tx, tenant, &(AMY.into(), "gone".into()), &reminder);
    REMINDED.put(tx, tenant, &("gone".into(), AMY.into()), &());
    REMINDER_DUE.put(tx, tenant, &(At(now), AMY.into(), "gone".into()), &());
}

/// Traces of what is said: a reaction, a thread, an edit.
fn plant_talk(tx: &mut Tx, now: ids::Timestamp) {
    let (tenant, chat, at) = (tx.tenant(), Chat(cid("messaging:two")), At(now));
    let (amy, gone, like) = (AMY.to_owned(), "gone".to_owned(), "like".to_owned());
    REACTION_ORDER.put(tx, tenant, &(gone.clone(), Latest(now), amy.clone(), like.clone()), &());
    REACTION_GROUP.put(tx, tenant, &(gone.clone(), like, at, amy.clone()), &());
    let thread = Thread {
        channel: cid("messaging:two"),
        created_by: Some(id(AMY)),
        created_at: now,
        updated_at: now,
        title: None,
        custom: "{}".into(),
    };
    THREAD.put(tx, tenant, &gone, &thread);
    let participant = Participant { created_at: now, last_read: now, last_reply: None, last_read_message: None };
    PARTICIPANT.put(tx, tenant, &(gone.clone(), amy.clone()), &participant);
    PARTICIPATION.put(tx, tenant, &(amy.clone(), gone.clone()), &());
    let version = Version {
        by: Some(id(AMY)),
        text: "hi".into(),
        attachments: Vec::new(),
        custom: "{}".into(),
        is_deleted: false,
    };
    VERSION.put(tx, tenant, &(gone.clone(), at), &version);
    DELETED_FOR.put(tx, tenant, &(chat.clone(), amy.clone(), gone.clone()), &now);
    PENDING.put(tx, tenant, &(chat.clone(), amy.clone(), at, gone), &());
    PACE.put(tx, tenant, &(chat, amy), &now);
}

/// Does `kind` as a task to its end; before each step the worker may be killed and another takes over.
async fn done(pond: &Pond, kind: Kind, is_killed: bool) -> usize {
    let planned = pond.app.write(async |tx| {
        tasks::plan(tx, "t", kind.clone(), Pond::at(1));
        Ok(())
    });
    planned.await.unwrap();
    let (mut holder, mut seconds, mut steps) = (1, 1, 0);
    let take = async |holder, seconds| {
        pond.app.write(async |tx| tasks::take(tx, "t", holder, Pond::at(seconds)).await).await.unwrap().unwrap();
    };
    take(holder, seconds).await;
    loop {
        if is_killed {
            (holder, seconds) = (holder + 1, seconds + 15);
            take(holder, seconds).await;
        }
        let now = Pond::at(seconds);
        let step = pond.app.write(async |tx| {
            let mut task = tasks::held(tx, "t", holder).await?.unwrap();
            let step = super::super::step(tx, &task.kind, &mut task.progress, task.created_at, now).await?;
            tasks::keep(tx, "t", task, step, now);
            Ok(step)
        });
        steps += 1;
        if step.await.unwrap() == Step::Done {
            return steps;
        }
    }
}

fn hard() -> Kind {
    let leaver = Leaver { id: id(AMY), was_there: true, heir: id("delete-user-x"), hash: String::new() };
    let (messages, conversations) = (Some(Mode::Hard), Some(Mode::Hard));
    Kind::DeleteUsers(Box::new(DeleteUsers {
        users: vec![leaver],
        user: Mode::Hard,
        messages,
        conversations,
        files: false,
        calls: None,
    }))
}

async fn left_of(pond: &Pond, user: &str) -> Vec<&'static str> {
    let wanted = Wanted { user: id(user), needles: Vec::new(), app: None };
    let report = residue(&pond.app.store, &wanted, &mut |_| {}).await.unwrap();
    report.residue.into_iter().map(|residue| residue.table).collect()
}

/// All rows of the app but the log and the task.
async fn rows(pond: &Pond) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut range) = (Vec::new(), store::tenant_range(1));
    loop {
        let page = pond.app.store.read().scan(range.clone(), Direction::Forward, Limit::PAGE).await.unwrap();
        let Some((last, _)) = page.rows.last() else { return all };
        range.start = after(last.to_vec());
        let is_kept = |key: &[u8]| split(key).is_some_and(|(_, tag, _)| tag != LOG.tag() && tag != TASK.tag());
        let kept = page.rows.into_iter().filter(|(key, _)| is_kept(key));
        all.extend(kept.map(|(key, value)| (key.to_vec(), value.to_vec())));
        if !page.more {
            return all;
        }
    }
}

/// What can be done in feeds v3, amy does, too.
async fn plant_feeds_v3(pond: &Pond) {
    let pond = crate::v3::pond::Pond::of(pond.app.clone());
    crate::v3::pond::scene::plant(&pond, AMY).await;
    crate::v3::pond::scene::plant_more(&pond, AMY).await;
}

#[tokio::test]
async fn after_a_hard_deletion_nothing_in_the_store_names_the_user() {
    let pond = Pond::new();
    plant(&pond).await;
    let before = left_of(&pond, AMY).await;
    for (tag, name, personal, _) in TABLES.iter().filter(|(tag, ..)| rule(*tag).is_some()) {
        // What feeds hold has tests of its own.
        let is_of_feeds = matches!(personal, Personal::ByFeed | Personal::ByActivity) || name.starts_with("v3_");
        let is_said = is_of_feeds
            || [MESSAGE.tag(), CHANNEL_MESSAGE.tag(), REPLY.tag(), REACTION.tag(), DEVICE.tag()].contains(tag);
        assert!(is_said || before.contains(name), "plant something of amy in {name}");
    }
    done(&pond, hard(), false).await;
    assert!(left_of(&pond, AMY).await.is_empty(), "{:?}", left_of(&pond, AMY).await);
}

#[tokio::test]
async fn a_conversation_goes_and_another_channel_stays_with_the_heir() {
    let pond = Pond::new();
    plant(&pond).await;
    done(&pond, hard(), false).await;
    let mut tx = pond.app.snapshot();
    assert!(CHANNEL.get(&mut tx, 1, &Chat(cid("messaging:two"))).await.unwrap().is_none());
    let three = channels::load(&mut tx, &cid("messaging:three")).await.unwrap();
    assert_eq!((three.created_by, three.truncated_by), (Some(id("delete-user-x")), None));
    assert_eq!(MEMBERS.get(&mut tx, 1, &Chat(cid("messaging:three"))).await.unwrap(), 2);
    let heir = users::get(&mut tx, &id("delete-user-x")).await.unwrap().unwrap();
    assert!(heir.deleted_at.is_some(), "no query shows the heir");
    let bob = users::get(&mut tx, &id("bob")).await.unwrap().unwrap();
    assert!(bob.blocked.is_empty() && bob.ban.is_some_and(|ban| ban.by.is_none()));
}

#[tokio::test]
async fn a_worker_that_is_killed_before_each_step_leaves_the_same_as_one_that_is_not() {
    let (calm, killed) = (Pond::new(), Pond::new());
    plant(&calm).await;
    plant(&killed).await;
    let steps = done(&calm, hard(), false).await;
    assert_eq!(done(&killed, hard(), true).await, steps);
    let users_row = |rows: Vec<(Vec<u8>, Vec<u8>)>| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(users_row(rows(&calm).await), users_row(rows(&killed).await));
    assert_eq!(left_of(&killed, AMY).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_soft_deletion_keeps_everything_but_devices_and_a_pruned_user_is_a_frame() {
    let pond = Pond::new();
    plant(&pond).await;
    let leaver = Leaver { id: id(AMY), was_there: true, heir: id("delete-user-x"), hash: String::new() };
    let asked = |user| {
        Kind::DeleteUsers(Box::new(DeleteUsers {
            users: vec![leaver.clone()],
            user,
            messages: None,
            conversations: None,
            files: false,
            calls: None,
        }))
    };
    let named = User { name: Some("Amy".into()), deleted_at: Some(Pond::at(1)), ..User::new(Pond::at(0)) };
    let written = pond.app.write(async |tx| {
        users::put(tx, &id(AMY), &named);
        Ok(())
    });
    written.await.unwrap();
    let before = rows(&pond).await;
    done(&pond, asked(Mode::Soft), false).await;
    assert_eq!(rows(&pond).await, before);
    done(&pond, asked(Mode::Pruning), false).await;
    let amy = users::get(&mut pond.app.snapshot(), &id(AMY)).await.unwrap().unwrap();
    assert_eq!((amy.name, amy.is_pruned, amy.deleted_at), (None, true, Some(Pond::at(1))));
    let restored = pond.app.write(async |tx| users::standing::restore(tx, &id(AMY), Pond::at(2)).await).await;
    assert!(restored.is_err(), "what was pruned is not restored");
}

#[tokio::test]
async fn the_address_of_a_caller_goes_from_what_happened_by_the_call() {
    let pond = Pond::new();
    plant(&pond).await;
    let origin = Origin { user: Some(id(AMY)), ip: "198.51.100.4".to_owned(), ..Origin::default() };
    let app = crate::App { origin: Some(std::sync::Arc::new(origin)), ..pond.app.clone() };
    let now = pond.tick();
    // It is about a user of whom nothing is erased.
    app.write(async |tx| {
        events::record(tx, events::Event::new("user.updated", now, None).by(Some(&id("bob"))));
        Ok(())
    })
    .await
    .unwrap();
    let wanted = Wanted { user: id("nobody"), needles: vec!["198.51.100.4".to_owned()], app: None };
    let holds = async || !residue(&pond.app.store, &wanted, &mut |_| {}).await.unwrap().residue.is_empty();
    assert!(holds().await);
    done(&pond, hard(), false).await;
    assert!(!holds().await);
}
