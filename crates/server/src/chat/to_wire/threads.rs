//! Threads as chat clients read them (chat §6.13).

use domain::chat::threads::Participant;
use ids::UserId;
use wire::chat::{
    channels::{Channel as WireChannel, Read},
    dialect::Members,
    threads::{Empty, Participant as WireParticipant, Thread},
};

use super::{
    channels::{self, Pen},
    messages::Frame,
};
use crate::chat::threads::Told;

/// A thread; `shows_read` says whether it tells how far participants have read, `shows_replies` what was said last.
pub(crate) fn thread<'a>(frame: Frame<'a>, told: &'a Told, shows_read: bool, shows_replies: bool) -> Thread<'a> {
    let counted = &told.counted;
    let participants = &counted.participants[..told.listed];
    let pen = Pen { dialect: frame.dialect, people: frame.people, now: frame.now };
    Thread {
        channel_cid: counted.thread.channel.as_str(),
        channel: WireChannel {
            members: Some(channels::members(pen, &told.channel)),
            ..channels::channel(pen, &told.channel)
        },
        parent_message_id: counted.parent.as_str(),
        parent_message: frame.message(&told.parent),
        created_by_user_id: counted.thread.created_by.as_ref().map_or("", UserId::as_str),
        created_by: counted.thread.created_by.as_ref().and_then(|user| frame.user(user)),
        title: counted.title(),
        reply_count: counted.replies,
        participant_count: counted.participants.len(),
        active_participant_count: counted.participants.len(),
        thread_participants: participants.iter().map(|one| participant(frame, told, one)).collect(),
        last_message_at: counted.last_message_at.map(|at| frame.time(at)),
        created_at: frame.time(counted.thread.created_at),
        updated_at: frame.time(counted.thread.updated_at),
        latest_replies: shows_replies.then(|| told.replies.iter().map(|shown| frame.message(shown)).collect()),
        read: shows_read
            .then(|| participants.iter().zip(&told.unread).filter_map(|read| read_by(frame, read)).collect()),
        draft: told
            .parent
            .beside
            .draft
            .as_ref()
            .filter(|_| shows_replies)
            .map(|found| frame.draft(&found.spot, &found.draft)),
        custom: Members(&counted.custom),
    }
}

fn participant<'a>(frame: Frame<'a>, told: &'a Told, (user, known): &'a (UserId, Participant)) -> WireParticipant<'a> {
    WireParticipant {
        thread_id: told.counted.parent.as_str(),
        channel_cid: told.counted.thread.channel.as_str(),
        user_id: user.as_str(),
        user: frame.user(user),
        created_at: frame.time(known.created_at),
        last_read_at: frame.time(known.last_read),
        last_thread_message_at: known.last_reply.map(|at| frame.time(at)),
        custom: frame.dialect.v2_only(Empty {}),
    }
}

fn read_by<'a>(frame: Frame<'a>, ((user, known), unread): (&'a (UserId, Participant), &usize)) -> Option<Read<'a>> {
    Some(Read {
        user: frame.user(user)?,
        last_read: frame.time(known.last_read),
        unread_messages: *unread,
        last_read_message_id: known.last_read_message.as_ref().map(|id| id.as_str()),
        last_delivered_at: None,
        last_delivered_message_id: None,
    })
}
