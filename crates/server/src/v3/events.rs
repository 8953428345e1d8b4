//! Events of feeds, as sockets and hooks are told of them (feeds-v3 §7): always in the v2 dialect.

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::events::Event,
    users::People,
    v3::{
        events::Subject,
        follows::Edge,
        show::{self, Shown, ShownEdge, ShownFeed, ShownMember},
    },
};
use ids::{Timestamp, json::Object};
use wire::{chat::dialect::Members, v3::events::Event as WireEvent};

use super::show::Pen;

/// What an event names, read once.
struct Scene {
    people: People,
    activity: Option<Shown>,
    feed: Option<ShownFeed>,
    follow: Option<ShownEdge>,
    member: Option<ShownMember>,
    more: Object,
}

/// The event as JSON.
///
/// # Errors
/// When the store fails.
pub(crate) async fn write(tx: &mut Tx, event: &Event, subject: &Subject, now: Timestamp) -> domain::Result<String> {
    let mut people = People::load(tx, &event.user).await?;
    let activity = match &subject.activity {
        Some((id, activity)) => show::activities(tx, vec![(*id, (**activity).clone())], None, &mut people).await?.pop(),
        None => None,
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
    let more = Object::parse(&event.more).unwrap_or_default();
    Ok(Scene { people, activity, feed, follow, member, more }.write(event, subject, now))
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
            activity: self.activity.as_ref().map(|shown| pen.activity(shown)),
            feed: self.feed.as_ref().map(|shown| pen.feed(shown)),
            follow: self.follow.as_ref().map(|shown| pen.follow(shown)),
            member: self.member.as_ref().map(|shown| pen.member(shown)),
            more,
        };
        serde_json::to_string(&wire).expect("wire types are JSON")
    }
}
