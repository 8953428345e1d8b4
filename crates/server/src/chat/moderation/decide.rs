//! `POST /moderation/submit_action`: what a moderator decides about an item of the review queue (v2 §6.5).

use std::{collections::BTreeSet, iter};

use domain::{
    Tx,
    chat::messages,
    moderation::{
        actions::Action,
        appeals::{self, Status},
        bans::Scope,
        decisions::{Decision, Subject, Thing},
        flags::{Entity, Report},
        review::{self, Escalation},
    },
    tasks::Mode,
    v3::{activities, made},
};
use ids::UserId;
use wire::chat::moderation::Decided;

use super::{expires, reason, refuse, review::one_item};
use crate::{
    chat::{
        erasure::{Modes, start_deletion},
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The longest words of an escalation, in bytes.
const NOTES_BYTES_MAX: usize = 1024;

/// Something that is done about an item.
pub(super) struct Asked {
    /// What, by the API's name.
    pub(super) kind: String,
    /// The item.
    pub(super) item: Option<String>,
    /// The appeal that it answers.
    pub(super) appeal: Option<String>,
    /// The content, where no item says.
    pub(super) entity: Option<Entity>,
    /// Who decides.
    pub(super) by: Option<UserId>,
    /// Why.
    pub(super) reason: String,
    /// What is to be done.
    pub(super) plan: Plan,
}

/// What is to be done.
pub(super) enum Plan {
    /// Something that fits into one transaction.
    Decide(Decision),
    /// Deletes the content for good.
    DeleteForGood,
    /// Deletes the item's user.
    DeleteUser(Modes),
    /// Leaves what was decided as it is.
    RejectAppeal,
}

/// `POST /moderation/submit_action`.
pub(crate) async fn submit(call: Call, mut sent: Fields) -> Result<Reply> {
    let kind = sent.filled("action_type")?.ok_or_else(|| Error::field("action_type", "is a required field"))?;
    let (item, appeal) = (sent.filled("item_id")?, sent.filled("appeal_id")?);
    let by = call.actor(&mut sent)?;
    let payload = match sent.object(&kind)? {
        Some(payload) => payload,
        None => Fields::parse("{}", call.dialect)?,
    };
    let asked = Asked { item, appeal, ..ask(&call, kind, by, payload)? };
    let done = run(&call, &asked).await?;
    let item = match &done {
        Some(id) => Some(one_item(&call, id).await?),
        None => None,
    };
    let shown_appeal = match &asked.appeal {
        Some(id) => Some(super::appeals::look(&call, id).await?),
        None => None,
    };
    call.answer(&Decided {
        item: item.as_ref().map(|(cast, shown)| shown.item(cast)),
        appeal_item: shown_appeal.as_ref().map(|(cast, submitted)| super::appeals::shown(cast, submitted)),
    })
}

/// Reads what is asked for.
pub(super) fn ask(call: &Call, kind: String, by: Option<UserId>, mut payload: Fields) -> Result<Asked> {
    let entity = match (payload.filled("entity_type")?, payload.filled("entity_id")?) {
        (Some(kind), Some(id)) => Some(Entity::new(&kind, &id)?),
        _ => None,
    };
    let decision = payload.text("decision_reason")?;
    let words = match decision.filter(|words| !words.is_empty()) {
        Some(words) => words,
        None => reason(&mut payload)?,
    };
    let plan = plan(call, &kind, by.as_ref(), &words, &mut payload)?;
    Ok(Asked { kind, item: None, appeal: None, entity, by, reason: words, plan })
}

/// Does it; answers the item that it is about.
pub(super) async fn run(call: &Call, asked: &Asked) -> Result<Option<String>> {
    let mut tx = call.snapshot();
    let appeal = match &asked.appeal {
        Some(id) => Some(appeals::load(&mut tx, id).await?),
        None => None,
    };
    let id = asked.item.clone().or(appeal.as_ref().and_then(|appeal| appeal.item.clone()));
    let item = match &id {
        Some(id) => Some(review::load(&mut tx, id).await?),
        None => None,
    };
    let entity = asked.entity.clone().or(item.as_ref().map(|item| item.entity.clone()));
    let entity = entity.or(appeal.as_ref().map(|appeal| appeal.entity.clone()));
    let creator = item.and_then(|item| item.creator).or(appeal.map(|appeal| appeal.user));
    let subject = Subject { creator: creator.or(entity.as_ref().and_then(Entity::user)), entity };
    let names_user =
        matches!(asked.plan, Plan::Decide(Decision::Ban { user: Some(_), .. } | Decision::Unban { user: Some(_), .. }));
    if id.is_none() && subject.entity.is_none() && !names_user {
        return Err(Error::field("item_id", "is a required field"));
    }
    let now = match &asked.plan {
        // A task that is planned for later than now waits until then.
        Plan::Decide(Decision::Ban { .. } | Decision::DeleteMessages(..)) => call.now(),
        _ => call.moment(),
    };
    let action =
        Action { kind: asked.kind.clone(), user: asked.by.clone(), reason: asked.reason.clone(), ..Action::new(now) };
    let decision = before_closing(call, asked, &subject, &action).await?;
    let (ids, note) = ([call.new_id(), call.new_id()], call.new_id());
    let body = async |tx: &mut Tx| {
        if let Some(appeal) = &asked.appeal {
            let status = if matches!(asked.plan, Plan::RejectAppeal) { Status::Rejected } else { Status::Accepted };
            appeals::decide(tx, appeal, (status, &asked.reason), asked.by.as_ref(), now).await?;
        }
        decision.run(tx, &subject, &action, &ids).await?;
        match &id {
            Some(id) => decision.settle(tx, id, &action, &note).await.map(drop),
            None => Ok(()),
        }
    };
    call.app.write(body).await?;
    Ok(id)
}

/// Does what is too much for one transaction; the decision that is left.
async fn before_closing(call: &Call, asked: &Asked, subject: &Subject, action: &Action) -> Result<Decision> {
    let (app, now) = (&call.app, action.at);
    match &asked.plan {
        Plan::Decide(decision) => return Ok(decision.clone()),
        Plan::RejectAppeal => {}
        Plan::DeleteUser(modes) => {
            let absent = || domain::Error::Unfit("delete_user: the item has no user".to_owned());
            let user = subject.creator.clone().ok_or_else(absent)?;
            domain::users::load(&mut call.snapshot(), &user).await?;
            start_deletion(call, &BTreeSet::from_iter(iter::once(user)), None, (*modes, None)).await?;
        }
        Plan::DeleteForGood => {
            let entity = subject.entity.as_ref().ok_or_else(|| Error::field("entity_id", "is a required field"))?;
            match Thing::of(entity)? {
                Thing::Message(id) => {
                    messages::delete_for_good(app, None, &id, asked.by.as_ref(), now).await?;
                }
                Thing::Activity(id) => {
                    while !app.write(async |tx| activities::delete(tx, None, &id, true, now).await).await?.1 {}
                }
                Thing::Comment(id) => {
                    while !app.write(async |tx| made::delete_comment(tx, None, &id, true, now).await).await?.2 {}
                }
                Thing::Reaction(id) => {
                    app.write(async |tx| domain::feeds::reactions::remove(tx, &id, false, None, now).await).await?;
                }
            }
        }
    }
    Ok(Decision::Reviewed(0))
}

fn plan(call: &Call, kind: &str, by: Option<&UserId>, words: &str, payload: &mut Fields) -> Result<Plan> {
    let scope = |payload: &mut Fields, later| {
        let channel = payload.channel("channel_cid")?;
        let (has_later_channels, has_address) = (payload.flag(later)?, payload.flag("ip_ban")?);
        Ok::<_, Error>(Scope {
            channel,
            has_later_channels: has_later_channels.unwrap_or_default(),
            has_address: has_address.unwrap_or_default(),
        })
    };
    Ok(Plan::Decide(match kind {
        "mark_reviewed" => {
            let is_off = payload.flag("disable_marking_content_as_reviewed")?.unwrap_or_default();
            let also = payload.number("content_to_mark_as_reviewed_limit")?.unwrap_or_default();
            let also = usize::try_from(also)
                .map_err(|_| Error::field("mark_reviewed.content_to_mark_as_reviewed_limit", "must not be below 0"))?;
            Decision::Reviewed(if is_off { 0 } else { also })
        }
        "custom" => {
            let options = payload.object("options")?.map(Fields::rest).unwrap_or_default();
            Decision::Custom(payload.text("id")?.unwrap_or_default(), options.to_string())
        }
        "ban" => {
            let deletes = mode(payload, "delete_messages")?;
            let scope = scope(payload, "ban_from_future_channels")?;
            if payload.flag("channel_ban_only")?.unwrap_or_default() && scope.channel.is_none() {
                return Err(Error::field("ban.channel_cid", "is required with channel_ban_only"));
            }
            Decision::Ban {
                user: payload.user("target_user_id")?,
                scope,
                is_shadow: payload.flag("shadow")?.unwrap_or_default(),
                expires: expires(payload, call.now())?,
                deletes,
            }
        }
        "unban" => Decision::Unban {
            user: payload.user("target_user_id")?,
            scope: scope(payload, "remove_future_channels_ban")?,
        },
        "delete_message" | "delete_activity" | "delete_comment" | "delete_reaction" => {
            if payload.flag("hard_delete")?.unwrap_or_default() {
                return Ok(Plan::DeleteForGood);
            }
            Decision::Delete
        }
        "delete_user" => return user_modes(payload).map(Plan::DeleteUser),
        "delete_user_messages" => {
            refuse(payload.flag("delete_reactions")?.unwrap_or_default(), "delete_user_messages.delete_reactions")?;
            let mode = mode(payload, "delete_messages")?;
            let mode =
                mode.ok_or_else(|| Error::field("delete_user_messages.delete_messages", "is a required field"))?;
            Decision::DeleteMessages(mode, payload.channel("channel_cid")?)
        }
        "restore" => Decision::Restore,
        "block" => Decision::Block,
        "shadow_block" => Decision::ShadowBlock,
        "unblock" => Decision::Unblock,
        "escalate" => Decision::Escalate(escalation(call, by, words, payload)?),
        "de_escalate" => Decision::DeEscalate,
        "flag" => {
            let custom = payload.object("custom")?.map(Fields::rest).unwrap_or_default();
            Decision::Flag(Box::new(Report { reason: words.to_owned(), custom, ..Report::default() }))
        }
        "bypass" => {
            let is_on =
                payload.flag("enabled")?.ok_or_else(|| Error::field("bypass.enabled", "is a required field"))?;
            Decision::Bypass(is_on)
        }
        "reject_appeal" => {
            if words.is_empty() {
                return Err(Error::field("reject_appeal.decision_reason", "is a required field"));
            }
            return Ok(Plan::RejectAppeal);
        }
        "unmask" | "kick_user" | "end_call" => return Err(Error::not_available(&format!("the action {kind}"))),
        _ => return Err(Error::field("action_type", "is not an action of moderation")),
    }))
}

fn escalation(call: &Call, by: Option<&UserId>, words: &str, payload: &mut Fields) -> Result<Escalation> {
    let mut text = |name: &str| {
        let text = payload.text(name)?.unwrap_or_default();
        match text.len() <= NOTES_BYTES_MAX {
            true => Ok(text),
            false => Err(Error::field(&format!("escalate.{name}"), &format!("has at most {NOTES_BYTES_MAX} bytes"))),
        }
    };
    let (notes, priority) = (text("notes")?, text("priority")?);
    Ok(Escalation { at: call.now(), by: by.cloned(), reason: words.to_owned(), notes, priority })
}

/// How a user is deleted: for good with all that is theirs, or softly.
fn user_modes(payload: &mut Fields) -> Result<Modes> {
    refuse(payload.flag("delete_feeds_content")?.unwrap_or_default(), "delete_user.delete_feeds_content")?;
    let mut flag = |name| Ok::<_, Error>(payload.flag(name)?.unwrap_or_default());
    let (is_hard, messages) = (flag("hard_delete")?, flag("mark_messages_deleted")?);
    let conversations = flag("delete_conversation_channels")?;
    let mode = if is_hard { Mode::Hard } else { Mode::Soft };
    Ok(Modes {
        user: mode,
        messages: (is_hard || messages).then_some(mode),
        conversations: (is_hard || conversations).then_some(mode),
        files: false,
    })
}

/// Takes how messages are deleted.
pub(super) fn mode(sent: &mut Fields, name: &str) -> Result<Option<Mode>> {
    match sent.filled(name)?.as_deref() {
        None => Ok(None),
        Some("soft") => Ok(Some(Mode::Soft)),
        Some("pruning") => Ok(Some(Mode::Pruning)),
        Some("hard") => Ok(Some(Mode::Hard)),
        Some(_) => Err(Error::field(name, "must be soft, pruning or hard")),
    }
}
