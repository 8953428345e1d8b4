//! What a moderator decides about an item of the review queue, and what comes of it (v2 §6.5).
//!
//! Content is deleted and brought back by the code of the ordinary calls. What is too much for one transaction (deleting
//! for good, deleting users) the caller does before it closes the item.

use ids::{ChannelId, MessageId, Timestamp, UserId};

use super::{
    actions::Action,
    bans::{self, Scope},
    flags::{self, Entity, MESSAGE, Report},
    news,
    review::{self, Escalation, Item},
};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        messages,
    },
    feeds::reactions,
    tasks::{self, DeleteMessages, Kind, Mode},
    users::{self, Ban, User},
    v3::{activities, made},
};

/// What is done about an item when somebody looked at it and left things as they are.
pub(super) const MARK_REVIEWED: &str = "mark_reviewed";
/// The kind of activities of feeds v3.
pub const ACTIVITY: &str = "stream:feeds:v3:activity";
/// The kind of comments of feeds v3.
pub const COMMENT: &str = "stream:feeds:v3:comment";
/// The kind of reactions of feeds v1.0.
pub const REACTION: &str = "stream:feeds:v2:reaction";
/// The most items that are closed beside the one at hand.
pub const ALSO_REVIEWED_MAX: usize = 100;

/// What this server stores itself and can take away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A message of chat.
    Message(MessageId),
    /// An activity of feeds v3.
    Activity(String),
    /// A comment of feeds v3.
    Comment(String),
    /// A reaction of feeds v1.0.
    Reaction(String),
}

impl Thing {
    /// The thing that `entity` is.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is of the application's own.
    pub fn of(entity: &Entity) -> Result<Self> {
        match entity.kind.as_str() {
            MESSAGE => {
                let id = MessageId::parse(&entity.id).map_err(|error| Error::Unfit(format!("entity_id: {error}")))?;
                Ok(Thing::Message(id))
            }
            ACTIVITY => Ok(Thing::Activity(entity.id.clone())),
            COMMENT => Ok(Thing::Comment(entity.id.clone())),
            REACTION => Ok(Thing::Reaction(entity.id.clone())),
            other => Err(Error::Unfit(format!("entity_type: what is of type {other} is stored by the application"))),
        }
    }

    /// Deletes it softly.
    async fn delete(&self, tx: &mut Tx, by: Option<&UserId>, now: Timestamp) -> Result<()> {
        match self {
            Thing::Message(id) => messages::delete(tx, None, id, by, now).await.map(drop),
            Thing::Activity(id) => activities::delete(tx, None, id, false, now).await.map(drop),
            Thing::Comment(id) => made::delete_comment(tx, None, id, false, now).await.map(drop),
            Thing::Reaction(id) => reactions::remove(tx, id, true, None, now).await.map(drop),
        }
    }

    /// Brings it back.
    async fn restore(&self, tx: &mut Tx, by: Option<&UserId>, now: Timestamp) -> Result<()> {
        match self {
            Thing::Message(id) => {
                let by = by.ok_or_else(|| Error::Unfit("user_id is a required field".to_owned()))?;
                messages::undelete(tx, id, by, now).await.map(drop)
            }
            Thing::Activity(id) => activities::restore(tx, None, id, now).await.map(drop),
            Thing::Comment(id) => made::restore_comment(tx, None, id, now).await.map(drop),
            Thing::Reaction(id) => reactions::restore(tx, id, None, now).await.map(drop),
        }
    }
}

/// What is decided.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Somebody looked at it; up to so many more open items of the same user are closed with it.
    Reviewed(usize),
    /// The application does something of its own, which its hooks are told: its id and options, a JSON object.
    Custom(String, String),
    /// Bans a user, the item's own if absent.
    Ban {
        /// Whom.
        user: Option<UserId>,
        /// From where.
        scope: Scope,
        /// Whether the banned do not notice.
        is_shadow: bool,
        /// Until when.
        expires: Option<Timestamp>,
        /// Whether what the user said there goes, too.
        deletes: Option<Mode>,
    },
    /// Ends a ban.
    Unban {
        /// Whose.
        user: Option<UserId>,
        /// From where.
        scope: Scope,
    },
    /// Deletes the content softly.
    Delete,
    /// Deletes all that the item's user said: everywhere, or in one channel.
    DeleteMessages(Mode, Option<ChannelId>),
    /// Brings the content back.
    Restore,
    /// Takes the content away.
    Block,
    /// Shows the content to its author alone.
    ShadowBlock,
    /// Shows content again that was taken away.
    Unblock,
    /// Hands the item on; it stays open.
    Escalate(Escalation),
    /// Takes that back; the item stays open.
    DeEscalate,
    /// Reports the content once more; the item stays open.
    Flag(Box<Report>),
    /// Lets moderation look away from the item's user, or no longer.
    Bypass(bool),
}

/// What a decision is about.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The content.
    pub entity: Option<Entity>,
    /// Whose it is.
    pub creator: Option<UserId>,
}

impl Decision {
    /// Whether the item is open afterwards.
    pub fn leaves_open(&self) -> bool {
        matches!(self, Decision::Escalate(_) | Decision::DeEscalate | Decision::Flag(_))
    }

