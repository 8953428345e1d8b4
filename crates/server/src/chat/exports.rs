//! Telling what is stored: `GET /users/{id}/export`, `POST /export/users`, `POST /export_channels` and what feeds hold of a
//! user (v2 §2.7, §2.8, §4; chat §11.12).

use std::collections::BTreeSet;

use domain::{
    exports::{
        self,
        sets::{self, UserSet},
        subject,
    },
    tasks::{self, ExportChannels, ExportedChannel, Kind, Layout},
    users::{self, People},
};
use ids::{ChannelId, UserId};
use wire::chat::{dialect::Dialect, tasks::Started};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
};
use crate::{
    exports::{file_name, is_known, rows::Teller, users as written},
    reply::Reply,
    spool::{Spool, Spooled},
};

/// The most users of one file.
const USERS_MAX: usize = 25;
/// The most channels of one file.
const CHANNELS_MAX: usize = 25;

/// `GET /users/{id}/export`: the lists of the contract, and those that are told beside them.
pub(crate) async fn export_user(call: Call) -> Result<Spooled> {
    let (id, now) = (fields::user(call.param("id"))?, call.now());
    let mut tx = call.snapshot();
    let user = users::get(&mut tx, &id).await?;
    let user = user.ok_or_else(|| Error::from(domain::Error::Absent(format!("user with id {id} doesn't exist"))))?;
    let subject = People::from_iter([(id.clone(), user)]);
    let nobody = People::default();
    // The classic dialect does not say again whose they are.
    let people = if call.dialect == Dialect::V2 { &subject } else { &nobody };
    let teller = Teller { user: &id, dialect: call.dialect, people, now };
    let mut spool = Spool::default();
    for (n, set) in sets::of_users().into_iter().enumerate() {
        spool.text(if n == 0 { "{" } else { "," }).await?;
        spool.json(&set.list()).await?;
        // There is one user; all else are lists.
        let (open, close) = if set == UserSet::User { (":", "") } else { (":[", "]") };
        spool.text(open).await?;
        let (mut walk, mut count) = (subject::Walk::default(), 0);
        while let Some(page) = subject::user_page(&mut tx, &id, set, &mut walk).await? {
            for row in page {
                spool.text(if count == 0 { "" } else { "," }).await?;
                spool.json(&teller.told(row)).await?;
                count += 1;
            }
            if let Some(max) = written::limit(set).filter(|max| count > *max) {
                return Err(Error::input(format!("the user has more than {max} {}; use a task", set.list())));
            }
        }
        spool.text(close).await?;
    }
    // Calls are nothing that there could be here.
    spool.text(",\"calls\":[]").await?;
    Ok(spool.done().await?)
}

/// `POST /export/users`.
pub(crate) async fn export_users(call: Call, mut sent: Fields) -> Result<Reply> {
    let users: BTreeSet<_> = sent.users("user_ids")?.unwrap_or_default().into_iter().collect();
    if users.is_empty() || users.len() > USERS_MAX {
        return Err(Error::field("user_ids", &format!("must hold 1 to {USERS_MAX} ids")));
    }
    let users: Vec<_> = users.into_iter().collect();
    start(&call, "users", "jsonl", Kind::ExportUsers(users.clone()), users).await
}

/// `POST /feeds/users/{id}/export`.
pub(crate) async fn export_feeds(call: Call, _: Fields) -> Result<Reply> {
    let user = known(&call).await?;
    start(&call, "feeds", "json", Kind::ExportFeeds(user.clone()), vec![user]).await
}

/// `POST /feeds/users/{id}/delete`. What feeds v1.0 hold has no state between there and gone.
pub(crate) async fn delete_feeds(call: Call, mut sent: Fields) -> Result<Reply> {
    let is_hard = sent.flag("hard_delete")?.unwrap_or(false);
    let user = known(&call).await?;
    let (id, now) = (call.new_id(), call.now());
    let planned = call.app.write(async |tx| {
        tasks::plan(tx, &id, Kind::DeleteFeeds { user: user.clone(), is_hard }, now);
        Ok(())
    });
    planned.await?;
    call.answer(&Started { task_id: &id })
}

