//! What answers and events embed: activities with all that stands around them, feeds with what is counted of them.

use std::collections::{BTreeMap, BTreeSet};

use ids::{ActivityId, Fid, Timestamp, UserId, json::Object};

use super::{
    activities::{self, Activity, Audience},
    engagement::{self, Engagement},
    feeds::{self, Counts, Feed},
    follows::{self, Edge},
    friends::{self, FriendReactions},
    levels,
    members::{self, Member},
    notifications, permit,
};
use crate::{Result, Tx, users::People};

/// The most follows in the `own_…` members of a feed (feeds-v3 §3.2).
const OWN_MAX: usize = 5;

/// An activity, ready to be shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Which.
    pub id: ActivityId,
    /// What is stored.
    pub activity: Activity,
    /// The application's own fields.
    pub custom: Object,
    /// What a search finds it by.
    pub search_data: Object,
    /// What users made of it.
    pub engagement: Engagement,
    /// The activity that it shares, if that is still there.
    pub parent: Option<Box<Shown>>,
    /// Whether only that it is there is shown: it is for some of its readers.
    pub is_preview: bool,
    /// What it quotes, if it notifies of something.
    pub notice: Option<notifications::Context>,
    /// What friends of the viewer made of it, where that is asked.
    pub friends: Option<FriendReactions>,
    /// The feed that brought it, or one that holds it, where that is shown.
    pub current_feed: Option<Box<ShownFeed>>,
}

/// Makes activities ready to be shown to `viewer`, in their order; adds to `people` whom they name. Activities that they
/// share are shown with them, one step deep.
///
/// # Errors
/// When the store fails.
pub async fn activities(
    tx: &mut Tx,
    found: Vec<(ActivityId, Activity)>,
    viewer: Option<&UserId>,
    people: &mut People,
) -> Result<Vec<Shown>> {
    let parents: Vec<ActivityId> = found.iter().filter_map(|(_, activity)| activity.parent).collect();
    let parents = known(tx, parents).await?;
    let parents = plain(tx, parents, viewer, people).await?;
    let parents: BTreeMap<ActivityId, Shown> = parents.into_iter().map(|shown| (shown.id, shown)).collect();
    let mut shown = plain(tx, found, viewer, people).await?;
    for one in &mut shown {
        one.parent = one.activity.parent.and_then(|parent| parents.get(&parent)).cloned().map(Box::new);
    }
    Ok(shown)
}

/// Adds to activities what friends of `viewer` made of them, at most `limit` reactions each.
///
/// # Errors
/// When the store fails.
pub async fn add_friends(
    tx: &mut Tx,
    shown: &mut [Shown],
    (viewer, is_mutual): (&UserId, bool),
    limit: usize,
    people: &mut People,
) -> Result<()> {
    let known = friends::of(tx, viewer, is_mutual).await?;
    for one in shown {
        let found = match one.engagement.tallies.reactions {
            0 => FriendReactions::default(),
            _ => friends::reactions(tx, &one.activity.id, &known, limit).await?,
        };
        people.add(tx, found.latest.iter().map(|given| &given.user)).await?;
        one.friends = Some(found);
    }
    Ok(())
}

/// Those of `ids` that are there, each once.
async fn known(tx: &mut Tx, ids: Vec<ActivityId>) -> Result<Vec<(ActivityId, Activity)>> {
    let ids: Vec<ActivityId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let found = activities::get_many(tx, &ids).await?;
    let found = ids.into_iter().zip(found).filter_map(|(id, activity)| Some((id, activity?)));
    Ok(found.filter(|(_, activity)| activity.deleted_at.is_none()).collect())
}

async fn plain(
    tx: &mut Tx,
    found: Vec<(ActivityId, Activity)>,
    viewer: Option<&UserId>,
    people: &mut People,
) -> Result<Vec<Shown>> {
    people.add(tx, &named(&found)).await?;
    let mut previews = Vec::with_capacity(found.len());
    let mut notices = Vec::with_capacity(found.len());
    for (_, activity) in &found {
        previews.push(is_preview(tx, activity, viewer).await?);
        notices.push(match &activity.notice {
            Some(notice) => Some(notifications::quote(tx, notice).await?),
            None => None,
        });
    }
    let engagements = engagement::load(tx, &found, viewer, people).await?;
    let shown = found.into_iter().zip(engagements).zip(previews.into_iter().zip(notices));
    let shown = shown.map(|(((id, activity), engagement), (is_preview, notice))| Shown {
        id,
        custom: activity.custom(),
        search_data: activity.search_data(),
        engagement,
        parent: None,
        is_preview,
        notice,
        friends: None,
        current_feed: None,
        activity,
    });
    Ok(shown.collect())
}