    /// Does what was decided. `ids` are for what comes of it: a note or an item, and a task.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the subject is not of a kind that this can be done to, and whatever the ordinary calls refuse.
    pub async fn run(&self, tx: &mut Tx, subject: &Subject, action: &Action, ids: &[String; 2]) -> Result<()> {
        let (by, now) = (action.user.as_ref(), action.at);
        let no = |what: &str| Error::Unfit(format!("{}: the item has no {what}", action.kind));
        let user = |named: &Option<UserId>| named.clone().or(subject.creator.clone()).ok_or_else(|| no("user"));
        let content = || Thing::of(subject.entity.as_ref().ok_or_else(|| no("content"))?);
        match self {
            Decision::Reviewed(_) | Decision::Escalate(_) | Decision::DeEscalate => Ok(()),
            Decision::Custom(..) => Ok(()),
            Decision::Ban { user: named, scope, is_shadow, expires, deletes } => {
                let user = user(named)?;
                let reason = action.reason.clone();
                let (expires, is_shadow, address) = (*expires, *is_shadow, String::new());
                let ban = Ban { by: by.cloned(), reason, expires, is_shadow, created_at: now, address };
                bans::add(tx, &user, scope, &ban, &ids[0]).await?;
                if let Some(mode) = deletes {
                    plan_deletion(tx, &ids[1], (&user, scope.channel.as_ref()), *mode, now);
                }
                Ok(())
            }
            Decision::Unban { user: named, scope } => bans::remove(tx, &user(named)?, scope, by, &ids[0], now).await,
            Decision::Delete | Decision::Block => content()?.delete(tx, by, now).await,
            Decision::DeleteMessages(mode, channel) => {
                let user = user(&None)?;
                users::load(tx, &user).await?;
                plan_deletion(tx, &ids[1], (&user, channel.as_ref()), *mode, now);
                Ok(())
            }
            Decision::Restore => content()?.restore(tx, by, now).await,
            Decision::ShadowBlock => match content()? {
                Thing::Message(id) => messages::shadow(tx, &id, true, now).await.map(drop),
                _ => Err(Error::Unfit("shadow_block: only messages are shown to their authors alone".to_owned())),
            },
            Decision::Unblock => unblock(tx, &content()?, by, now).await,
            Decision::Flag(report) => {
                let entity = subject.entity.as_ref().ok_or_else(|| no("content"))?;
                let by = by.ok_or_else(|| Error::Unfit("user_id is a required field".to_owned()))?;
                flags::add(tx, by, entity, report, &ids[0], now).await.map(drop)
            }
            Decision::Bypass(is_on) => {
                let id = user(&None)?;
                let user = users::load(tx, &id).await?;
                users::put(tx, &id, &User { bypasses_moderation: *is_on, ..user });
                Ok(())
            }
        }
    }

    /// Notes the decision in the item `id`, which it closes but for those that [leave it open](Decision::leaves_open).
    ///
    /// # Errors
    /// [`Error::Absent`] when there is no such item.
    pub async fn settle(&self, tx: &mut Tx, id: &str, action: &Action, note: &str) -> Result<Item> {
        let now = action.at;
        if !self.leaves_open() {
            let item = review::close(tx, id, action, note).await?;
            news::changed(tx, id, Some((note, action)), now);
            match self {
                Decision::Reviewed(also) => {
                    if action.kind == MARK_REVIEWED {
                        news::reviewed(tx, id, (note, action), item.entity.message().is_some());
                    }
                    close_others(tx, &item, *also, action).await?;
                }
                Decision::Custom(name, options) => news::custom(tx, id, (note, action), (name, options)),
                _ => {}
            }
            return Ok(item);
        }
        review::note(tx, id, action, note).await?;
        news::changed(tx, id, Some((note, action)), now);
        review::change(tx, id, |item| {
            item.updated_at = now;
            item.action = action.kind.clone();
            match self {
                Decision::Escalate(escalation) => item.escalation = Some(escalation.clone()),
                Decision::DeEscalate => item.escalation = None,
                _ => {}
            }
        })
        .await
    }
}

/// Plans a task that deletes what `user` said.
pub fn plan_deletion(
    tx: &mut Tx,
    task: &str,
    (user, channel): (&UserId, Option<&ChannelId>),
    mode: Mode,
    now: Timestamp,
) {
    let asked = DeleteMessages { user: user.clone(), channel: channel.cloned(), mode };
    tasks::plan(tx, task, Kind::DeleteMessages(Box::new(asked)), now);
}

/// Content that only its author sees is shown; what was deleted comes back.
async fn unblock(tx: &mut Tx, thing: &Thing, by: Option<&UserId>, now: Timestamp) -> Result<()> {
    let Thing::Message(id) = thing else { return thing.restore(tx, by, now).await };
    let message = messages::load(tx, id).await?;
    let shown = match message.deleted_at {
        Some(_) => {
            thing.restore(tx, by, now).await?;
            messages::load(tx, id).await?
        }
        None => messages::shadow(tx, id, false, now).await?,
    };
    let event = Event::new("message.unblocked", now, Some(&shown.channel)).by(by).about(id, &shown);
    events::record(tx, event);
    Ok(())
}

/// Closes more open items of whose `item` is, at most so many.
async fn close_others(tx: &mut Tx, item: &Item, most: usize, action: &Action) -> Result<()> {
    let Some(creator) = item.creator.as_ref().filter(|_| most > 0) else { return Ok(()) };
    for id in review::open_of(tx, creator, most.min(ALSO_REVIEWED_MAX)).await? {
        review::change(tx, &id, |item| {
            item.reviewed_at = Some(action.at);
            item.reviewed_by = action.user.clone();
            item.updated_at = action.at;
            item.action = action.kind.clone();
        })
        .await?;
        news::changed(tx, &id, None, action.at);
    }
    Ok(())
}
