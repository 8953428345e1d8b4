//! What clients and hooks are told of feeds (feeds-v3 §7).
//!
//! An event is a [`chat::events::Event`](crate::chat::events::Event), so that it takes the same way to sockets and hooks,
//! with a [`Subject`] that says what of the feeds it is about.

use ids::{ActivityId, Fid, Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::{
    activities::{self, Activity},
    bookmarks::Bookmark,
    comments::{self, Comment},
    feedback::Said,
    feeds::{Feed, Visibility},
    folders::Folder,
    follows::Follow,
    members::Member,
    objects::Object,
    reactions::Reaction,
};
use crate::{
    Error, Result, Tx,
    chat::events,
    polls::{Poll, Vote},
};

/// What an event of the feeds is about. What is absent plays no part.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Subject {
    /// The feed in which it happened.
    #[n(0)]
    pub fid: Option<Fid>,
    /// Who saw that feed then.
    #[n(1)]
    pub visibility: Option<Visibility>,
    /// The activity, as it was then; see [`Subject::about`].
    #[n(2)]
    pub activity: Option<(ActivityId, Box<Activity>)>,
    /// The feed, as it was then.
    #[n(3)]
    pub feed: Option<Box<Feed>>,
    /// The follow: follower, followed.
    #[n(4)]
    pub follow: Option<(Fid, Fid, Box<Follow>)>,
    /// The feed group.
    #[n(5)]
    pub group: Option<String>,
    /// The member.
    #[n(6)]
    pub member: Option<(UserId, Box<Member>)>,
    /// The comment, as it was then; see [`Subject::about_comment`].
    #[n(7)]
    pub comment: Option<(String, Box<Comment>)>,
    /// The reaction: to what, by whom, its type.
    #[n(8)]
    pub reaction: Option<(Object, UserId, String, Box<Reaction>)>,
    /// The bookmark: of what, whose, in which folder.
    #[n(9)]
    pub bookmark: Option<(Object, UserId, String, Box<Bookmark>)>,
    /// The folder of bookmarks.
    #[n(10)]
    pub folder: Option<(String, Box<Folder>)>,
    /// The poll, and the vote.
    #[n(11)]
    pub poll: Option<Box<Polled>>,
    /// What a user said of the activity.
    #[n(12)]
    pub feedback: Option<Box<Said>>,
    /// Since when the activity was pinned, if the event is about its pin.
    #[n(13)]
    pub pinned_at: Option<Timestamp>,
    /// The activity, where it is told as it is by then.
    #[n(14)]
    pub large_activity: Option<ActivityId>,
    /// The comment, where it is told as it is by then.
    #[n(15)]
    pub large_comment: Option<String>,
}

/// The most bytes that an activity or a comment says in an event.
const TOLD_BYTES_MAX: usize = 12 * 1024;

impl Subject {
    /// The same, about this activity.
    ///
    /// One that says much is told as it is when the event is told, or without its words if it was deleted: each feed that
    /// holds it has an event of its own, and all of them stand in one transaction.
    #[must_use]
    pub fn about(self, id: ActivityId, activity: &Activity) -> Self {
        let of = |activity: Activity| Some((id, Box::new(activity)));
        match (activity.content.bytes() > TOLD_BYTES_MAX, activity.deleted_at) {
            (false, _) => Subject { activity: of(activity.clone()), ..self },
            (true, None) => Subject { large_activity: Some(id), ..self },
            (true, Some(_)) => {
                let content = activity.content.without_words();
                Subject { activity: of(Activity { content, ..activity.clone() }), ..self }
            }
        }
    }

    /// The activity that it is about.
    ///
    /// # Errors
    /// [`Error::Absent`] when it is to be told as it is by now, and is gone; when the store fails.
    pub async fn activity(&self, tx: &mut Tx) -> Result<Option<(ActivityId, Activity)>> {
        match (&self.activity, self.large_activity) {
            (Some((id, activity)), _) => Ok(Some((*id, (**activity).clone()))),
            (None, None) => Ok(None),
            (None, Some(id)) => match activities::get_many(tx, &[id]).await?.pop().flatten() {
                Some(activity) => Ok(Some((id, activity))),
                None => Err(Error::Absent("the activity that the event is about is gone".to_owned())),
            },
        }
    }

