//! A channel as filters see it: of what it takes more than its row to know, only what the query asks about is read.

use std::borrow::Cow;

use ids::{ChannelId, Timestamp, UserId, json::Object};

use super::{Channel, are_hidden, is_blocked, mutes, query::Asker};
use crate::{
    Result, Tx,
    chat::{
        members::{self, Invite, Member},
        permissions::Who,
        reads::{self, Reader},
        types,
    },
    filter::{Filter, Row, Sort, Value, custom},
    keyspace::{CHANNEL, Chat, MEMBER, MEMBERS},
    users::{self, User},
};

/// The most members of a channel whose names are looked at.
const NAMES_MAX: usize = 100;

/// What a query asks about.
pub(super) struct Needs {
    own: bool,
    mute: bool,
    unread: bool,
    count: bool,
    last: bool,
    names: bool,
    bans: bool,
    /// Users of whom it must be known whether they are members.
    members: Vec<UserId>,
}

impl Needs {
    pub(super) fn of(filter: &Filter, sort: &Sort, asker: Asker<'_>, members: Vec<UserId>) -> Self {
        let asks = |fields: &[&str]| {
            let sorts = |field: &str| sort.0.iter().any(|key| key.field == field);
            fields.iter().any(|field| filter.mentions(field) || sorts(field))
        };
        let unread = asks(&["has_unread", "unread_count"]);
        let own = asks(&["joined", "pinned", "pinned_at", "archived", "archived_at", "invite"]);
        let bans = asks(&["app_banned"]);
        Needs {
            own: own || unread || !matches!(asker.who, Who::Server),
            mute: unread || asks(&["muted"]),
            count: bans || !members.is_empty() || asks(&["member_count"]),
            last: asks(&["last_message_at", "last_updated"]),
            names: asks(&["member.user.name"]),
            unread,
            bans,
            members,
        }
    }
}

/// A channel that may be wanted.
pub(super) struct Candidate {
    pub(super) id: ChannelId,
    pub(super) channel: Channel,
    pub(super) own: Option<Member>,
    pub(super) is_hidden: bool,
    pub(super) is_blocked: bool,
    custom: Object,
    is_muted: bool,
    has_banned: bool,
    unread: usize,
    count: i64,
    last_message_at: Option<Timestamp>,
    members: Vec<UserId>,
    names: Vec<String>,
}

impl Row for Candidate {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.id.as_str())
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Candidate { id, channel, own, .. } = self;
        let own = own.as_ref();
        match field {
            "cid" => Value::text(id.as_str()),
            "id" => Value::text(id.id()),
            "type" => Value::text(id.kind()),
            "team" => Value::maybe_text(Some(channel.team.as_str()).filter(|team| !team.is_empty())),
            "frozen" => Value::Bool(channel.is_frozen),
            "disabled" => Value::Bool(channel.is_disabled),
            "created_by_id" => Value::maybe_text(channel.created_by.as_ref().map(UserId::as_str)),
            "created_at" => Value::Time(channel.created_at),
            "updated_at" => Value::Time(channel.updated_at),
            "last_message_at" => Value::maybe_time(self.last_message_at),
            "last_updated" => Value::Time(self.last_message_at.unwrap_or(channel.created_at).max(channel.created_at)),
            "member_count" => Value::Integer(self.count),
            "members" => self.members(),
            "member.user.name" => Value::texts(&self.names),
            "filter_tags" => Value::texts(&channel.filter_tags),
            "joined" => Value::Bool(own.is_some()),
            "muted" => Value::Bool(self.is_muted),
            "hidden" => Value::Bool(self.is_hidden || self.is_blocked),
            "blocked" => Value::Bool(self.is_blocked),
            "pinned" => Value::Bool(own.is_some_and(|own| own.pinned_at.is_some())),
            "pinned_at" => Value::maybe_time(own.and_then(|own| own.pinned_at)),
            "archived" => Value::Bool(own.is_some_and(|own| own.archived_at.is_some())),
            "archived_at" => Value::maybe_time(own.and_then(|own| own.archived_at)),
            "invite" => Value::maybe_text(own.and_then(|own| own.invite).map(|invite| match invite {
                Invite::Pending => "pending",
                Invite::Accepted(_) => "accepted",
                Invite::Rejected(_) => "rejected",
            })),
            "has_unread" => Value::Bool(self.unread > 0),
            "unread_count" => Value::Integer(i64::try_from(self.unread).unwrap_or(i64::MAX)),
            "app_banned" => Value::text(if self.has_banned { "only" } else { "excluded" }),
            _ => custom(&self.custom, field),
        }
    }
}

impl Candidate {
    /// Those members whom the filter names, and nothing for each of the others.
    fn members(&self) -> Value<'_> {
        let named = self.members.iter().map(|user| Value::text(user.as_str()));
        let has_others = usize::try_from(self.count).is_ok_and(|count| count > self.members.len());
        Value::List(named.chain(has_others.then_some(Value::Null)).collect())
    }
}

