//! Unread counts, the list of channels and its order, compared with a model that really copies and counts.

use std::collections::{BTreeMap, BTreeSet};

use ids::{ChannelId, MessageId, Timestamp, UserId};
use proptest::prelude::*;

use super::{From, last_message_at, mark_read, mark_unread, total};
use crate::{
    Tx,
    chat::{
        channels::{self, Asker, Query},
        members::{self, Newcomer, Terms},
        messages::{self, Draft},
        permissions::Who,
        pond::{Pond, message, user},
    },
    filter::{Filter, Sort},
    keyspace::{CHANNEL_MESSAGE, Chat, LOG, READ},
};

const USERS: [&str; 3] = ["amy", "bob", "cat"];
const CHANNELS: [&str; 3] = ["test:one", "test:two", "test:three"];

fn cid(at: usize) -> ChannelId {
    ChannelId::parse(CHANNELS[at]).unwrap()
}

/// What one of the users does in one of the channels.
#[derive(Clone, Debug)]
enum Step {
    Say { is_silent: bool },
    Read,
    ReadTo(usize),
    UnreadFrom(usize),
    Delete(usize),
    Truncate,
    Hide,
    Leave,
    Join,
    Mute,
    Unmute,
}

fn step() -> impl Strategy<Value = (usize, usize, Step)> {
    let what = prop_oneof![
        6 => any::<bool>().prop_map(|silent| Step::Say { is_silent: silent }),
        2 => Just(Step::Say { is_silent: false }),
        2 => Just(Step::Read),
        1 => (0_usize..20).prop_map(Step::ReadTo),
        1 => (0_usize..20).prop_map(Step::UnreadFrom),
        1 => (0_usize..20).prop_map(Step::Delete),
        1 => Just(Step::Truncate),
        1 => Just(Step::Hide),
        1 => Just(Step::Leave),
        2 => Just(Step::Join),
        1 => Just(Step::Mute),
        1 => Just(Step::Unmute),
    ];
    (0..USERS.len(), 0..CHANNELS.len(), what)
}

/// A message as the model keeps it.
#[derive(Clone, Debug)]
struct Said {
    id: MessageId,
    at: Timestamp,
    author: usize,
    is_silent: bool,
    is_deleted: bool,
}

/// Each member's own copy of what it has not read.
#[derive(Default, Debug)]
struct Model {
    said: [Vec<Said>; 3],
    /// Channel → member → copies.
    inboxes: [BTreeMap<usize, BTreeSet<MessageId>>; 3],
    hidden: BTreeSet<(usize, usize)>,
    muted: BTreeSet<(usize, usize)>,
    created: [Option<Timestamp>; 3],
}

impl Model {
    fn unread(&self, who: usize) -> BTreeMap<String, usize> {
        let mut unread = BTreeMap::new();
        for (at, inboxes) in self.inboxes.iter().enumerate() {
            let count = inboxes.get(&who).map_or(0, BTreeSet::len);
            if count > 0 && !self.muted.contains(&(who, at)) {
                unread.insert(CHANNELS[at].to_owned(), count);
            }
        }
        unread
    }

    fn last(&self, at: usize) -> Option<Timestamp> {
        self.said[at].iter().filter(|said| !said.is_deleted).map(|said| said.at).max()
    }

    fn list(&self, who: usize) -> Vec<String> {
        let is_shown = |at: &usize| self.inboxes[*at].contains_key(&who) && !self.hidden.contains(&(who, *at));
        let mut shown: Vec<usize> = (0..CHANNELS.len()).filter(is_shown).collect();
        shown.sort_by_key(|at| {
            std::cmp::Reverse((self.last(*at).max(self.created[*at]), std::cmp::Reverse(CHANNELS[*at])))
        });
        shown.into_iter().map(|at| CHANNELS[at].to_owned()).collect()
    }

    /// What this member would count from the message at `from` on.
    fn counted(&self, at: usize, who: usize, from: usize) -> BTreeSet<MessageId> {
        let counts = |said: &&Said| said.author != who && !said.is_silent && !said.is_deleted;
        self.said[at].iter().skip(from).filter(counts).map(|said| said.id.clone()).collect()
    }
}

