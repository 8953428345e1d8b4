//! Drafts as chat clients read them (chat §6.15).

use domain::chat::drafts::{Draft, Spot};
use ids::MessageId;
use serde_json::value::RawValue;
use wire::chat::drafts::{Draft as WireDraft, DraftMessage};

use super::messages::{Frame, kind};
use crate::chat::attachments;

impl<'a> Frame<'a> {
    /// A draft, without the objects around it.
    pub(crate) fn draft(self, spot: &'a Spot, draft: &'a Draft) -> WireDraft<'a> {
        let parent_id = spot.parent.as_ref().map(MessageId::as_str);
        WireDraft {
            channel_cid: spot.channel.as_str(),
            created_at: self.time(draft.created_at),
            message: DraftMessage {
                id: draft.id.as_str(),
                text: &draft.text,
                html: draft.html.as_deref(),
                mml: draft.mml.as_deref(),
                kind: kind(draft.kind),
                parent_id,
                quoted_message_id: draft.quoted.as_ref().map(MessageId::as_str),
                poll_id: draft.poll.as_deref(),
                show_in_channel: parent_id.map(|_| draft.shows_in_channel),
                silent: draft.is_silent,
                attachments: attachments::shown(&draft.attachments, self.dialect),
                mentioned_users: self.users(&draft.mentioned),
                custom: RawValue::from_string(draft.custom.clone()).expect("it was parsed before it was stored"),
            },
            parent_id,
            channel: None,
            parent_message: None,
            quoted_message: None,
        }
    }
}