async fn known(call: &Call) -> Result<UserId> {
    let user = fields::user(call.param("id"))?;
    match is_known(&mut call.snapshot(), &user).await? {
        true => Ok(user),
        false => Err(domain::Error::Absent(format!("user with id {user} doesn't exist")).into()),
    }
}

/// `POST /export_channels`.
pub(crate) async fn export_channels(call: Call, mut sent: Fields) -> Result<Reply> {
    let parts = sent.objects("channels")?.unwrap_or_default();
    if parts.is_empty() || parts.len() > CHANNELS_MAX {
        return Err(Error::field("channels", &format!("must hold 1 to {CHANNELS_MAX} channels")));
    }
    let channels: Vec<_> = parts.into_iter().map(channel).collect::<Result<_>>()?;
    let with_users = sent.flag("export_users")?.unwrap_or(false);
    let layout = layout(&mut sent, with_users)?;
    let asked = ExportChannels {
        layout,
        fields: sent.texts("include_fields")?.unwrap_or_default(),
        clears_deleted: sent.flag("clear_deleted_message_text")?.unwrap_or(false),
        with_truncated: sent.flag("include_truncated_messages")?.unwrap_or(false),
        with_deleted: sent.flag("include_soft_deleted_channels")?.unwrap_or(false),
        with_users,
        channels,
    };
    let mut tx = call.snapshot();
    for part in &asked.channels {
        if !asked.with_deleted {
            domain::chat::channels::load(&mut tx, &part.id).await?;
        }
    }
    let ending = match layout {
        Layout::Document => "json",
        Layout::Lines => "jsonl",
        Layout::Csv => "csv",
    };
    start(&call, "channels", ending, Kind::ExportChannels(Box::new(asked)), Vec::new()).await
}

fn channel(mut sent: Fields) -> Result<ExportedChannel> {
    let id = match sent.channel("cid")? {
        Some(id) => id,
        None => {
            let (kind, id) = (sent.filled("type")?, sent.filled("id")?);
            let (Some(kind), Some(id)) = (kind, id) else {
                return Err(Error::field("channels", "must hold a cid, or a type and an id"));
            };
            ChannelId::new(&kind, &id).map_err(|error| Error::field("channels", &error.to_string()))?
        }
    };
    Ok(ExportedChannel { id, since: sent.time("messages_since")?, until: sent.time("messages_until")? })
}

fn layout(sent: &mut Fields, with_users: bool) -> Result<Layout> {
    let (version, format) = (sent.filled("version")?, sent.filled("format")?);
    match (version.as_deref(), format.as_deref()) {
        (None | Some("v1"), None | Some("json")) => Ok(Layout::Document),
        (Some("v2"), None | Some("json")) => Ok(Layout::Lines),
        (Some("v2"), Some("csv")) if !with_users => Ok(Layout::Csv),
        (Some("v2"), Some("csv")) => Err(Error::field("export_users", "cannot be set for csv")),
        (None | Some("v1"), Some("csv")) => Err(Error::field("format", "csv needs version v2")),
        (None | Some("v1" | "v2"), Some(_)) => Err(Error::field("format", "must be json or csv")),
        (Some(_), _) => Err(Error::field("version", "must be v1 or v2")),
    }
}

/// Plans a task that writes a file about `subjects`.
async fn start(call: &Call, what: &str, ending: &str, kind: Kind, subjects: Vec<UserId>) -> Result<Reply> {
    let (id, now) = (call.new_id(), call.now());
    let file = file_name(what, call.tenant.app.id, &id, ending);
    let planned = call.app.write(async |tx| {
        for user in &subjects {
            // Read, so that whoever erases the user meanwhile finds the file.
            users::get(tx, user).await?;
        }
        exports::plan(tx, &id, file.clone(), subjects.clone());
        tasks::plan(tx, &id, kind.clone(), now);
        Ok(())
    });
    planned.await?;
    call.answer(&Started { task_id: &id })
}