async fn make(pond: &Pond, model: &mut Model) {
    for at in 0..CHANNELS.len() {
        let (id, now) = (cid(at), pond.tick());
        let draft = channels::Draft {
            created_by: Some(user("amy")),
            members: vec![Newcomer::plain(user("amy")), Newcomer::plain(user("bob"))],
            makes_users: true,
            ..channels::Draft::default()
        };
        pond.write(async |tx| channels::get_or_create(tx, &id, &draft, now).await).await;
        model.created[at] = Some(now);
        model.inboxes[at] = BTreeMap::from([(0, BTreeSet::new()), (1, BTreeSet::new())]);
    }
}

async fn run(pond: &Pond, model: &mut Model, serial: usize, (who, at, step): &(usize, usize, Step)) {
    let (who, at, now) = (*who, *at, pond.tick());
    let (id, actor) = (cid(at), user(USERS[who]));
    let is_member = model.inboxes[at].contains_key(&who);
    let count = model.said[at].len();
    match step {
        Step::Say { is_silent } => say(pond, model, (who, at, now), serial, *is_silent).await,
        Step::Read if is_member => {
            pond.write(async |tx| mark_read(tx, &id, &actor, None, now).await).await;
            model.inboxes[at].insert(who, BTreeSet::new());
        }
        Step::ReadTo(n) if is_member && count > 0 => {
            let to = n % count;
            let message = model.said[at][to].id.clone();
            pond.write(async |tx| mark_read(tx, &id, &actor, Some(&message), now).await).await;
            let counted = model.counted(at, who, to + 1);
            model.inboxes[at].insert(who, counted);
        }
        Step::UnreadFrom(n) if is_member && count > 0 => {
            let from = n % count;
            let message = From::Message(model.said[at][from].id.clone());
            pond.write(async |tx| mark_unread(tx, &id, &actor, &message, now).await).await;
            let counted = model.counted(at, who, from);
            model.inboxes[at].insert(who, counted);
        }
        Step::Delete(n) if count > 0 => {
            let said = &mut model.said[at][n % count];
            if !said.is_deleted {
                said.is_deleted = true;
                let message = said.id.clone();
                pond.write(async |tx| messages::delete(tx, None, &message, None, now).await).await;
                for inbox in model.inboxes[at].values_mut() {
                    inbox.remove(&message);
                }
            }
        }
        Step::Truncate => {
            pond.write(async |tx| channels::truncate(tx, &id, now, Some(&actor), now).await).await;
            model.said[at].clear();
            model.inboxes[at].values_mut().for_each(BTreeSet::clear);
        }
        Step::Hide if is_member => {
            pond.write(async |tx| channels::hide(tx, &id, &actor, false, now).await).await;
            model.hidden.insert((who, at));
        }
        Step::Leave if is_member => {
            let users = [actor];
            pond.write(async |tx| members::remove(tx, &id, &users, None, now).await).await;
            model.inboxes[at].remove(&who);
            model.hidden.remove(&(who, at));
        }
        Step::Join if !is_member => {
            let (newcomers, terms) = ([Newcomer::plain(actor)], Terms::default());
            pond.write(async |tx| members::add(tx, &id, &newcomers, &terms, None, now).await).await;
            model.inboxes[at].insert(who, BTreeSet::new());
        }
        Step::Mute => {
            pond.write(async |tx| channels::mute(tx, &actor, &id, None, now).await).await;
            model.muted.insert((who, at));
        }
        Step::Unmute => {
            pond.write(async |tx| channels::unmute(tx, &actor, &id, now).await).await;
            model.muted.remove(&(who, at));
        }
        _ => {}
    }
}

async fn say(pond: &Pond, model: &mut Model, place: (usize, usize, Timestamp), serial: usize, is_silent: bool) {
    let (who, at, now) = place;
    let (id, said) = (cid(at), message(&format!("m{serial}")));
    let draft = Draft { is_silent, ..Draft::text(Some(user(USERS[who])), "hi") };
    pond.write(async |tx| messages::send(tx, None, &id, &said, &draft, now).await).await;
    for (member, inbox) in &mut model.inboxes[at] {
        if *member == who {
            inbox.clear();
        } else if !is_silent {
            inbox.insert(said.clone());
        }
    }
    model.said[at].push(Said { id: said, at: now, author: who, is_silent, is_deleted: false });
    // Who muted the channel does not see it again.
    let muted = &model.muted;
    model.hidden.retain(|(user, hidden)| *hidden != at || muted.contains(&(*user, at)));
}

