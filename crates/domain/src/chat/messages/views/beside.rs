//! What is kept beside messages and shown with them: polls, what the reader saved, and has begun to write in reply.

use std::collections::BTreeSet;

use ids::UserId;

use super::Shown;
use crate::{
    Result, Tx,
    chat::{
        drafts::{self, Found},
        reminders::{self, Reminder},
        user_groups::{self, UserGroup},
    },
    polls,
};

/// What is kept beside a message.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The poll that it shows.
    pub poll: Option<polls::Shown>,
    /// That the reader saved it for later.
    pub reminder: Option<(UserId, Reminder)>,
    /// What the reader has begun to write in its thread.
    pub draft: Option<Found>,
    /// The groups of users that it names, as far as they are there.
    pub groups: Vec<(String, UserGroup)>,
}

impl Beside {
    /// Every user who is named there.
    pub(super) fn named(&self) -> impl Iterator<Item = &UserId> {
        let reminded = self.reminder.iter().map(|(user, _)| user);
        let polled = self.poll.iter().flat_map(polls::Shown::named);
        reminded.chain(polled).chain(self.draft.iter().flat_map(|found| &found.draft.mentioned))
    }
}

/// Loads what is kept beside the messages, for `viewer`.
///
/// # Errors
/// When the store fails.
pub(super) async fn load(tx: &mut Tx, messages: &mut [Shown], viewer: Option<&UserId>) -> Result<()> {
    for one in messages.iter_mut() {
        one.beside.poll = poll(tx, one, viewer).await?;
        one.beside.groups = groups(tx, one).await?;
        if let Some(quoted) = &mut one.quoted {
            quoted.beside.poll = poll(tx, quoted, viewer).await?;
            quoted.beside.groups = groups(tx, quoted).await?;
        }
    }
    let Some(viewer) = viewer else { return Ok(()) };
    let reminders = reminders::of_messages(tx, viewer, messages.iter().map(|one| &one.id)).await?;
    for (one, reminder) in messages.iter_mut().zip(reminders) {
        one.beside.reminder = reminder.map(|reminder| (viewer.clone(), reminder));
    }
    let channels: BTreeSet<_> = messages.iter().map(|one| one.message.channel.clone()).collect();
    for channel in channels {
        for found in drafts::of_channel(tx, viewer, &channel).await? {
            let parent = messages.iter_mut().find(|one| found.spot.parent.as_ref() == Some(&one.id));
            if let Some(parent) = parent {
                parent.beside.draft = Some(found);
            }
        }
    }
    Ok(())
}

/// The poll that the message shows, if it is still there.
async fn poll(tx: &mut Tx, one: &Shown, viewer: Option<&UserId>) -> Result<Option<polls::Shown>> {
    let Some(id) = one.message.poll.as_deref().filter(|_| one.message.deleted_at.is_none()) else { return Ok(None) };
    match polls::get(tx, id).await? {
        Some(poll) => Ok(Some(polls::show(tx, id, poll, viewer).await?)),
        None => Ok(None),
    }
}

async fn groups(tx: &mut Tx, one: &Shown) -> Result<Vec<(String, UserGroup)>> {
    match one.message.mentioned_groups.is_empty() {
        true => Ok(Vec::new()),
        false => user_groups::named(tx, &one.message.mentioned_groups).await,
    }
}
