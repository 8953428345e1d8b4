//! A page of a feed: what stands on it, in which order and in which groups (feeds-v3 §3.1, §5).

use std::collections::{BTreeMap, HashSet};

use domain::{
    Tx,
    filter::{Area, Question},
    users,
    v3::{
        activities,
        feeds::Feed,
        interests,
        marks::{Kind, Marks},
        pages::{self, Around, Bundle, Picked, Reader, bundles},
        ranking::Interests,
        recipes::{Recipe, Tracks},
        suggestions,
        timelines::{self, Found, Place, Wanted},
    },
};
use ids::{ActivityId, FeedId, UserId};
use wire::v3::{Pager, activities::Activity, feeds::NotificationStatus};

use super::{
    super::{read::LIMIT_MAX, show::Pen},
    asked::Asked,
};
use crate::chat::{
    error::{Error, Result},
    gate::Call,
};

/// The group whose feeds are suggested to readers.
const USERS: &str = "user";
/// How far what is near is from a reader, in kilometres.
const NEAR_KM: f64 = 50.0;
/// What begins a cursor that counts rows.
const OFFSET: char = 'o';

/// A page.
#[derive(Default)]
pub(super) struct Page {
    /// Its activities; of a feed in groups, those of the groups one after the other.
    pub(super) picked: Vec<Picked>,
    /// Its groups.
    pub(super) bundles: Vec<Bundle>,
    /// Where the pages beside it are.
    pub(super) pager: Pager,
    /// What of the whole feed is new to its reader, where that is kept.
    pub(super) status: Option<Status>,
    marks: Marks,
    tracks: Tracks,
    names_selectors: bool,
}

/// What of a feed is new to its reader.
#[derive(Clone, Copy, Default)]
pub(super) struct Status {
    unread: usize,
    unseen: usize,
}

/// The feed that is read, and by whom.
pub(super) struct Reading<'a> {
    /// What asks.
    pub(super) call: &'a Call,
    /// The feed.
    pub(super) feed: &'a Feed,
    /// How it is read.
    pub(super) recipe: &'a Recipe,
    /// What is asked of it.
    pub(super) asked: &'a Asked,
    /// What the reader noted of it.
    pub(super) marks: Marks,
    /// Who reads: the acting user, or else the feed's owner.
    pub(super) reader: Option<&'a UserId>,
}

