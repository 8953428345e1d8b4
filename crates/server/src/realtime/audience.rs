//! Which members of a channel are connected: those who do not watch it hear of its messages, too.
//!
//! A small channel's members are read once, and again after a change. Of a large one only those who are connected are
//! looked for, again whenever a user comes.

use std::{collections::HashMap, sync::Arc};

use domain::{
    Tx,
    chat::events::Event,
    keyspace::{Chat, MEMBER, MEMBERSHIP},
};
use ids::{AppId, ChannelId, UserId};
use parking_lot::Mutex;
use store::{Direction, Limit};

use super::hub::{Connection, Hub};
use crate::apps::Tenant;

/// The most channels whose list is kept.
const CHANNELS_MAX: usize = 10_000;
/// The most members of a channel that is small.
const SMALL: usize = Limit::PAGE.rows;
/// Users that are asked for at once.
const USERS_AT_ONCE: usize = 256;

/// Members of a channel.
#[derive(Debug)]
struct List {
    /// Set when they are only those who were connected after so many arrivals.
    arrivals: Option<u64>,
    users: Arc<[UserId]>,
}

/// The lists of all channels.
#[derive(Debug, Default)]
pub(super) struct Audience {
    lists: Mutex<HashMap<(AppId, ChannelId), List>>,
}

impl Audience {
    /// The connections of members that do not watch `channel`.
    pub(super) async fn absent(
        &self,
        hub: &Hub,
        tenant: &Tenant,
        channel: &ChannelId,
    ) -> domain::Result<Vec<Arc<Connection>>> {
        let mut absent = Vec::new();
        for user in self.members(hub, tenant, channel).await?.iter() {
            hub.each_of(tenant.app.id, user, |connection| {
                if !connection.watches(channel) {
                    absent.push(connection.clone());
                }
            });
        }
        Ok(absent)
    }

    async fn members(&self, hub: &Hub, tenant: &Tenant, channel: &ChannelId) -> domain::Result<Arc<[UserId]>> {
        let app = tenant.app.id;
        let (arrivals, online) = hub.online(app);
        let key = (app, channel.clone());
        let is_true = |list: &&List| list.arrivals.is_none_or(|then| then == arrivals);
        if let Some(list) = self.lists.lock().get(&key).filter(is_true) {
            return Ok(list.users.clone());
        }
        let mut tx = tenant.app.snapshot();
        let list = match small(&mut tx, channel).await? {
            Some(users) => List { arrivals: None, users },
            None => List { arrivals: Some(arrivals), users: among(&mut tx, channel, &online()).await? },
        };
        let users = list.users.clone();
        let mut lists = self.lists.lock();
        if lists.len() >= CHANNELS_MAX {
            lists.clear();
        }
        lists.insert(key, list);
        Ok(users)
    }

    /// Forgets what `event` changes.
    pub(super) fn note(&self, app: AppId, event: &Event) {
        let changes = |family: &str| event.kind.starts_with(family);
        if let Some(channel) = &event.channel
            && (changes("member.") || changes("channel.") || changes("notification."))
        {
            self.lists.lock().remove(&(app, channel.clone()));
        }
        if event.kind == "user.deleted" {
            self.forget();
        }
    }

    /// Forgets everything: nobody listened for a while.
    pub(super) fn forget(&self) {
        self.lists.lock().clear();
    }
}

/// All members of a small channel; `None` for a large one.
async fn small(tx: &mut Tx, channel: &ChannelId) -> domain::Result<Option<Arc<[UserId]>>> {
    let tenant = tx.tenant();
    let range = MEMBER.prefix(tenant, &Chat(channel.clone()));
    let page = MEMBER.scan(tx, tenant, range, Direction::Forward, Limit::rows(SMALL)).await?;
    let users = page.rows.iter().filter_map(|((_, user), _)| UserId::parse(user).ok());
    Ok((!page.more).then(|| users.collect()))
}

/// Those of `users` who are members.
async fn among(tx: &mut Tx, channel: &ChannelId, users: &[UserId]) -> domain::Result<Arc<[UserId]>> {
    let tenant = tx.tenant();
    let mut members = Vec::new();
    for some in users.chunks(USERS_AT_ONCE) {
        let keys: Vec<_> = some.iter().map(|user| (user.to_string(), Chat(channel.clone()))).collect();
        let found = MEMBERSHIP.get_many(tx, tenant, &keys).await?;
        members.extend(some.iter().zip(found).filter(|(_, found)| found.is_some()).map(|(user, _)| user.clone()));
    }
    Ok(members.into())
}
