//! Reading what callers of feeds v3 send: what many bodies share (feeds-v3 §1).

use domain::{
    Tx,
    feeds::activities::Moment,
    filter::{Cursor, Filter, Page, Question, Schema, Sort},
    users::{self, Profile},
    v3::{Location, objects::Object as Engaged},
};
use ids::{Fid, Timestamp, UserId, json::Object};
use wire::{chat::dialect::Dialect, v3::Pager};

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        users::profile,
    },
    seal,
};

/// How many rows a page has if nobody says, and the most.
pub(super) const LIMIT: usize = 20;
pub(super) const LIMIT_MAX: usize = 100;
/// The most items of a batch.
pub(super) const BATCH_MAX: usize = 100;

/// What the `{id}` in the path of a call names, by which of two routes has the same handler.
pub(super) trait Named {
    /// The member of a body that holds ids of such.
    const IDS: &'static str;

    /// What has this id.
    fn named(id: String) -> Engaged;

    /// What the path names, as what is made of it is kept under it.
    fn of(call: &Call) -> Engaged {
        Self::named(call.param("id").to_owned())
    }
}

/// The route of activities.
pub(super) struct OfActivity;

/// The route of comments.
pub(super) struct OfComment;

impl Named for OfActivity {
    const IDS: &'static str = "activity_ids";

    fn named(id: String) -> Engaged {
        Engaged::Activity(id)
    }
}

impl Named for OfComment {
    const IDS: &'static str = "comment_ids";

    fn named(id: String) -> Engaged {
        Engaged::Comment(id)
    }
}

/// Who acts, and what the call says of that user, who is made or changed by it.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    /// Who.
    pub(super) id: UserId,
    profile: Option<Profile>,
}

impl Actor {
    /// The acting user: the token's, or whom the app's own server names in `user_id` or `user`, in the body or the query.
    /// A user's token acts for its own user, whatever the body says.
    ///
    /// # Errors
    /// 4 when a member is not what the contract says.
    pub(super) fn find(call: &Call, sent: &mut Fields) -> Result<Option<Self>> {
        let empty = sent.text("user_id")?;
        let given = sent.object("user")?;
        if let Some(own) = call.user() {
            return Ok(Some(Actor { id: own.clone(), profile: None }));
        }
        if let Some(user) = given {
            let (id, profile) = profile(user)?;
            return Ok(Some(Actor { id, profile: Some(profile) }));
        }
        let id = match empty.as_deref() {
            Some("") => return Err(Error::field("user_id", "must not be empty")),
            Some(id) => Some(id),
            None => call.query.get("user_id").filter(|id| !id.is_empty()),
        };
        id.map(|id| Ok(Actor { id: crate::chat::fields::user(id)?, profile: None })).transpose()
    }

    /// As [`Actor::find`], where there must be one.
    ///
    /// # Errors
    /// 4 when there is none.
    pub(super) fn some(call: &Call, sent: &mut Fields) -> Result<Self> {
        let rule = "either user or user_id must be provided when using server side auth.";
        Self::find(call, sent)?.ok_or_else(|| Error::input(rule))
    }

    /// Makes the user, or notes what the call says of it.
    ///
    /// # Errors
    /// As [`users::upsert`].
    pub(super) async fn store(&self, tx: &mut Tx, now: Timestamp) -> domain::Result<()> {
        match &self.profile {
            Some(profile) => users::upsert(tx, &self.id, profile, now).await?,
            None => users::ensure(tx, &self.id, now).await?,
        };
        Ok(())
    }
}

/// A moment later than all before, with a random number for what is made then.
pub(super) fn moment(call: &Call) -> Moment {
    Moment { now: call.moment(), seed: u64::from_le_bytes(seal::random()) }
}

/// The feed in the path.
///
/// # Errors
/// 4 when it is none.
pub(super) fn path(call: &Call) -> Result<Fid> {
    Fid::new(call.param("group"), call.param("feed")).map_err(|error| Error::field("feed_id", &error.to_string()))
}

/// A fid.
///
/// # Errors
/// 4 when it is none.
pub(super) fn fid(name: &str, text: &str) -> Result<Fid> {
    Fid::parse(text).map_err(|error| Error::field(name, &error.to_string()))
}

/// A fid that must be there.
///
/// # Errors
/// 4 when it is not, or is none.
pub(super) fn some_fid(sent: &mut Fields, name: &str) -> Result<Fid> {
    let text = sent.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"))?;
    fid(name, &text)
}

/// A list of fids, each once.
///
/// # Errors
/// 4 when one is none.
pub(super) fn fids(sent: &mut Fields, name: &str) -> Result<Option<Vec<Fid>>> {
    let Some(texts) = sent.texts(name)? else { return Ok(None) };
    let mut fids: Vec<Fid> = Vec::with_capacity(texts.len());
    for text in texts {
        let fid = fid(name, &text)?;
        if !fids.contains(&fid) {
            fids.push(fid);
        }
    }
    Ok(Some(fids))
}

