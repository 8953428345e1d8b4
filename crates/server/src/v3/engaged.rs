//! From what users made of activities to what callers of feeds v3 read: comments, reactions, bookmarks, entries of
//! collections.

use std::collections::BTreeMap;

use domain::v3::{
    bookmarks::Saved,
    collections::Named,
    comments::{Node, Shown as ShownComment},
    engagement::Engagement,
    folders::Known,
    objects::Object,
    reactions::{Given, Summary},
    show::Shown,
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wire::v3::{
    activities::Activity,
    bookmarks::{Bookmark, Folder},
    collections::Collection,
    comments::{Comment, RepliesMeta, ThreadedComment},
    engagement::Engagement as WireEngagement,
    reactions::{Reaction, ReactionGroup},
};

use super::{read::DIALECT, show::Pen};
use crate::chat::{attachments, to_wire::messages::translations};

fn raw(object: &impl Serialize) -> Box<RawValue> {
    to_raw_value(object).expect("wire types are JSON")
}

/// Own fields as they were sent; nothing where none were.
fn custom(text: &str) -> Option<Box<RawValue>> {
    (!text.is_empty()).then(|| RawValue::from_string(text.to_owned()).expect("it was parsed before it was stored"))
}

impl<'a> Pen<'a> {
    /// What an activity embeds of what users made of it.
    pub(super) fn engagement(self, shown: &'a Shown) -> WireEngagement {
        let (id, engagement) = (shown.activity.id.as_str(), &shown.engagement);
        let Engagement { comments, reactions, own_bookmarks, collections, .. } = engagement;
        let reaction = |given: &'a Given| raw(&self.reaction(id, given));
        let bookmark = |(saved, folder): &'a (Saved, Option<Known>)| {
            // The same activity once more, without what would show it once more.
            raw(&self.bookmark(saved, folder.as_ref(), self.written(shown, counts(engagement)), None))
        };
        WireEngagement {
            comments: comments.iter().map(|comment| raw(&self.comment(comment))).collect(),
            latest_reactions: reactions.latest.iter().map(reaction).collect(),
            own_reactions: reactions.own.iter().map(reaction).collect(),
            reaction_groups: self.groups(reactions).map(|(kind, group)| (kind.to_owned(), raw(&group))).collect(),
            own_bookmarks: own_bookmarks.iter().map(bookmark).collect(),
            collections: collections
                .iter()
                .map(|(of, entry)| (of.clone(), self.referred(of, entry.as_ref())))
                .collect(),
            ..counts(engagement)
        }
    }

    fn groups(self, reactions: &'a Summary) -> impl Iterator<Item = (&'a str, ReactionGroup)> {
        reactions.groups.iter().map(move |group| {
            let (first_reaction_at, last_reaction_at) = (self.time(group.first_at), self.time(group.last_at));
            (group.kind.as_str(), ReactionGroup { count: group.count, first_reaction_at, last_reaction_at })
        })
    }

    /// A reaction to the activity, or to a comment on it.
    pub(super) fn reaction(self, activity: &'a str, given: &'a Given) -> Reaction<'a> {
        Reaction {
            activity_id: activity,
            comment_id: match &given.object {
                Object::Comment(id) => Some(id),
                Object::Activity(_) => None,
            },
            kind: &given.kind,
            user: self.user(Some(&given.user)),
            custom: custom(&given.reaction.custom),
            created_at: self.time(given.reaction.created_at),
            updated_at: self.time(given.reaction.updated_at),
        }
    }

    /// A comment.
    pub(super) fn comment(self, shown: &'a ShownComment) -> Comment<'a> {
        let (scored, comment, reactions) = (&shown.scored, &shown.scored.comment, &shown.reactions);
        let reaction = |given: &'a Given| self.reaction(&comment.activity, given);
        Comment {
            id: &scored.id,
            object_id: &comment.activity,
            object_type: domain::v3::objects::ACTIVITY,
            parent_id: comment.parent.as_deref(),
            status: comment.status(),
            text: comment.is_live().then_some(&comment.text),
            i18n: translations(&comment.translations).filter(|_| comment.is_live()),
            attachments: attachments::shown(&comment.attachments, DIALECT),
            mentioned_users: comment.mentioned.iter().map(|user| self.user(Some(user))).collect(),
            custom: custom(&comment.custom),
            user: self.user(comment.user.as_ref()),
            reply_count: scored.replies,
            bookmark_count: scored.bookmarks,
            reaction_count: reactions.count(),
            upvote_count: scored.up,
            downvote_count: scored.down,
            score: scored.score(),
            confidence_score: scored.confidence(),
            controversy_score: scored.controversy(),
            latest_reactions: reactions.latest.iter().map(reaction).collect(),
            own_reactions: reactions.own.iter().map(reaction).collect(),
            reaction_groups: self.groups(reactions).collect::<BTreeMap<_, _>>(),
            created_at: self.time(comment.created_at),
            updated_at: self.time(comment.updated_at),
            edited_at: comment.edited_at.map(|at| self.time(at)),
            deleted_at: comment.deleted_at.map(|at| self.time(at)),
        }
    }

    /// A comment with replies below it.
    pub(super) fn threaded(self, node: &'a Node) -> ThreadedComment<'a> {
        ThreadedComment {
            comment: self.comment(&node.shown),
            replies: node.replies.iter().map(|reply| self.threaded(reply)).collect(),
            meta: node.meta.as_ref().map(|meta| RepliesMeta {
                has_more: meta.remaining > 0,
                remaining: meta.remaining,
                depth_truncated: meta.is_truncated,
                next_cursor: meta.next_cursor.as_deref(),
            }),
        }
    }

    /// A bookmark of `activity`, or of a comment on it.
    pub(super) fn bookmark(
        self,
        saved: &'a Saved,
        folder: Option<&'a Known>,
        activity: Activity<'a>,
        comment: Option<&'a ShownComment>,
    ) -> Bookmark<'a> {
        Bookmark {
            object_type: saved.object.kind(),
            object_id: saved.object.id(),
            activity_id: activity.id,
            activity: Box::new(activity),
            comment: comment.map(|comment| self.comment(comment)),
            folder: folder.map(|folder| self.folder(folder)),
            user: self.user(Some(&saved.user)),
            custom: custom(&saved.bookmark.custom),
            created_at: self.time(saved.bookmark.created_at),
            updated_at: self.time(saved.bookmark.updated_at),
        }
    }

    /// A folder of bookmarks.
    pub(super) fn folder(self, known: &'a Known) -> Folder<'a> {
        let folder = &known.folder;
        Folder {
            id: &known.id,
            name: &folder.name,
            user: self.user(Some(&folder.user)),
            custom: custom(&folder.custom),
            created_at: self.time(folder.created_at),
            updated_at: self.time(folder.updated_at),
        }
    }

    /// An entry of a collection.
    pub(super) fn collection(self, named: &'a Named) -> Collection<'a> {
        let entry = &named.collection;
        Collection {
            name: &named.of.name,
            id: &named.of.id,
            status: None,
            user_id: entry.user.as_ref().map(|user| user.as_str()),
            custom: custom(&entry.custom),
            created_at: Some(self.time(entry.created_at)),
            updated_at: Some(self.time(entry.updated_at)),
        }
    }

    /// What an activity refers to; without data if that is not there.
    fn referred(self, of: &'a str, entry: Option<&'a Named>) -> Box<RawValue> {
        let (name, id) = of.split_once(':').unwrap_or((of, ""));
        raw(&match entry {
            Some(entry) => Collection { status: Some("ok"), ..self.collection(entry) },
            None => Collection {
                name,
                id,
                status: Some("notfound"),
                user_id: None,
                custom: None,
                created_at: None,
                updated_at: None,
            },
        })
    }
}

/// What is counted of an activity, and nothing else.
fn counts(engagement: &Engagement) -> WireEngagement {
    let tallies = engagement.tallies;
    WireEngagement {
        comment_count: tallies.comments,
        reaction_count: tallies.reactions,
        bookmark_count: tallies.bookmarks,
        share_count: tallies.shares,
        ..WireEngagement::default()
    }
}
