//! Events of feeds, as sockets and hooks are told of them (feeds-v3 §7): always in the v2 dialect.

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::events::Event,
    polls::{self, Cast},
    users::People,
    v3::{
        bookmarks::Saved,
        comments::{self, Shown as ShownComment},
        events::{Polled, Subject},
        folders::{self, Known},
        follows::Edge,
        reactions::Given,
        show::{self, Shown, ShownEdge, ShownFeed, ShownMember},
        updates,
    },
};
use ids::{Timestamp, UserId, json::Object};
use wire::{
    chat::dialect::Members,
    v3::{
        activities::Pinned,
        bookmarks::Bookmark,
        events::{Event as WireEvent, Feedback},
        reactions::Reaction,
    },
};

use super::{news::Status, show::Pen};

/// What an event names, read once.
struct Scene {
    people: People,
    activity: Option<Shown>,
    feed: Option<ShownFeed>,
    follow: Option<ShownEdge>,
    member: Option<ShownMember>,
    made: Made,
    /// The poll with its votes as they are now, and the vote that the event is about.
    poll: Option<(polls::Shown, Option<Cast>)>,
    /// What of the feed is new to its owner, where that is told.
    status: Option<Status>,
    more: Object,
}

/// The event as JSON.
///
/// # Errors
/// When the store fails.
pub(crate) async fn write(tx: &mut Tx, event: &Event, subject: &Subject, now: Timestamp) -> domain::Result<String> {
    let mut people = People::load(tx, &event.user).await?;
    let activity = match subject.activity(tx).await {
        Ok(Some(activity)) => show::activities(tx, vec![activity], None, &mut people).await?.pop(),
        // Where it is gone, the rest is told.
        Ok(None) | Err(domain::Error::Absent(_)) => None,
        Err(error) => return Err(error),
    };
    let feed = match (&subject.fid, &subject.feed) {
        (Some(fid), Some(feed)) => Some(show::feed(tx, fid.clone(), (**feed).clone(), &mut people).await?),
        _ => None,
    };
    let follow = match &subject.follow {
        Some((source, target, follow)) => {
            let edge = Edge { source: source.clone(), target: target.clone(), follow: (**follow).clone() };
            show::edges(tx, vec![edge], &mut people).await?.pop()
        }
        None => None,
    };
    let member = match &subject.member {
        Some((user, member)) => show::members(tx, vec![(user.clone(), (**member).clone())], &mut people).await?.pop(),
        None => None,
    };
    let made = Made::read(tx, subject, &mut people).await?;
    let poll = poll(tx, subject, &mut people).await?;
    people.add(tx, subject.feedback.iter().map(|said| &said.user)).await?;
    let status = match &subject.fid {
        Some(fid) if event.kind == updates::NOTIFICATIONS => Status::load(tx, fid, now).await?,
        _ => None,
    };
    let more = Object::parse(&event.more).unwrap_or_default();
    Ok(Scene { people, activity, feed, follow, member, made, poll, status, more }.write(event, subject, now))
}

impl Scene {
    fn write(&self, event: &Event, subject: &Subject, now: Timestamp) -> String {
        let pen = Pen { people: &self.people, now };
        let (empty, group) = (Object::default(), subject.group.as_ref().map(|name| serde_json::json!({ "id": name })));
        let group = group.map(|group| serde_json::value::to_raw_value(&group).expect("it is JSON"));
        let mut more: BTreeMap<&str, _> = self.more.iter().collect();
        more.extend(group.as_deref().map(|group| ("feed_group", group)));
        let wire = WireEvent {
            kind: &event.kind,
            created_at: pen.time(event.at),
            custom: Members(&empty),
            fid: subject.fid.as_ref().map(|fid| fid.as_str()),
            feed_visibility: subject.visibility.map(|visibility| visibility.name()),
            user: event.user.as_ref().map(|user| {
                let shown = pen.user(Some(user));
                wire::chat::users::User { invisible: None, shadow_banned: None, ..shown }
            }),
            // A bookmark and a pin hold it themselves; a bookmark names no feed.
            activity: self
                .activity
                .as_ref()
                .filter(|_| self.made.saved.is_none() && subject.feedback.is_none() && subject.pinned_at.is_none())
                .map(|shown| pen.activity(shown)),
            pinned_activity: self.pinned(pen, event, subject),
            feed: self.feed.as_ref().map(|shown| pen.feed(shown)),
            follow: self.follow.as_ref().map(|shown| pen.follow(shown)),
            member: self.member.as_ref().map(|shown| pen.member(shown)),
            comment: self.made.comment.as_ref().map(|shown| pen.comment(shown)),
            reaction: self.made.reaction(pen, self.activity.as_ref()),
            bookmark: self.made.bookmark(pen, self.activity.as_ref()),
            bookmark_folder: self.made.folder.as_ref().map(|known| pen.folder(known)),
            notification_status: self.status.map(|status| status.written(pen)),
            poll: self.poll.as_ref().map(|(shown, _)| pen.frame().poll(shown)),
            poll_vote: self.poll.as_ref().and_then(|(shown, cast)| Some(pen.frame().vote(shown, cast.as_ref()?))),
            activity_feedback: self.feedback(pen, subject),
            more,
        };
        serde_json::to_string(&wire).expect("wire types are JSON")
    }