/// A place on Earth.
///
/// # Errors
/// 4 when it is none.
pub(super) fn location(sent: &mut Fields) -> Result<Option<Location>> {
    let Some(mut given) = sent.object("location")? else { return Ok(None) };
    let mut degrees = |name: &str, max: f64| {
        let rule = || Error::field("location", &format!("must have {name} between -{max} and {max}"));
        let raw = given.raw(name).ok_or_else(rule)?;
        let number: f64 = serde_json::from_str(raw.get()).map_err(|_| rule())?;
        if number.abs() <= max { Ok(number) } else { Err(rule()) }
    };
    Ok(Some(Location { lat: degrees("lat", 90.0)?, lng: degrees("lng", 180.0)? }))
}

/// The application's own fields, which stand in the member `name`.
///
/// # Errors
/// 4 when it is not an object.
pub(super) fn object(sent: &mut Fields, name: &str) -> Result<Option<Object>> {
    Ok(sent.object(name)?.map(Fields::rest))
}

/// Which page is wanted.
#[derive(Debug)]
pub(super) struct Place {
    /// At most so many rows.
    pub(super) limit: usize,
    /// What an earlier page answered as `next`.
    pub(super) next: Option<String>,
    /// What an earlier page answered as `prev`.
    pub(super) prev: Option<String>,
}

impl Place {
    /// Reads `limit`, `next` and `prev`.
    ///
    /// # Errors
    /// 4 when `limit` is out of range, or `next` comes with `prev`.
    pub(super) fn read(sent: &mut Fields) -> Result<Self> {
        let place = Place {
            limit: sent.count("limit", LIMIT, LIMIT_MAX)?,
            next: sent.filled("next")?,
            prev: sent.filled("prev")?,
        };
        match place.next.is_some() && place.prev.is_some() {
            true => Err(Error::field("next", "cannot be sent with prev")),
            false => Ok(place),
        }
    }

    /// The place in the answer to `question`.
    ///
    /// # Errors
    /// 4 when it is none, or one in the answer to another question.
    pub(super) fn cursor(&self, question: Question) -> Result<Option<Cursor>> {
        let Some(text) = self.next.as_deref().or(self.prev.as_deref()) else { return Ok(None) };
        Ok(Some(Cursor::parse(question.open(text)?)?))
    }
}

/// A filter, a sort and a page.
#[derive(Debug)]
pub(super) struct Query {
    /// Which rows.
    pub(super) filter: Filter,
    /// In which order.
    pub(super) sort: Sort,
    /// Where the page is.
    pub(super) cursor: Option<Cursor>,
    /// At most how many.
    pub(super) limit: usize,
    /// What its cursors belong to.
    pub(super) question: Question,
}

impl Query {
    /// Reads one.
    ///
    /// # Errors
    /// 4 when a member is not what the contract says, or the cursor is of another filter or sort.
    pub(super) fn read(sent: &mut Fields, schema: Schema) -> Result<Self> {
        let raw = |sent: &mut Fields, name: &str| sent.raw(name).map_or_else(String::new, |raw| raw.get().to_owned());
        let (filter, sort) = (raw(sent, "filter"), raw(sent, "sort"));
        let question = Question::of(&[&filter, &sort]);
        let (filter, sort) = (Filter::parse(&filter, schema)?, Sort::parse(&sort)?);
        let place = Place::read(sent)?;
        Ok(Query { filter, sort, cursor: place.cursor(question)?, limit: place.limit, question })
    }

    /// The same for the domain, in the order `sort` if it names none.
    pub(super) fn by_default(self, sort: &[&str]) -> domain::v3::query::Query {
        let Query { filter, cursor, limit, .. } = self;
        domain::v3::query::Query { filter, sort: self.sort.or(sort), cursor, limit }
    }
}

/// Where the pages beside `page` of the answer to `question` are.
pub(super) fn pager<R>(question: Question, page: &Page<R>) -> Pager {
    let seal = |place: &Option<String>| place.as_ref().map(|place| question.seal(place));
    Pager { next: seal(&page.next), prev: seal(&page.prev) }
}

/// The items of a batch.
///
/// # Errors
/// 4 when there are none, or too many.
pub(super) fn batch(sent: &mut Fields, name: &str) -> Result<Vec<Fields>> {
    let items = sent.objects(name)?.unwrap_or_default();
    match items.len() {
        1..=BATCH_MAX => Ok(items),
        _ => Err(Error::field(name, &format!("must hold 1 to {BATCH_MAX} items"))),
    }
}

/// All of feeds v3 speaks this dialect.
pub(super) const DIALECT: Dialect = Dialect::V2;
