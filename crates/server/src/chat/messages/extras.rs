//! What the answer to a new message tells beside it, where the caller asks for it (chat §11.4).

use std::collections::BTreeMap;

use domain::chat::{
    members,
    messages::{Message, Scene},
};
use ids::{ChannelId, MessageId};
use wire::chat::messages::{ChannelContext, SentMessage};

use super::{super::to_wire::users::embedded, place, shown};
use crate::{
    chat::{error::Result, fields::Fields, gate::Call, to_wire::messages::Frame},
    reply::Reply,
};

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Extras {
    /// Where the message was said.
    has_channel: bool,
    /// Of each user whom it names, whether it is a member.
    has_members: bool,
}

impl Extras {
    pub(super) fn read(sent: &mut Fields) -> Result<Self> {
        Ok(Extras {
            has_channel: sent.flag("include_channel_context")?.unwrap_or_default(),
            has_members: sent.flag("include_mentioned_members")?.unwrap_or_default(),
        })
    }

    /// Checks that the caller may know who the members are, if that is asked for.
    ///
    /// # Errors
    /// 17 otherwise, 16 when there is no such channel.
    pub(super) async fn check(self, call: &Call, channel: &ChannelId) -> Result<()> {
        if self.has_members {
            let scene = Scene::load(&mut call.snapshot(), channel, call.user(), call.now()).await?;
            scene.check("read-channel-members", None)?;
        }
        Ok(())
    }

    /// The answer with the message that was sent.
    pub(super) async fn answer(self, call: &Call, id: MessageId, message: Message) -> Result<Reply> {
        let (channel, mentioned) = (message.channel.clone(), message.mentioned.clone());
        let metadata = message.pending.clone();
        let (mut people, shown) = shown(call, call.user(), vec![(id, message)]).await?;
        let mut tx = call.snapshot();
        let loaded = match self.has_channel {
            true => place(call, &mut tx, &channel, &mut people).await?,
            false => None,
        };
        let mut members = BTreeMap::new();
        if self.has_members {
            let known = members::get_many(&mut tx, &channel, &mentioned).await?;
            members.extend(mentioned.iter().zip(known).map(|(user, known)| (user.as_str(), known.is_some())));
        }
        let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
        call.answer(&SentMessage {
            message: frame.message(&shown[0]),
            pending_message_metadata: metadata.map(|pairs| pairs.into_iter().collect()),
            channel_context: loaded.as_ref().map(|loaded| ChannelContext {
                cid: channel.as_str(),
                kind: channel.kind(),
                id: channel.id(),
                created_by: (loaded.channel.created_by.as_ref())
                    .and_then(|maker| embedded(call.dialect, &people, maker, call.now())),
            }),
            mentioned_members: self.has_members.then_some(members),
        })
    }
}