impl Reading<'_> {
    /// Reads the page.
    ///
    /// # Errors
    /// 4 when the cursor is none, or a setting of the group makes no sense; 2 where this version cannot select so.
    pub(super) async fn page(self, tx: &mut Tx, wanted: Wanted<'_>) -> Result<Page> {
        let page = match self.recipe.is_plain() {
            true => self.plain(tx, wanted).await?,
            false => self.gathered(&wanted).await?,
        };
        let names_selectors = self.recipe.ranking.is_some() && self.recipe.rules.len() > 1;
        Ok(Page { tracks: self.recipe.tracks, marks: self.marks, names_selectors, ..page })
    }

    /// The newest, by a walk from the activity that the cursor names.
    async fn plain(&self, tx: &mut Tx, wanted: Wanted<'_>) -> Result<Page> {
        let Asked { question, around, place, .. } = self.asked;
        let place = match (around, &place.next, &place.prev) {
            (Some(around), ..) => Place::Around(activities::load(tx, around).await?.0),
            (None, Some(next), _) => Place::After(cursor(*question, next)?),
            (None, None, Some(prev)) => Place::Before(cursor(*question, prev)?),
            (None, None, None) => Place::First,
        };
        let (app, rules) = (&self.call.tenant.app, &self.recipe.rules);
        let page = timelines::read(app, &self.feed.stream, rules, &Wanted { place, ..wanted }).await?;
        let seal = |row: &Found| question.seal(&row.id.to_string());
        let pager = Pager {
            next: page.rows.last().filter(|_| page.has_next).map(seal),
            prev: page.rows.first().filter(|_| page.has_prev).map(seal),
        };
        let picked = |found| Picked { found, selector: String::new(), score: 0.0, variables: BTreeMap::new() };
        Ok(Page { picked: page.rows.into_iter().map(picked).collect(), pager, ..Page::default() })
    }

    /// A part of everything that is selected, ranked, and perhaps in groups.
    async fn gathered(&self, wanted: &Wanted<'_>) -> Result<Page> {
        let reader = Reader {
            interests: self.interests().await?,
            suggested: self.suggested().await?,
            around: self.around().await?,
            moment: self.asked.moment(self.call)?,
            marks: &self.marks,
        };
        let all = pages::gather(&self.call.tenant.app, self.feed, self.recipe, wanted, &reader).await?;
        let Some(grouping) = &self.recipe.grouping else {
            let is_new = |kind| all.iter().filter(|one| !one.is_marked(&self.marks, kind)).count();
            let status = Status { unread: is_new(Kind::Read), unseen: is_new(Kind::Seen) };
            let (picked, pager) = self.part(all, |one, id| one.found.activity.id == id)?;
            return Ok(Page { picked, pager, status: self.told(status), ..Page::default() });
        };
        let all = bundles(all, self.recipe, grouping, &self.marks);
        let is_new = |is_marked: fn(&Bundle) -> bool| all.iter().filter(|bundle| !is_marked(bundle)).count();
        let status = Status { unread: is_new(|bundle| bundle.is_read), unseen: is_new(|bundle| bundle.is_seen) };
        let holds = |bundle: &Bundle, id: &str| bundle.picked.iter().any(|one| one.found.activity.id == id);
        let (bundles, pager) = self.part(all, holds)?;
        let picked = bundles.iter().flat_map(|bundle| bundle.picked.iter().cloned()).collect();
        Ok(Page { picked, bundles, pager, status: self.told(status), ..Page::default() })
    }

    /// What the reader is interested in: what the call says, and where that says nothing, what the reader reacted to.
    async fn interests(&self) -> Result<Interests> {
        let said = self.asked.interests.clone();
        let Some(reader) = self.reader.filter(|_| self.recipe.needs_interests() && !self.asked.overwrites_interests)
        else {
            return Ok(said);
        };
        let mut known = interests::weights(&mut self.call.snapshot(), reader, self.call.now()).await?;
        known.0.extend(said.0);
        Ok(known)
    }

    /// The feeds of users that are suggested to the reader, where a selector goes by them.
    async fn suggested(&self) -> Result<HashSet<FeedId>> {
        let is_asked = self.recipe.rules.iter().any(|rule| rule.kind == "follow_suggestion");
        let Some(reader) = self.reader.filter(|_| is_asked) else { return Ok(HashSet::new()) };
        let found = suggestions::list(&mut self.call.snapshot(), USERS, reader, LIMIT_MAX).await?;
        Ok(found.into_iter().map(|one| one.feed.stream).collect())
    }

    /// What is near the reader, where a selector goes by it: what the filter says, or else where the reader's own fields
    /// `lat` and `lng` say to be.
    async fn around(&self) -> Result<Around> {
        if !self.recipe.rules.iter().any(|rule| rule.kind == "proximity") {
            return Ok(Around::Nowhere);
        }
        let filter = &self.asked.filter;
        if filter.mentions("near") || filter.mentions("within_bounds") {
            return Ok(Around::Filter);
        }
        let Some(reader) = self.reader else { return Ok(Around::Nowhere) };
        let Some(user) = users::get(&mut self.call.snapshot(), reader).await? else { return Ok(Around::Nowhere) };
        let fields = user.custom();
        let degrees = |name: &str| serde_json::from_str::<f64>(fields.get(name)?.get()).ok();
        Ok(match (degrees("lat"), degrees("lng")) {
            (Some(lat), Some(lng)) => Around::Reader(Area::Near { lat, lng, km: NEAR_KM }),
            _ => Around::Nowhere,
        })
    }

    fn told(&self, status: Status) -> Option<Status> {
        let Tracks { seen, read, .. } = self.recipe.tracks;
        (seen || read).then_some(status)
    }

    /// The part of `all` that is asked for, and where the parts beside it are.
    fn part<T>(&self, all: Vec<T>, is_it: impl Fn(&T, &str) -> bool) -> Result<(Vec<T>, Pager)> {
        let Asked { question, around, place, .. } = self.asked;
        let limit = place.limit.min(LIMIT_MAX);
        let offset = match (around, place.next.as_ref().or(place.prev.as_ref())) {
            (Some(around), _) => {
                let at = all.iter().position(|one| is_it(one, around));
                at.ok_or_else(|| Error::from(activities::absent(around)))?.saturating_sub(limit / 2)
            }
            (None, Some(text)) => offset(*question, text)?,
            (None, None) => 0,
        };
        let sealed = |offset: usize| question.seal(&format!("{OFFSET}{offset}"));
        let pager = Pager {
            next: (all.len() > offset.saturating_add(limit)).then(|| sealed(offset + limit)),
            prev: (offset > 0).then(|| sealed(offset.saturating_sub(limit))),
        };
        Ok((all.into_iter().skip(offset).take(limit).collect(), pager))
    }
}

