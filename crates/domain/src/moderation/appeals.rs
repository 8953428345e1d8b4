//! Appeals against what moderation decided (v2 §6.6).

use std::borrow::Cow;

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{Found, flags::Entity, news, review};
use crate::{
    Error, Result, Tx,
    filter::{Field, Filter, Kind, Row, Schema, Sort, Value},
    keyspace::{APPEAL, APPEALED_BY},
    rows, users,
};

/// The longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 5 * 1024;
/// The most attachments.
pub const ATTACHMENTS_MAX: usize = 10;
/// The longest address of one, in bytes.
pub const ATTACHMENT_BYTES_MAX: usize = 2 * 1024;
/// The most appeals of one user.
const OF_USER_MAX: usize = 1000;
/// The most appeals that one query looks at.
const LOOKED_AT_MAX: usize = 10_000;

/// How an appeal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// Nobody has decided yet.
    #[n(0)]
    Submitted,
    /// What was decided was undone.
    #[n(1)]
    Accepted,
    /// What was decided stays.
    #[n(2)]
    Rejected,
}

impl Status {
    /// The API's word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Submitted => "submitted",
            Status::Accepted => "accepted",
            Status::Rejected => "rejected",
        }
    }
}

/// An appeal.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Appeal {
    /// Who appeals.
    #[n(0)]
    pub user: UserId,
    /// What it is about.
    #[n(1)]
    pub entity: Entity,
    /// Its item in the review queue, if it has one.
    #[n(2)]
    pub item: Option<String>,
    /// Why, in the user's words.
    #[n(3)]
    pub reason: String,
    /// Addresses of what is to be looked at.
    #[n(4)]
    pub attachments: Vec<String>,
    /// How it stands.
    #[n(5)]
    pub status: Status,
    /// Why it was decided so.
    #[n(6)]
    pub decision: String,
    /// Who decided.
    #[n(7)]
    pub decided_by: Option<UserId>,
    /// Since when there is it.
    #[n(8)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(9)]
    pub updated_at: Timestamp,
}

/// What somebody appeals against, and why.
#[derive(Clone, Debug)]
pub struct Plea {
    /// What it is about.
    pub entity: Entity,
    /// Its item in the review queue, where the application says which.
    pub item: Option<String>,
    /// Why.
    pub reason: String,
    /// Addresses of what is to be looked at.
    pub attachments: Vec<String>,
}

/// Appeals on behalf of `user`. Whose the thing is must be the user, where that is known.
///
/// # Errors
/// [`Error::Absent`] when there is no such user or item, [`Error::NotAllowed`] when the thing is somebody else's,
/// [`Error::Unfit`] when an appeal about it waits already, or when a limit is broken.
pub async fn add(tx: &mut Tx, id: &str, user: &UserId, plea: &Plea, now: Timestamp) -> Result<Appeal> {
    users::load(tx, user).await?;
    check(plea)?;
    let queued = match &plea.item {
        Some(item) => Some((item.clone(), review::load(tx, item).await?)),
        None => review::of(tx, &plea.entity).await?.map(|queued| (queued.id, queued.item)),
    };
    if let Some((_, item)) = &queued {
        if item.entity != plea.entity {
            return Err(Error::Unfit("review_queue_item_id: the item is about something else".to_owned()));
        }
        if item.creator.as_ref().is_some_and(|creator| creator != user) {
            return Err(Error::NotAllowed("only whose content it is can appeal".to_owned()));
        }
    }
    let own = of_user(tx, user).await?;
    if own.iter().any(|(_, appeal)| appeal.entity == plea.entity && appeal.status == Status::Submitted) {
        return Err(Error::Unfit("an appeal about this waits already".to_owned()));
    }
    if own.len() >= OF_USER_MAX {
        return Err(Error::Unfit(format!("a user has at most {OF_USER_MAX} appeals")));
    }
    let appeal = Appeal {
        user: user.clone(),
        entity: plea.entity.clone(),
        item: queued.map(|(item, _)| item),
        reason: plea.reason.clone(),
        attachments: plea.attachments.clone(),
        status: Status::Submitted,
        decision: String::new(),
        decided_by: None,
        created_at: now,
        updated_at: now,
    };
    if let Some(item) = &appeal.item {
        review::change(tx, item, |item| item.appeal = Some(id.to_owned())).await?;
        news::changed(tx, item, None, now);
    }
    news::appeal(tx, "created", id, Some(user), now);
    let tenant = tx.tenant();
    APPEAL.put(tx, tenant, &id.to_owned(), &appeal);
    APPEALED_BY.put(tx, tenant, &(user.to_string(), id.to_owned()), &());
    Ok(appeal)
}