    /// The same, about this comment; see [`Subject::about`].
    #[must_use]
    pub fn about_comment(self, id: &str, comment: &Comment) -> Self {
        let of = |comment: Comment| Some((id.to_owned(), Box::new(comment)));
        match (comment.bytes() > TOLD_BYTES_MAX, comment.deleted_at) {
            (false, _) => Subject { comment: of(comment.clone()), ..self },
            (true, None) => Subject { large_comment: Some(id.to_owned()), ..self },
            (true, Some(_)) => Subject { comment: of(comment.without_words()), ..self },
        }
    }

    /// The same without what the activity, the comment and the poll say.
    pub(crate) fn without_words(self) -> Self {
        let activity = self.activity.map(|(id, activity)| {
            let content = activity.content.without_words();
            (id, Box::new(Activity { content, ..*activity }))
        });
        let comment = self.comment.map(|(id, comment)| (id, Box::new(comment.without_words())));
        let poll =
            self.poll.map(|polled| Box::new(Polled { poll: polled.poll.without_words(), vote: None, ..*polled }));
        Subject { activity, comment, poll, ..self }
    }

    /// The comment that it is about; nothing, too, if it is to be told as it is by now, and is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn comment(&self, tx: &mut Tx) -> Result<Option<(String, Comment)>> {
        match (&self.comment, &self.large_comment) {
            (Some((id, comment)), _) => Ok(Some((id.clone(), (**comment).clone()))),
            (None, None) => Ok(None),
            (None, Some(id)) => Ok(comments::get(tx, id).await?.map(|comment| (id.clone(), comment))),
        }
    }
}

/// A poll, as it was then.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Polled {
    /// The id.
    #[n(0)]
    pub id: String,
    /// The poll.
    #[n(1)]
    pub poll: Poll,
    /// The vote, with its id.
    #[n(2)]
    pub vote: Option<(String, Vote)>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    kind: String,
    at: Timestamp,
    user: Option<UserId>,
    /// What it is about.
    pub subject: Subject,
    /// More members: a JSON object.
    more: String,
}

impl Event {
    /// An event about `subject`.
    pub fn new(kind: &str, at: Timestamp, subject: Subject) -> Self {
        Event { kind: kind.to_owned(), at, user: None, subject, more: "{}".to_owned() }
    }

    /// An event about a feed.
    pub fn of_feed(kind: &str, fid: &Fid, feed: &Feed, at: Timestamp) -> Self {
        let subject = Subject {
            fid: Some(fid.clone()),
            visibility: Some(feed.visibility),
            feed: Some(Box::new(feed.clone())),
            ..Subject::default()
        };
        Self::new(kind, at, subject)
    }

    /// An event about an activity in a feed.
    pub fn of_activity(kind: &str, fid: &Fid, (id, activity): (ActivityId, &Activity), at: Timestamp) -> Self {
        let subject = Subject { fid: Some(fid.clone()), ..Subject::default() };
        Self::new(kind, at, subject.about(id, activity))
    }

    /// An event about a follow.
    pub fn of_follow(kind: &str, (source, target): (&Fid, &Fid), follow: &Follow, at: Timestamp) -> Self {
        let subject = Subject {
            fid: Some(target.clone()),
            follow: Some((source.clone(), target.clone(), Box::new(follow.clone()))),
            ..Subject::default()
        };
        Self::new(kind, at, subject)
    }

    /// An event in a feed.
    pub fn in_feed(kind: &str, fid: &Fid, at: Timestamp) -> Self {
        Self::new(kind, at, Subject { fid: Some(fid.clone()), ..Subject::default() })
    }

    /// An event about a member of a feed.
    pub fn of_member(kind: &str, fid: &Fid, (user, member): (&UserId, &Member), at: Timestamp) -> Self {
        let mut event = Self::in_feed(kind, fid, at);
        event.subject.member = Some((user.clone(), Box::new(member.clone())));
        event
    }

    /// An event about a feed group.
    pub fn of_group(kind: &str, name: &str, at: Timestamp) -> Self {
        Self::new(kind, at, Subject { group: Some(name.to_owned()), ..Subject::default() })
    }

    /// The same by `user`.
    #[must_use]
    pub fn by(self, user: Option<&UserId>) -> Self {
        Event { user: user.cloned(), ..self }
    }

    /// The same with more members: a JSON object.
    #[must_use]
    pub fn with(self, more: impl Into<String>) -> Self {
        Event { more: more.into(), ..self }
    }
}

/// Writes `event` into the log of the commit.
pub fn record(tx: &mut Tx, event: Event) {
    let Event { kind, at, user, subject, more } = event;
    let told = events::Event::new(&kind, at, None).by(user.as_ref()).with(more);
    events::record(tx, events::Event { feeds: Some(Box::new(subject)), ..told });
}