/// Those of `ids` that are there.
pub(super) async fn load(
    tx: &mut Tx,
    ids: &[ChannelId],
    needs: &Needs,
    asker: Asker<'_>,
    viewer: Option<&User>,
) -> Result<Vec<Candidate>> {
    let tenant = tx.tenant();
    let chats: Vec<_> = ids.iter().cloned().map(Chat).collect();
    let rows = CHANNEL.get_many(tx, tenant, &chats).await?;
    let there = ids.iter().zip(rows).filter_map(|(id, row)| Some((id, row.filter(|row| row.deleted_at.is_none())?)));
    let mut found: Vec<Candidate> = there.map(|(id, channel)| fresh(id, channel)).collect();
    if let Some(user) = asker.viewer {
        own(tx, &mut found, needs, user, asker.now).await?;
        block(tx, &mut found, viewer).await?;
    }
    if needs.count {
        count(tx, &mut found).await?;
    }
    if needs.last {
        for candidate in &mut found {
            candidate.last_message_at = reads::last_message_at(&tx.app, &candidate.id, &candidate.channel).await?;
        }
    }
    belong(tx, &mut found, &needs.members).await?;
    if needs.names || needs.bans {
        for candidate in &mut found {
            look_at_members(tx, candidate, asker.now).await?;
        }
    }
    Ok(found)
}

fn fresh(id: &ChannelId, channel: Channel) -> Candidate {
    Candidate {
        id: id.clone(),
        custom: channel.custom(),
        channel,
        own: None,
        is_hidden: false,
        is_blocked: false,
        is_muted: false,
        has_banned: false,
        unread: 0,
        count: 0,
        last_message_at: None,
        members: Vec::new(),
        names: Vec::new(),
    }
}

/// How the viewer sees each channel.
async fn own(tx: &mut Tx, found: &mut [Candidate], needs: &Needs, user: &UserId, now: Timestamp) -> Result<()> {
    let ids: Vec<ChannelId> = found.iter().map(|candidate| candidate.id.clone()).collect();
    for (candidate, is_hidden) in found.iter_mut().zip(are_hidden(tx, &ids, user).await?) {
        candidate.is_hidden = is_hidden;
    }
    if needs.own {
        let (tenant, key) = (tx.tenant(), |id: &ChannelId| (Chat(id.clone()), user.to_string()));
        let rows = MEMBER.get_many(tx, tenant, &ids.iter().map(key).collect::<Vec<_>>()).await?;
        found.iter_mut().zip(rows).for_each(|(candidate, member)| candidate.own = member);
    }
    if needs.mute {
        let mutes = mutes(tx, user, &ids, now).await?;
        found.iter_mut().zip(mutes).for_each(|(candidate, mute)| candidate.is_muted = mute.is_some());
    }
    if needs.unread {
        for candidate in found.iter_mut().filter(|candidate| !candidate.is_muted) {
            candidate.unread = unread(tx, candidate, user).await?;
        }
    }
    Ok(())
}

async fn unread(tx: &mut Tx, candidate: &Candidate, user: &UserId) -> Result<usize> {
    let Candidate { id, channel, own: Some(member), .. } = candidate else { return Ok(0) };
    let marks = reads::get_many(tx, id, std::slice::from_ref(user)).await?;
    let (Some(Some(read)), Some(kind)) = (marks.first(), types::get(tx, id.kind()).await?) else { return Ok(0) };
    match types::config(&kind, channel).read_events {
        true => reads::unread(&tx.app, id, channel, Reader { user, member, read }).await,
        false => Ok(0),
    }
}

/// A channel of two is blocked when the viewer blocks the other (chat §12.18).
async fn block(tx: &mut Tx, found: &mut [Candidate], viewer: Option<&User>) -> Result<()> {
    if let Some(user) = viewer {
        for candidate in found {
            candidate.is_blocked = is_blocked(tx, &candidate.id, user).await?;
        }
    }
    Ok(())
}

async fn count(tx: &mut Tx, found: &mut [Candidate]) -> Result<()> {
    let tenant = tx.tenant();
    let keys: Vec<_> = found.iter().map(|candidate| Chat(candidate.id.clone())).collect();
    let counts = MEMBERS.get_many(tx, tenant, &keys).await?;
    found.iter_mut().zip(counts).for_each(|(candidate, count)| candidate.count = count);
    Ok(())
}

/// Which of `users` are members of each.
async fn belong(tx: &mut Tx, found: &mut [Candidate], users: &[UserId]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    for candidate in found {
        let members = members::get_many(tx, &candidate.id, users).await?;
        let there = users.iter().zip(members).filter(|(_, member)| member.is_some());
        candidate.members = there.map(|(user, _)| user.clone()).collect();
    }
    Ok(())
}

async fn look_at_members(tx: &mut Tx, candidate: &mut Candidate, now: Timestamp) -> Result<()> {
    let ids: Vec<UserId> =
        members::list(tx, &candidate.id, NAMES_MAX, 0).await?.into_iter().map(|(user, _)| user).collect();
    let known: Vec<User> = users::get_many(tx, &ids).await?.into_iter().flatten().collect();
    let is_banned = |user: &User| user.ban.as_ref().is_some_and(|ban| ban.holds(now) && !ban.is_shadow);
    candidate.has_banned = ids.len() == 2 && known.iter().any(is_banned);
    candidate.names = known.into_iter().filter_map(|user| user.name).collect();
    Ok(())
}
