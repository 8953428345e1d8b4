//! From what is stored to what callers of feeds v3 read.

use std::sync::LazyLock;

use domain::{
    users::{People, Person, User},
    v3::{
        Location,
        activities::{Audience, query::visibility},
        engagement::Share,
        levels,
        show::{Own, Shown, ShownEdge, ShownFeed, ShownMember},
    },
};
use ids::{Timestamp, UserId, json::Object};
use wire::{
    chat::{
        dialect::{Members, Time},
        users::User as WireUser,
    },
    v3::{
        activities::{Activity, Share as WireShare},
        engagement::Engagement as WireEngagement,
        feeds::{Feed, OwnData},
        follows::Follow,
        members::{Level, Member as WireMember},
    },
};

use super::read::DIALECT;
use crate::chat::{
    attachments,
    to_wire::{
        messages::{Frame, translations},
        users,
    },
};

/// The author of what stays when its author is gone for good (feeds-v3 §2.1).
static GONE: LazyLock<(UserId, Person)> = LazyLock::new(|| {
    let never = Timestamp::from_micros(0);
    let user = User { deleted_at: Some(never), ..User::new(never) };
    (UserId::parse("deleted-user").expect("the id is in the source"), Person::from(user))
});

/// Own fields that are not shown.
static EMPTY: LazyLock<Object> = LazyLock::new(Object::default);

/// Writes what is stored as the contract has it.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'a> {
    /// Whom the objects name.
    pub(crate) people: &'a People,
    /// The time.
    pub(crate) now: Timestamp,
}

impl<'a> Pen<'a> {
    pub(crate) fn time(self, at: Timestamp) -> Time {
        Time { at, dialect: DIALECT }
    }