fn place_error() -> Error {
    Error::field("next", "and prev take what an earlier page answered")
}

fn cursor(question: Question, text: &str) -> Result<ActivityId> {
    ActivityId::parse(question.open(text)?).map_err(|_| place_error())
}

fn offset(question: Question, text: &str) -> Result<usize> {
    let place = question.open(text)?.strip_prefix(OFFSET).and_then(|place| place.parse().ok());
    place.ok_or_else(place_error)
}

impl Page {
    /// Adds to the activity what this page says of it.
    pub(super) fn note<'a>(
        &'a self,
        picked: &'a Picked,
        shows_variables: bool,
        activity: Activity<'a>,
    ) -> Activity<'a> {
        let is = |is_kept: bool, kind| is_kept.then(|| picked.is_marked(&self.marks, kind));
        Activity {
            score: picked.score,
            selector_source: self.names_selectors.then_some(picked.selector.as_str()),
            score_vars: (shows_variables && !picked.variables.is_empty()).then_some(&picked.variables),
            is_read: is(self.tracks.read, Kind::Read),
            is_seen: is(self.tracks.seen, Kind::Seen),
            is_watched: is(self.tracks.watched, Kind::Watched),
            ..activity
        }
    }

    /// The groups of the page with their activities, which `written` holds in the order of [`Page::picked`].
    pub(super) fn groups<'a>(
        &'a self,
        pen: Pen<'a>,
        written: Vec<Activity<'a>>,
    ) -> Vec<wire::v3::feeds::Aggregated<'a>> {
        let mut written = written.into_iter();
        let one = |bundle: &'a Bundle| wire::v3::feeds::Aggregated {
            group: &bundle.name,
            activities: written.by_ref().take(bundle.picked.len()).collect(),
            activity_count: bundle.activity_count,
            user_count: bundle.user_count,
            user_count_truncated: false,
            score: bundle.score,
            is_read: self.tracks.read.then_some(bundle.is_read),
            is_seen: self.tracks.seen.then_some(bundle.is_seen),
            is_watched: self.tracks.watched.then_some(bundle.is_watched),
            created_at: pen.time(bundle.created_at),
            updated_at: pen.time(bundle.updated_at),
        };
        self.bundles.iter().map(one).collect()
    }

    /// What of the whole feed is new to its reader.
    pub(super) fn status(&self, pen: Pen<'_>) -> Option<NotificationStatus> {
        self.status.map(|Status { unread, unseen }| NotificationStatus {
            unread,
            unseen,
            last_read_at: self.marks.last(Kind::Read).map(|at| pen.time(at)),
            last_seen_at: self.marks.last(Kind::Seen).map(|at| pen.time(at)),
        })
    }
}