/// Whom activities name.
fn named(found: &[(ActivityId, Activity)]) -> BTreeSet<UserId> {
    let of_one = |(_, activity): &(ActivityId, Activity)| {
        let named: Vec<_> = activity.user.iter().chain(&activity.content.mentioned).cloned().collect();
        named
    };
    found.iter().flat_map(of_one).collect()
}

/// Whether `viewer` sees only that there is such an activity. The app's own server sees everything.
async fn is_preview(tx: &mut Tx, activity: &Activity, viewer: Option<&UserId>) -> Result<bool> {
    match viewer {
        Some(viewer) => Ok(!levels::opens(tx, activity, viewer).await?),
        None => Ok(false),
    }
}

/// A feed, ready to be shown.
#[derive(Clone, Debug)]
pub struct ShownFeed {
    /// Which.
    pub fid: Fid,
    /// What is stored.
    pub feed: Feed,
    /// The application's own fields.
    pub custom: Object,
    /// What is counted of it.
    pub counts: Counts,
    /// What the viewer is to it, if that is asked.
    pub own: Option<Own>,
}

/// What a user has to do with a feed: the `own_…` members.
#[derive(Clone, Debug)]
pub struct Own {
    /// What the user can do with it, by the names of the API.
    pub capabilities: Vec<&'static str>,
    /// Follows of it by the user's feeds.
    pub follows: Vec<ShownEdge>,
    /// Follows of the user's feeds by it.
    pub followings: Vec<ShownEdge>,
    /// The user as its member.
    pub membership: Option<ShownMember>,
}

/// A member of a feed, ready to be shown.
#[derive(Clone, Debug)]
pub struct ShownMember {
    /// Who.
    pub user: UserId,
    /// What is stored.
    pub member: Member,
    /// The application's own fields.
    pub custom: Object,
    /// The membership level, if it is still there.
    pub level: Option<levels::Known>,
}

/// Makes members ready to be shown, in their order; adds them to `people`.
///
/// # Errors
/// When the store fails.
pub async fn members(tx: &mut Tx, found: Vec<(UserId, Member)>, people: &mut People) -> Result<Vec<ShownMember>> {
    let users: Vec<UserId> = found.iter().map(|(user, _)| user.clone()).collect();
    people.add(tx, &users).await?;
    let mut shown = Vec::with_capacity(found.len());
    for (user, member) in found {
        let level = match &member.level {
            Some(id) => levels::get(tx, id).await?,
            None => None,
        };
        shown.push(ShownMember { custom: member.custom(), level, user, member });
    }
    Ok(shown)
}

/// A follow with both feeds, ready to be shown.
#[derive(Clone, Debug)]
pub struct ShownEdge {
    /// The follow.
    pub follow: follows::Follow,
    /// The application's own fields.
    pub custom: Object,
    /// The follower.
    pub source: Box<ShownFeed>,
    /// The followed.
    pub target: Box<ShownFeed>,
}

/// Makes a feed ready to be shown; adds its owner to `people`.
///
/// # Errors
/// When the store fails.
pub async fn feed(tx: &mut Tx, fid: Fid, feed: Feed, people: &mut People) -> Result<ShownFeed> {
    people.add(tx, &feed.created_by).await?;
    let counts = feeds::counts(tx, &feed.stream).await?;
    Ok(ShownFeed { fid, custom: feed.custom(), feed, counts, own: None })
}