    /// A user; the tombstone for one who is not there.
    pub(crate) fn user(self, id: Option<&'a UserId>) -> WireUser<'a> {
        let known = id.and_then(|id| users::embedded(DIALECT, self.people, id, self.now));
        known.unwrap_or_else(|| {
            let (gone, person) = &*GONE;
            let tombstone = users::user(DIALECT, gone, person, self.now);
            WireUser { id: id.map_or(gone.as_str(), UserId::as_str), ..tombstone }
        })
    }

    /// An activity, as it stands in no feed in particular.
    pub(crate) fn activity(self, shown: &'a Shown) -> Activity<'a> {
        self.written(shown, self.engagement(shown))
    }

    /// An activity with this around it.
    pub(super) fn written(self, shown: &'a Shown, engagement: WireEngagement) -> Activity<'a> {
        let Shown { activity, custom, search_data, is_preview, .. } = shown;
        let content = &activity.content;
        let (is_shown, empty) = (!is_preview, &*EMPTY);
        Activity {
            id: &activity.id,
            kind: &activity.kind,
            text: content.text.as_deref().filter(|_| is_shown),
            i18n: translations(&content.translations).filter(|_| is_shown),
            visibility: visibility(&content.audience),
            visibility_tag: match &content.audience {
                Audience::Tag(tag) => Some(tag),
                _ => None,
            },
            restrict_replies: content.replies.name(),
            feeds: activity.feeds.iter().map(|fid| fid.as_str()).collect(),
            user: self.user(activity.user.as_ref()),
            attachments: if is_shown { attachments::shown(&content.attachments, DIALECT) } else { Vec::new() },
            mentioned_users: content.mentioned.iter().map(|user| self.user(Some(user))).collect(),
            filter_tags: &content.filter_tags,
            interest_tags: &content.interest_tags,
            custom: Members(if is_shown { custom } else { empty }),
            search_data: Members(if is_shown { search_data } else { empty }),
            engagement,
            popularity: shown.engagement.tallies.popularity(),
            score: 0.0,
            hidden: shown.engagement.feedback.as_ref().is_some_and(|feedback| feedback.hides),
            poll: shown.engagement.poll.as_ref().filter(|_| is_shown).map(|poll| self.frame().poll(poll)),
            metrics: Some(&shown.engagement.metrics).filter(|metrics| !metrics.is_empty()),
            latest_shares: shown.engagement.latest_shares.iter().map(|share| self.share(share)).collect(),
            preview: *is_preview,
            created_at: self.time(activity.created_at),
            updated_at: self.time(activity.updated_at),
            edited_at: activity.edited_at.map(|at| self.time(at)),
            deleted_at: activity.deleted_at.map(|at| self.time(at)),
            expires_at: content.expires_at.map(|at| self.time(at)),
            location: content.location.map(location),
            parent: shown.parent.as_deref().map(|parent| Box::new(self.activity(parent))),
            friend_reactions: shown
                .friends
                .as_ref()
                .map(|friends| friends.latest.iter().map(|given| self.reaction(&activity.id, given)).collect()),
            friend_reaction_count: shown.friends.as_ref().map(|friends| friends.count),
            notification_context: shown.notice.as_ref().map(|context| self.notice(activity.user.as_ref(), context)),
            current_feed: shown.current_feed.as_deref().map(|feed| self.feed(feed)),
            selector_source: None,
            score_vars: None,
            is_read: None,
            is_seen: None,
            is_watched: None,
        }
    }

    /// A feed.
    pub(crate) fn feed(self, shown: &'a ShownFeed) -> Feed<'a> {
        let ShownFeed { fid, feed, custom, counts, own } = shown;
        Feed {
            feed: fid.as_str(),
            group_id: fid.group(),
            id: fid.id(),
            name: &feed.name,
            description: &feed.description,
            visibility: feed.visibility.name(),
            filter_tags: &feed.filter_tags,
            created_by: self.user(feed.created_by.as_ref()),
            activity_count: counts.activities,
            follower_count: counts.followers,
            following_count: counts.following,
            member_count: counts.members,
            pin_count: counts.pins,
            custom: Members(custom),
            location: feed.location.map(location),
            created_at: self.time(feed.created_at),
            updated_at: self.time(feed.updated_at),
            deleted_at: feed.deleted_at.map(|at| self.time(at)),
            own: own.as_ref().map(|own| self.own(own)).unwrap_or_default(),
        }
    }

    /// What a user has to do with a feed.
    pub(crate) fn own(self, own: &'a Own) -> OwnData<'a> {
        OwnData {
            own_capabilities: Some(own.capabilities.clone()),
            own_follows: Some(own.follows.iter().map(|edge| self.follow(edge)).collect()),
            own_followings: Some(own.followings.iter().map(|edge| self.follow(edge)).collect()),
            own_membership: own.membership.as_ref().map(|member| self.member(member)),
        }
    }

    /// A follow.
    pub(crate) fn follow(self, edge: &'a ShownEdge) -> Follow<'a> {
        let ShownEdge { follow, custom, source, target } = edge;
        Follow {
            source_feed: Box::new(self.feed(source)),
            target_feed: Box::new(self.feed(target)),
            status: follow.status.name(),
            follower_role: &follow.role,
            push_preference: if follow.pushes_all { "all" } else { "none" },
            custom: Members(custom),
            created_at: self.time(follow.created_at),
            updated_at: self.time(follow.updated_at),
            request_accepted_at: follow.accepted_at.map(|at| self.time(at)),
            request_rejected_at: follow.rejected_at.map(|at| self.time(at)),
        }
    }

    /// A member.
    pub(crate) fn member(self, shown: &'a ShownMember) -> WireMember<'a> {
        let ShownMember { user, member, custom, level } = shown;
        WireMember {
            user: self.user(Some(user)),
            role: &member.role,
            status: member.status.name(),
            custom: Members(custom),
            created_at: self.time(member.created_at),
            updated_at: self.time(member.updated_at),
            invite_accepted_at: member.accepted_at.map(|at| self.time(at)),
            invite_rejected_at: member.rejected_at.map(|at| self.time(at)),
            membership_level: level.as_ref().map(|known| self.level(known)),
        }
    }

    /// A membership level.
    pub(crate) fn level(self, known: &'a levels::Known) -> Level<'a> {
        let level = &known.level;
        Level {
            id: &known.id,
            name: &level.name,
            description: &level.description,
            priority: level.priority,
            tags: &level.tags,
            custom: Members(&known.custom),
            created_at: self.time(level.created_at),
            updated_at: self.time(level.updated_at),
        }
    }

    /// An activity that shares another.
    pub(super) fn share(self, share: &'a Share) -> WireShare<'a> {
        let Share { activity, user, created_at } = share;
        WireShare { activity_id: activity, user: self.user(user.as_ref()), created_at: self.time(*created_at) }
    }

    /// The same for what chat writes, too: polls and their votes.
    pub(super) fn frame(self) -> Frame<'a> {
        Frame { dialect: DIALECT, people: self.people, now: self.now, shows_deleted: false }
    }
}

fn location(location: Location) -> wire::v3::Location {
    wire::v3::Location { lat: location.lat, lng: location.lng }
}