    fn pinned<'a>(&'a self, pen: Pen<'a>, event: &'a Event, subject: &'a Subject) -> Option<Pinned<'a>> {
        Some(Pinned {
            feed: subject.fid.as_ref()?.as_str(),
            user_id: event.user.as_ref().map_or("", UserId::as_str),
            created_at: pen.time(subject.pinned_at?),
            activity: pen.activity(self.activity.as_ref()?),
        })
    }

    fn feedback<'a>(&'a self, pen: Pen<'a>, subject: &'a Subject) -> Option<Feedback<'a>> {
        let (said, shown) = (subject.feedback.as_deref()?, self.activity.as_ref()?);
        Some(Feedback {
            action: &said.action,
            activity_id: &shown.activity.id,
            value: if said.value { "true" } else { "false" },
            user: pen.user(Some(&said.user)),
            created_at: pen.time(said.created_at),
            updated_at: pen.time(said.updated_at),
        })
    }
}

/// The poll that an event is about, as nobody in particular sees it.
async fn poll(
    tx: &mut Tx,
    subject: &Subject,
    people: &mut People,
) -> domain::Result<Option<(polls::Shown, Option<Cast>)>> {
    let Some(Polled { id, poll, vote }) = subject.poll.as_deref().cloned() else { return Ok(None) };
    let shown = polls::show(tx, &id, poll, None).await?;
    let vote = vote.map(|(id, vote)| Cast { id, vote });
    people.add(tx, shown.named().chain(vote.iter().map(|cast| &cast.vote.user))).await?;
    Ok(Some((shown, vote)))
}

/// What somebody made of an activity.
struct Made {
    comment: Option<ShownComment>,
    given: Option<Given>,
    saved: Option<(Saved, Option<Known>)>,
    folder: Option<Known>,
}

impl Made {
    async fn read(tx: &mut Tx, subject: &Subject, people: &mut People) -> domain::Result<Self> {
        let comment = match subject.comment(tx).await? {
            Some(comment) => comments::gather(tx, vec![comment], None).await?.pop(),
            None => None,
        };
        let given = subject.reaction.clone().map(|(object, user, kind, reaction)| Given {
            object,
            user,
            kind,
            reaction: *reaction,
        });
        let saved = match subject.bookmark.clone() {
            Some((object, user, folder, bookmark)) => {
                let saved = Saved { user, object, folder, bookmark: *bookmark };
                let folder = folders::of(tx, &saved).await?;
                Some((saved, folder))
            }
            None => None,
        };
        let folder = subject.folder.clone().map(|(id, folder)| Known { id, folder: *folder });
        people.add(tx, comment.iter().flat_map(ShownComment::users)).await?;
        let makers = given.iter().map(|given| &given.user).chain(saved.iter().map(|(saved, _)| &saved.user));
        let makers: Vec<_> = makers.chain(folder.iter().map(|known| &known.folder.user)).cloned().collect();
        people.add(tx, &makers).await?;
        Ok(Made { comment, given, saved, folder })
    }

    fn reaction<'a>(&'a self, pen: Pen<'a>, activity: Option<&'a Shown>) -> Option<Reaction<'a>> {
        Some(pen.reaction(&activity?.activity.id, self.given.as_ref()?))
    }

    fn bookmark<'a>(&'a self, pen: Pen<'a>, activity: Option<&'a Shown>) -> Option<Bookmark<'a>> {
        let (saved, folder) = self.saved.as_ref()?;
        Some(pen.bookmark(saved, folder.as_ref(), pen.activity(activity?), self.comment.as_ref()))
    }
}