fn check(plea: &Plea) -> Result<()> {
    if plea.reason.is_empty() || plea.reason.len() > REASON_BYTES_MAX {
        return Err(Error::Unfit(format!("appeal_reason must have 1 to {REASON_BYTES_MAX} bytes")));
    }
    let fits = plea.attachments.iter().all(|address| address.len() <= ATTACHMENT_BYTES_MAX);
    match plea.attachments.len() <= ATTACHMENTS_MAX && fits {
        true => Ok(()),
        false => Err(Error::Unfit(format!(
            "attachments: at most {ATTACHMENTS_MAX} addresses of at most {ATTACHMENT_BYTES_MAX} bytes"
        ))),
    }
}

/// The appeal `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Appeal> {
    let tenant = tx.tenant();
    let appeal = APPEAL.get(tx, tenant, &id.to_owned()).await?;
    appeal.ok_or_else(|| Error::Absent(format!("appeal '{id}' does not exist")))
}

/// Decides an appeal that waits.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it was decided before.
pub async fn decide(
    tx: &mut Tx,
    id: &str,
    (status, why): (Status, &str),
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Appeal> {
    let appeal = load(tx, id).await?;
    if appeal.status != Status::Submitted {
        return Err(Error::Unfit(format!("appeal '{id}' was {} before", appeal.status.name())));
    }
    let appeal = Appeal { status, decision: why.to_owned(), decided_by: by.cloned(), updated_at: now, ..appeal };
    let tenant = tx.tenant();
    APPEAL.put(tx, tenant, &id.to_owned(), &appeal);
    news::appeal(tx, status.name(), id, by, now);
    Ok(appeal)
}

/// The appeals of `user`, with their ids.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<(String, Appeal)>> {
    let tenant = tx.tenant();
    let range = APPEALED_BY.prefix(tenant, &(user.to_string(),));
    let keys = rows::list(tx, &APPEALED_BY, range, OF_USER_MAX).await?;
    let ids: Vec<String> = keys.into_iter().map(|((_, id), ())| id).collect();
    let found = APPEAL.get_many(tx, tenant, &ids).await?;
    Ok(ids.into_iter().zip(found).filter_map(|(id, appeal)| Some((id, appeal?))).collect())
}

/// What a filter of appeals may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("user_id", Kind::Text),
        Field::new("status", Kind::Text),
        Field::new("entity_type", Kind::Text),
        Field::new("entity_id", Kind::Text),
        Field::new("review_queue_item_id", Kind::Text),
        Field::new("created_at", Kind::Time),
        Field::new("updated_at", Kind::Time),
    ],
    has_custom: false,
};

/// An appeal with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Submitted {
    /// The id.
    pub id: String,
    /// The appeal.
    pub appeal: Appeal,
}

impl Row for Submitted {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Appeal { user, entity, item, status, created_at, updated_at, .. } = &self.appeal;
        match field {
            "id" => Value::text(&self.id),
            "user_id" => Value::text(user.as_str()),
            "status" => Value::text(status.name()),
            "entity_type" => Value::text(&entity.kind),
            "entity_id" => Value::text(&entity.id),
            "review_queue_item_id" => Value::maybe_text(item.as_deref()),
            "created_at" => Value::Time(*created_at),
            "updated_at" => Value::Time(*updated_at),
            _ => Value::Null,
        }
    }
}

/// The appeals that `filter` wants, of `user` or of anybody, in the order of `sort`.
///
/// # Errors
/// When the store fails.
pub async fn query(tx: &mut Tx, user: Option<&UserId>, filter: &Filter, sort: &Sort) -> Result<Vec<Submitted>> {
    let appeals = match user {
        Some(user) => of_user(tx, user).await?,
        None => {
            let range = APPEAL.range(tx.tenant());
            rows::list(tx, &APPEAL, range, LOOKED_AT_MAX).await?
        }
    };
    let mut found = Found::new(filter, sort);
    appeals.into_iter().for_each(|(id, appeal)| found.look(Submitted { id, appeal }));
    Ok(found.sorted())
}