/// Adds to `shown` what `viewer` has to do with it.
///
/// # Errors
/// When the store fails.
pub async fn own(tx: &mut Tx, shown: &mut ShownFeed, viewer: &UserId, people: &mut People) -> Result<()> {
    let capabilities = permit::capabilities(tx, &shown.feed, viewer).await?;
    let mut edges = Vec::new();
    for (source, follow) in follows::of_user(tx, viewer, &shown.feed).await?.into_iter().take(OWN_MAX) {
        edges.push(Edge { source, target: shown.fid.clone(), follow });
    }
    let mut back = Vec::new();
    for (target, feed) in follows::own_feeds(tx, viewer).await? {
        let follow = follows::get(tx, &shown.feed.stream, &feed.stream).await?;
        let accepted = follow.filter(|follow| follow.status == follows::Status::Accepted);
        back.extend(accepted.map(|follow| Edge { source: shown.fid.clone(), target, follow }));
    }
    back.truncate(OWN_MAX);
    let membership = members::get(tx, &shown.feed.stream, viewer).await?.map(|member| (viewer.clone(), member));
    let membership = self::members(tx, membership.into_iter().collect(), people).await?.pop();
    shown.own = Some(Own {
        capabilities,
        follows: self::edges(tx, edges, people).await?,
        followings: self::edges(tx, back, people).await?,
        membership,
    });
    Ok(())
}

/// What a user has to do with feeds, each looked up once.
pub struct Owning<'a> {
    viewer: &'a UserId,
    known: BTreeMap<Fid, Own>,
}

impl<'a> Owning<'a> {
    /// Knows nothing yet of what `viewer` has to do with which feed.
    pub fn new(viewer: &'a UserId) -> Self {
        Owning { viewer, known: BTreeMap::new() }
    }

    /// Adds to `feed` what the viewer has to do with it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add(&mut self, tx: &mut Tx, feed: &mut ShownFeed, people: &mut People) -> Result<()> {
        if let Some(own) = self.known.get(&feed.fid) {
            feed.own = Some(own.clone());
            return Ok(());
        }
        own(tx, feed, self.viewer, people).await?;
        self.known.extend(feed.own.clone().map(|own| (feed.fid.clone(), own)));
        Ok(())
    }

    /// Adds it to both ends of follows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_to_ends(&mut self, tx: &mut Tx, edges: &mut [ShownEdge], people: &mut People) -> Result<()> {
        for edge in edges {
            self.add(tx, &mut edge.source, people).await?;
            self.add(tx, &mut edge.target, people).await?;
        }
        Ok(())
    }

    /// Adds it to the current feed of `one`, which is the first of its feeds that the viewer may read if it has none yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_to_current(&mut self, tx: &mut Tx, one: &mut Shown, people: &mut People) -> Result<()> {
        if one.current_feed.is_none() {
            one.current_feed = self.first_open(tx, &one.activity, people).await?.map(Box::new);
        }
        match &mut one.current_feed {
            Some(feed) => self.add(tx, feed, people).await,
            None => Ok(()),
        }
    }

    async fn first_open(&self, tx: &mut Tx, activity: &Activity, people: &mut People) -> Result<Option<ShownFeed>> {
        let feeds = feeds::get_many(tx, &activity.feeds).await?;
        for (fid, feed) in activity.feeds.iter().zip(feeds) {
            let Some(feed) = feed else { continue };
            if permit::reads(tx, &feed, self.viewer).await? {
                return Ok(Some(self::feed(tx, fid.clone(), feed, people).await?));
            }
        }
        Ok(None)
    }
}

/// Makes follows ready to be shown, in their order; one whose feed is gone is left out.
///
/// # Errors
/// When the store fails.
pub async fn edges(tx: &mut Tx, edges: Vec<Edge>, people: &mut People) -> Result<Vec<ShownEdge>> {
    let mut known: BTreeMap<Fid, Option<ShownFeed>> = BTreeMap::new();
    let mut shown = Vec::with_capacity(edges.len());
    for Edge { source, target, follow } in edges {
        for fid in [&source, &target] {
            if !known.contains_key(fid) {
                let found = feeds::get(tx, fid).await?;
                let found = match found {
                    Some(feed) => Some(self::feed(tx, fid.clone(), feed, people).await?),
                    None => None,
                };
                known.insert(fid.clone(), found);
            }
        }
        if let (Some(Some(source)), Some(Some(target))) = (known.get(&source), known.get(&target)) {
            let (source, target) = (Box::new(source.clone()), Box::new(target.clone()));
            shown.push(ShownEdge { custom: follow.custom(), follow, source, target });
        }
    }
    Ok(shown)
}

/// Whether the activity is shown in a list to `viewer` at `now`.
pub fn is_listed(activity: &Activity, viewer: Option<&UserId>, now: Timestamp) -> bool {
    let is_private = activity.content.audience == Audience::Private;
    let may_see = !is_private || viewer.is_none_or(|viewer| activity.is_of(viewer));
    activity.deleted_at.is_none() && !activity.is_expired(now) && may_see
}
