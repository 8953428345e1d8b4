//! Notification activities: who asks for them, and how they are shown (feeds-v3 §5).

use domain::v3::notifications::{Context, Kind, Quote};
use ids::UserId;
use serde_json::value::RawValue;
use wire::v3::notifications::{Context as WireContext, Parent, Quote as WireQuote, Target, Trigger};

use super::{read::DIALECT, show::Pen};
use crate::chat::{attachments, error::Result, fields::Fields};

/// Whether a call is to notify of what it does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noting {
    /// Whether it is.
    pub(super) is_wanted: bool,
    /// Whether the own fields of what it makes come along.
    pub(super) copies: bool,
}

impl Noting {
    /// Takes `create_notification_activity` and `copy_custom_to_notification` from a body.
    ///
    /// # Errors
    /// 4 when one is no truth value.
    pub(super) fn read(sent: &mut Fields) -> Result<Self> {
        Self::named(sent, "create_notification_activity")
    }

    /// The same for changes, which ask by `handle_mention_notifications`.
    ///
    /// # Errors
    /// As [`Noting::read`].
    pub(super) fn of_change(sent: &mut Fields) -> Result<Self> {
        Self::named(sent, "handle_mention_notifications")
    }

    fn named(sent: &mut Fields, name: &str) -> Result<Self> {
        Ok(Noting {
            is_wanted: sent.flag(name)?.unwrap_or_default(),
            copies: sent.flag("copy_custom_to_notification")?.unwrap_or_default(),
        })
    }
}

impl<'a> Pen<'a> {
    /// What the notification that `by` caused is about.
    pub(super) fn notice(self, by: Option<&UserId>, context: &'a Context) -> WireContext<'a> {
        let target = &context.target;
        WireContext {
            trigger: Trigger {
                kind: context.kind.name(),
                text: format!("{} {}", self.called(by), said(context.kind)),
                comment: context.comment.as_ref().map(quote),
                custom: RawValue::from_string(context.custom.clone()).ok(),
            },
            target: Target {
                id: &target.id,
                kind: target.kind.as_deref(),
                name: target.name.as_deref(),
                text: target.text.as_deref(),
                user_id: target.user.as_ref().map(UserId::as_str),
                attachments: attachments::shown(&target.attachments, DIALECT),
                comment: target.comment.as_ref().map(quote),
                parent_activity: target.parent.as_ref().map(|parent| Parent {
                    id: &parent.id,
                    kind: &parent.kind,
                    text: parent.text.as_deref(),
                    user_id: parent.user.as_ref().map(UserId::as_str),
                    attachments: attachments::shown(&parent.attachments, DIALECT),
                }),
            },
        }
    }

    /// What a user is called: the name, or else the id.
    fn called(self, user: Option<&UserId>) -> String {
        let Some(user) = user else { return "Somebody".to_owned() };
        let name = self.people.get(user).and_then(|(_, person)| person.user.name.clone());
        name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.to_string())
    }
}

fn said(kind: Kind) -> &'static str {
    match kind {
        Kind::Follow => "started following you",
        Kind::Comment => "commented on your activity",
        Kind::Reply => "replied to your comment",
        Kind::Reaction => "reacted to your activity",
        Kind::CommentReaction => "reacted to your comment",
        Kind::Mention => "mentioned you in an activity",
        Kind::CommentMention => "mentioned you in a comment",
    }
}

fn quote(quote: &Quote) -> WireQuote<'_> {
    WireQuote {
        id: &quote.id,
        comment: &quote.text,
        user_id: quote.user.as_str(),
        attachments: attachments::shown(&quote.attachments, DIALECT),
    }
}