async fn unread(pond: &Pond, who: usize) -> BTreeMap<String, usize> {
    let totals = total(&pond.app, &user(USERS[who]), pond.tick()).await.unwrap();
    totals.into_iter().map(|total| (total.channel.to_string(), total.unread)).collect()
}

async fn list(pond: &Pond, who: usize) -> Vec<String> {
    let viewer = user(USERS[who]);
    let filter = format!(r#"{{"members":{{"$in":["{viewer}"]}},"cid":{{"$ne":"test:general"}}}}"#);
    let query = Query {
        filter: Filter::parse(&filter, channels::SCHEMA).unwrap(),
        sort: Sort::default(),
        limit: 30,
        offset: 0,
    };
    let asker = Asker { who: Who::Server, viewer: Some(&viewer), now: pond.tick() };
    let found = channels::query(&mut pond.app.snapshot(), &query, asker).await.unwrap();
    found.iter().map(ChannelId::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn what_is_unread_and_how_channels_are_listed_is_what_copying_would_show(steps in prop::collection::vec(step(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (pond, mut model) = (Pond::new().await, Model::default());
            make(&pond, &mut model).await;
            for (serial, step) in steps.iter().enumerate() {
                run(&pond, &mut model, serial, step).await;
                for (who, name) in USERS.into_iter().enumerate() {
                    prop_assert_eq!(unread(&pond, who).await, model.unread(who), "{} after {:?}", name, step);
                    prop_assert_eq!(list(&pond, who).await, model.list(who), "{} after {:?}", name, step);
                }
                for at in 0..CHANNELS.len() {
                    let mut tx = pond.app.snapshot();
                    let channel = channels::load(&mut tx, &cid(at)).await.unwrap();
                    prop_assert_eq!(last_message_at(&pond.app, &cid(at), &channel).await.unwrap(), model.last(at));
                }
            }
            Ok(())
        })?;
    }
}

/// How many rows there are in the tables that a message could be copied into.
async fn rows(tx: &mut Tx, channel: &ChannelId) -> [usize; 3] {
    let tenant = tx.tenant();
    let (forward, limit) = (store::Direction::Forward, store::Limit::rows(256));
    let chat = Chat(channel.clone());
    let marks = READ.scan(tx, tenant, READ.prefix(tenant, &chat), forward, limit).await.unwrap().rows;
    let moved = marks.iter().filter(|(_, mark)| mark.value.last_read_message.is_some()).count();
    let messages =
        CHANNEL_MESSAGE.scan(tx, tenant, CHANNEL_MESSAGE.prefix(tenant, &chat), forward, limit).await.unwrap().rows;
    let events = LOG.scan(tx, tenant, store::Stamp::default(), limit).await.unwrap().rows;
    [moved, messages.len(), events.len()]
}

#[tokio::test]
async fn a_message_costs_the_same_rows_whatever_the_number_of_members() {
    let mut costs = Vec::new();
    for size in [2_usize, 60] {
        let pond = Pond::new().await;
        let (id, now) = (cid(0), pond.tick());
        let members = (0..size).map(|at| Newcomer::plain(user(&format!("user{at}")))).collect();
        let draft = channels::Draft {
            created_by: Some(user("user0")),
            members,
            makes_users: true,
            ..channels::Draft::default()
        };
        pond.write(async |tx| channels::get_or_create(tx, &id, &draft, now).await).await;
        let before = rows(&mut pond.app.snapshot(), &id).await;
        let (said, draft, now) = (message("m"), Draft::text(Some(user("user0")), "hi"), pond.tick());
        pond.write(async |tx| messages::send(tx, None, &id, &said, &draft, now).await).await;
        let after = rows(&mut pond.app.snapshot(), &id).await;
        costs.push([after[0] - before[0], after[1] - before[1], after[2] - before[2]]);
        let unread = total(&pond.app, &UserId::parse("user1").unwrap(), now).await.unwrap();
        assert_eq!(unread[0].unread, 1);
    }
    assert_eq!(costs, [[1, 1, 1], [1, 1, 1]]);
}
