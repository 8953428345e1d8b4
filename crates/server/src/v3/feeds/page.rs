//! `POST /feed_groups/{group}/feeds/{feed}`: makes the feed if there is none, and reads a page of it (feeds-v3 §3.2).

use domain::{
    Tx,
    feeds::activities::Moment,
    filter::{Filter, Question},
    users::People,
    v3::{
        activities::{self, query::SCHEMA},
        feeds::{self, Feed, Input},
        follows::query::newest,
        groups::{self, CURRENT_FEED, FOLLOWING, Group},
        members::{self, Member},
        permit, pins,
        selectors::Rule,
        show::{self, Shown, ShownEdge, ShownFeed},
        timelines::{self, Page, Place, Wanted},
    },
};
use ids::{ActivityId, Fid, UserId};
use wire::v3::{Pager, activities::Activity, feeds::Read};

use super::super::{
    members as requests, pins as shown_pins,
    read::{self, Actor, LIMIT, LIMIT_MAX},
    show::Pen,
    watching::Watching,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What is asked of the call.
struct Asked {
    place: read::Place,
    around: Option<String>,
    filter: Filter,
    question: Question,
    watching: Watching,
    options: Options,
    followers: Option<Slice>,
    following: Option<Slice>,
    members: Option<Slice>,
}

/// Which part of a list beside the page.
#[derive(Clone, Copy)]
struct Slice {
    limit: usize,
    offset: usize,
}

/// What of the answer is left out, and what is added.
#[derive(Clone, Copy, Default)]
struct Options {
    skips_activities: bool,
    skips_current_feed: bool,
    skips_followers: bool,
    skips_following: bool,
    skips_pins: bool,
    skips_own_follows: bool,
    skips_own_capabilities: bool,
    shows_own_followings: bool,
    parts: Parts,
}

/// What of each activity is left out.
#[derive(Clone, Copy, Default)]
struct Parts {
    skips_collections: bool,
    skips_comments: bool,
    skips_mentioned: bool,
    skips_own_bookmarks: bool,
    skips_parents: bool,
    skips_reactions: bool,
}

impl Parts {
    fn leave_out(self, mut activity: Activity<'_>) -> Activity<'_> {
        let engagement = &mut activity.engagement;
        if self.skips_collections {
            engagement.collections.clear();
        }
        if self.skips_comments {
            engagement.comments.clear();
        }
        if self.skips_own_bookmarks {
            engagement.own_bookmarks.clear();
        }
        if self.skips_reactions {
            engagement.latest_reactions.clear();
            engagement.own_reactions.clear();
            engagement.reaction_groups.clear();
        }
        if self.skips_mentioned {
            activity.mentioned_users.clear();
        }
        if self.skips_parents {
            activity.parent = None;
        }
        activity
    }
}

impl Asked {
    fn read(call: &Call, sent: &mut Fields) -> Result<Self> {
        refuse_absent(sent)?;
        let filter = sent.raw("filter").map_or_else(String::new, |raw| raw.get().to_owned());
        Ok(Asked {
            place: read::Place::read(sent)?,
            around: sent.filled("id_around")?,
            question: Question::of(&[&filter]),
            filter: Filter::parse(&filter, SCHEMA)?,
            watching: Watching::read(call, sent)?,
            options: Options::read(sent)?,
            followers: Slice::read(sent, "followers_pagination")?,
            following: Slice::read(sent, "following_pagination")?,
            members: Slice::read(sent, "member_pagination")?,
        })
    }
}

impl Options {
    fn read(sent: &mut Fields) -> Result<Self> {
        let Some(mut given) = sent.object("enrichment_options")? else { return Ok(Options::default()) };
        let all = given.flag("skip_all")?.unwrap_or_default();
        if given.flag("include_flat_activities")? == Some(true) || given.flag("include_score_vars")? == Some(true) {
            return Err(Error::not_available("ranking or grouping a page"));
        }
        let shows_own_followings = given.flag("enrich_own_followings")?.unwrap_or_default();
        let mut skips = |name: &str| Ok::<_, Error>(given.flag(name)?.unwrap_or_default() || all);
        Ok(Options {
            skips_activities: skips("skip_activity")?,
            skips_current_feed: skips("skip_activity_current_feed")?,
            skips_followers: skips("skip_followers")?,
            skips_following: skips("skip_following")?,
            skips_pins: skips("skip_pins")?,
            skips_own_follows: skips("skip_own_follows")?,
            skips_own_capabilities: skips("skip_own_capabilities")?,
            shows_own_followings,
            parts: Parts {
                skips_collections: skips("skip_activity_collections")?,
                skips_comments: skips("skip_activity_comments")?,
                skips_mentioned: skips("skip_activity_mentioned_users")?,
                skips_own_bookmarks: skips("skip_activity_own_bookmarks")?,
                skips_parents: skips("skip_activity_parents")?,
                skips_reactions: skips("skip_activity_reactions")?,
            },
        })
    }
}

impl Slice {
    const FIRST: Slice = Slice { limit: LIMIT, offset: 0 };

    fn read(sent: &mut Fields, name: &str) -> Result<Option<Self>> {
        let Some(mut given) = sent.object(name)? else { return Ok(None) };
        let read::Place { limit, next, prev } = read::Place::read(&mut given)?;
        let offset = match next.or(prev) {
            None => 0,
            Some(text) => text.parse().map_err(|_| Error::field(name, "takes what an earlier page answered"))?,
        };
        Ok(Some(Slice { limit, offset }))
    }

    fn pager(self, has_more: bool) -> Pager {
        Pager {
            next: has_more.then(|| (self.offset + self.limit).to_string()),
            prev: (self.offset > 0).then(|| self.offset.saturating_sub(self.limit).to_string()),
        }
    }
}

/// What this version cannot do with a page, and does not pretend to.
fn refuse_absent(sent: &mut Fields) -> Result<()> {
    for (name, what) in [("view", "a feed view"), ("friend_reactions_options", "reactions of friends")] {
        let is_asked = match name {
            "view" => sent.filled(name)?.is_some(),
            _ => match sent.object(name)? {
                Some(mut options) => options.flag("enabled")?.unwrap_or_default(),
                None => false,
            },
        };
        if is_asked {
            return Err(Error::not_available(what));
        }
    }
    for name in ["interest_weights", "external_ranking"] {
        if sent.object(name)?.is_some_and(|given| !given.is_empty()) {
            return Err(Error::not_available("ranking a page"));
        }
    }
    Ok(())
}

/// The members in a feed that is to be made.
pub(super) fn members(sent: &mut Fields) -> Result<Vec<requests::Asked>> {
    sent.objects("members")?.unwrap_or_default().into_iter().map(requests::asked).collect()
}

/// The feed, made with its members if there is none; whether it was made.
pub(super) async fn ensure(
    tx: &mut Tx,
    fid: &Fid,
    owner: Option<&UserId>,
    input: &Input,
    asked: &[requests::Asked],
    moment: Moment,
) -> domain::Result<(Feed, bool)> {
    let (feed, is_new) = feeds::ensure(tx, fid, owner, input, moment.seed, moment.now).await?;
    if is_new {
        for member in asked {
            domain::users::ensure(tx, &member.user, moment.now).await?;
            let made = member.apply(Member::new(moment.now), moment.now);
            members::put(tx, &feed.stream, &member.user, &made).await?;
        }
    }
    Ok((feed, is_new))
}

/// `POST /feed_groups/{group}/feeds/{feed}`.
pub(in crate::v3) async fn get_or_create(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let asked = Asked::read(&call, &mut sent)?;
    let actor = Actor::find(&call, &mut sent)?;
    let (input, wanted) = match sent.object("data")? {
        Some(mut data) => (super::input(&mut data)?, members(&mut data)?),
        None => (Input::default(), Vec::new()),
    };
    let mut tx = call.snapshot();
    let group = groups::load(&mut tx, fid.group()).await?;
    let known = feeds::get(&mut tx, &fid).await?;
    drop(tx);
    let (feed, created) = match known {
        Some(feed) => (feed, false),
        None => make(&call, &fid, actor.as_ref(), &input, &wanted).await?,
    };
    let viewer = actor.map(|actor| actor.id);
    answer(&call, (fid, feed, created), &group, &asked, viewer.as_ref()).await
}

async fn make(
    call: &Call,
    fid: &Fid,
    actor: Option<&Actor>,
    input: &Input,
    wanted: &[requests::Asked],
) -> Result<(Feed, bool)> {
    let (by, moment) = (call.user().cloned(), read::moment(call));
    let made = call.tenant.app.write(async |tx| {
        permit::may_create(tx, fid, by.as_ref()).await?;
        if let Some(actor) = actor {
            actor.store(tx, moment.now).await?;
        }
        ensure(tx, fid, actor.map(|actor| &actor.id), input, wanted, moment).await
    });
    Ok(made.await?)
}

async fn answer(
    call: &Call,
    (fid, feed, created): (Fid, Feed, bool),
    group: &Group,
    asked: &Asked,
    viewer: Option<&UserId>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    permit::may_read(&mut tx, &fid, &feed, call.user()).await?;
    asked.watching.watch(call, [&fid].into_iter());
    let page = match asked.options.skips_activities {
        true => Page::default(),
        false => read_page(call, &mut tx, &fid, &feed, group, asked).await?,
    };
    let pager = Pager {
        next: page.rows.last().filter(|_| page.has_next).map(|row| asked.question.seal(&row.id.to_string())),
        prev: page.rows.first().filter(|_| page.has_prev).map(|row| asked.question.seal(&row.id.to_string())),
    };
    let origins = origins(&mut tx, &page, (&fid, &feed), asked.options, &mut people).await?;
    let found = page.rows.into_iter().map(|row| (row.id, row.activity)).collect();
    let mut shown: Vec<Shown> = show::activities(&mut tx, found, viewer, &mut people).await?;
    for (one, origin) in shown.iter_mut().zip(origins) {
        one.current_feed = origin.map(Box::new);
    }
    let Options { skips_followers, skips_following, .. } = asked.options;
    let followers = edges(&mut tx, &feed, true, asked.followers, skips_followers, &mut people).await?;
    let following = edges(&mut tx, &feed, false, asked.following, skips_following, &mut people).await?;
    let pinned = match asked.options.skips_pins {
        true => Vec::new(),
        false => {
            let pinned = pins::list(&mut tx, &feed.stream).await?;
            shown_pins::load(&mut tx, pinned, viewer, &mut people).await?
        }
    };
    let (listed, member_pagination) = listed(&mut tx, &feed, asked.members, &mut people).await?;
    let Options { skips_own_follows, skips_own_capabilities, shows_own_followings, parts, .. } = asked.options;
    let viewer = viewer.filter(|_| !(skips_own_follows && skips_own_capabilities));
    let shown_feed = super::load(&mut tx, fid, feed, viewer, &mut people).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    let activities = shown.iter().map(|shown| parts.leave_out(pen.activity(shown)));
    let mut feed = pen.feed(&shown_feed);
    let own = &mut feed.own;
    own.own_follows = own.own_follows.take().filter(|_| !skips_own_follows);
    own.own_capabilities = own.own_capabilities.take().filter(|_| !skips_own_capabilities);
    own.own_followings = own.own_followings.take().filter(|_| shows_own_followings);
    call.answer(&Read {
        created,
        feed,
        activities: activities.collect(),
        aggregated_activities: [],
        pinned_activities: shown_pins::wire(pen, &shown_feed.fid, &pinned),
        followers: followers.0.iter().map(|edge| pen.follow(edge)).collect(),
        following: following.0.iter().map(|edge| pen.follow(edge)).collect(),
        members: listed.iter().map(|member| pen.member(member)).collect(),
        followers_pagination: followers.1,
        following_pagination: following.1,
        member_pagination,
        pager,
    })
}

async fn read_page(call: &Call, tx: &mut Tx, fid: &Fid, feed: &Feed, group: &Group, asked: &Asked) -> Result<Page> {
    let is_built = |kind: &str| [CURRENT_FEED, FOLLOWING].contains(&kind);
    let selectors = group.selectors.as_deref().unwrap_or_default();
    let is_plain = selectors.iter().all(|selector| is_built(&selector.kind) && selector.sort.is_none());
    if !is_plain || group.aggregation.is_some() || group.ranking.is_some() {
        return Err(Error::not_available(&format!("reading feeds of the group '{}'", fid.group())));
    }
    let place = match (&asked.around, &asked.place.next, &asked.place.prev) {
        (Some(around), ..) => Place::Around(activities::load(tx, around).await?.0),
        (None, Some(next), _) => Place::After(cursor(asked.question, next)?),
        (None, None, Some(prev)) => Place::Before(cursor(asked.question, prev)?),
        (None, None, None) => Place::First,
    };
    let wanted = Wanted {
        limit: asked.place.limit.min(LIMIT_MAX),
        place,
        filter: &asked.filter,
        viewer: call.user(),
        without: feed.created_by.as_ref().filter(|_| group.excludes_owner == Some(true)),
        now: call.now(),
    };
    let rules = Rule::of_group(group, call.now())?;
    Ok(timelines::read(&call.tenant.app, &feed.stream, &rules, &wanted).await?)
}

fn cursor(question: Question, text: &str) -> Result<ActivityId> {
    ActivityId::parse(question.open(text)?)
        .map_err(|_| Error::field("next", "and prev take what an earlier page answered"))
}

/// The feed that brought each activity of the page: the first of those that hold it, if it does not stand in the feed
/// that is read.
async fn origins(
    tx: &mut Tx,
    page: &Page,
    (fid, feed): (&Fid, &Feed),
    options: Options,
    people: &mut People,
) -> Result<Vec<Option<ShownFeed>>> {
    let mut origins = Vec::with_capacity(page.rows.len());
    let mut known: Vec<(ids::FeedId, Option<ShownFeed>)> = Vec::new();
    for row in &page.rows {
        let stream = row.origin.as_ref().unwrap_or(&feed.stream);
        if options.skips_current_feed {
            origins.push(None);
            continue;
        }
        if let Some((_, shown)) = known.iter().find(|(other, _)| other == stream) {
            origins.push(shown.clone());
            continue;
        }
        let of = if *stream == feed.stream { Some(fid.clone()) } else { feeds::of_stream(tx, stream).await? };
        let shown = match of {
            Some(fid) => match feeds::get(tx, &fid).await? {
                Some(feed) => Some(show::feed(tx, fid, feed, people).await?),
                None => None,
            },
            None => None,
        };
        known.push((stream.clone(), shown.clone()));
        origins.push(shown);
    }
    Ok(origins)
}

async fn edges(
    tx: &mut Tx,
    feed: &Feed,
    is_of_it: bool,
    slice: Option<Slice>,
    is_skipped: bool,
    people: &mut People,
) -> Result<(Vec<ShownEdge>, Option<Pager>)> {
    if slice.is_none() && is_skipped {
        return Ok((Vec::new(), None));
    }
    let slice = slice.unwrap_or(Slice::FIRST);
    let (found, has_more) = newest(tx, &feed.stream, is_of_it, slice.limit, slice.offset).await?;
    Ok((show::edges(tx, found, people).await?, Some(slice.pager(has_more))))
}

async fn listed(
    tx: &mut Tx,
    feed: &Feed,
    slice: Option<Slice>,
    people: &mut People,
) -> Result<(Vec<show::ShownMember>, Option<Pager>)> {
    let slice = slice.unwrap_or(Slice::FIRST);
    let all = members::list(tx, &feed.stream, members::LOOKED_AT_MAX).await?;
    let has_more = all.len() > slice.offset + slice.limit;
    let part = all.into_iter().skip(slice.offset).take(slice.limit).collect();
    Ok((show::members(tx, part, people).await?, Some(slice.pager(has_more))))
}
