//! Feeds: who made them, what they are called, who may see them (feeds-v3 §3.2).

pub mod delete;
pub mod query;
pub mod visibility;

use ids::{FeedId, Fid, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::{
    Location,
    events::{self, Event},
    groups, owned,
};
use crate::{
    Error, Result, Tx,
    feeds::follows as engine,
    keyspace::{Feed as Key, Newest, POSTED, V3_COUNT, V3_FEED, V3_STREAM},
    users,
};

/// The most bytes of a feed's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most tags of a feed.
pub const TAGS_MAX: usize = 100;
/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;
/// The longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 8 * 1024;

/// Who sees a feed, follows it and posts to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Visibility {
    /// Everybody sees and follows it; its owner posts.
    #[default]
    #[n(0)]
    Visible,
    /// Everybody sees and follows it, and posts.
    #[n(1)]
    Public,
    /// Who follows it sees it; a follow must be accepted.
    #[n(2)]
    Followers,
    /// Members see and follow it.
    #[n(3)]
    Members,
    /// Its owner alone.
    #[n(4)]
    Private,
}

impl Visibility {
    /// All of them.
    pub const ALL: [Visibility; 5] =
        [Visibility::Visible, Visibility::Public, Visibility::Followers, Visibility::Members, Visibility::Private];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Visibility::Visible => "visible",
            Visibility::Public => "public",
            Visibility::Followers => "followers",
            Visibility::Members => "members",
            Visibility::Private => "private",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A feed.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Feed {
    /// What holds its activities. A feed that was deleted and made again has another one.
    #[n(0)]
    pub stream: FeedId,
    /// Whose it is; nobody's, if the owner is gone.
    #[n(1)]
    pub created_by: Option<UserId>,
    /// What it is called.
    #[n(2)]
    pub name: String,
    /// What it is about.
    #[n(3)]
    pub description: String,
    /// Who sees it.
    #[n(4)]
    pub visibility: Visibility,
    /// By which it is found.
    #[n(5)]
    pub filter_tags: Vec<String>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(6)]
    pub custom: String,
    /// Where it is.
    #[n(7)]
    pub location: Option<Location>,
    /// Since when there is this feed.
    #[n(8)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(9)]
    pub updated_at: Timestamp,
    /// When it was deleted.
    #[n(10)]
    pub deleted_at: Option<Timestamp>,
}

impl Feed {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }

    /// Whether it is of `user`.
    pub fn is_of(&self, user: &UserId) -> bool {
        self.created_by.as_ref() == Some(user)
    }
}

/// What a caller says of a feed; what is absent stays as it is, or is the default of a new one.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// See [`Feed::name`].
    pub name: Option<String>,
    /// See [`Feed::description`].
    pub description: Option<String>,
    /// See [`Feed::visibility`].
    pub visibility: Option<Visibility>,
    /// See [`Feed::filter_tags`].
    pub filter_tags: Option<Vec<String>>,
    /// See [`Feed::custom`].
    pub custom: Option<Object>,
    /// See [`Feed::location`]; some nothing takes it away.
    pub location: Option<Option<Location>>,
    /// See [`Feed::created_by`].
    pub created_by: Option<UserId>,
}

impl Input {
    fn check(&self) -> Result<()> {
        let is_too_long = |text: &Option<String>, max| text.as_ref().is_some_and(|text| text.len() > max);
        if is_too_long(&self.name, NAME_BYTES_MAX) {
            return Err(Error::Unfit(format!("name has at most {NAME_BYTES_MAX} bytes")));
        }
        if is_too_long(&self.description, DESCRIPTION_BYTES_MAX) {
            return Err(Error::Unfit(format!("description has at most {DESCRIPTION_BYTES_MAX} bytes")));
        }
        check_tags("filter_tags", self.filter_tags.as_deref().unwrap_or_default())?;
        match &self.custom {
            Some(custom) if custom.to_string().len() > CUSTOM_BYTES_MAX => {
                Err(Error::TooBig(format!("a feed has at most {CUSTOM_BYTES_MAX} bytes of own fields")))
            }
            _ => Ok(()),
        }
    }

    fn apply(&self, feed: &mut Feed) {
        let Input { name, description, visibility, filter_tags, custom, location, .. } = self.clone();
        feed.name = name.unwrap_or(std::mem::take(&mut feed.name));
        feed.description = description.unwrap_or(std::mem::take(&mut feed.description));
        feed.visibility = visibility.unwrap_or(feed.visibility);
        feed.filter_tags = filter_tags.unwrap_or(std::mem::take(&mut feed.filter_tags));
        feed.custom = custom.map_or(std::mem::take(&mut feed.custom), |custom| custom.to_string());
        feed.location = location.unwrap_or(feed.location);
    }
}

/// The longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 255;

/// Checks a list of tags.
///
/// # Errors
/// [`Error::Unfit`] when there are too many, or one is empty or too long.
pub fn check_tags(field: &str, tags: &[String]) -> Result<()> {
    let is_fit = |tag: &String| !tag.is_empty() && tag.len() <= TAG_BYTES_MAX;
    match tags.len() <= TAGS_MAX && tags.iter().all(is_fit) {
        true => Ok(()),
        false => Err(Error::Unfit(format!("{field}: at most {TAGS_MAX} of 1 to {TAG_BYTES_MAX} bytes"))),
    }
}

/// What is counted of a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// Activities that stand in it.
    Activities,
    /// Members.
    Members,
    /// Pinned activities.
    Pins,
}

impl Count {
    /// The byte that stands for it in keys; it never changes.
    pub fn code(self) -> u8 {
        match self {
            Count::Activities => 0,
            Count::Members => 1,
            Count::Pins => 2,
        }
    }
}

/// What is counted of a feed, all together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// See [`Count::Activities`].
    pub activities: i64,
    /// Feeds that follow it.
    pub followers: i64,
    /// Feeds that it follows.
    pub following: i64,
    /// See [`Count::Members`].
    pub members: i64,
    /// See [`Count::Pins`].
    pub pins: i64,
}

/// What is counted of the feed with this stream.
///
/// # Errors
/// When the store fails.
pub async fn counts(tx: &mut Tx, stream: &FeedId) -> Result<Counts> {
    let tenant = tx.tenant();
    let keys = [Count::Activities, Count::Members, Count::Pins].map(|count| (Key(stream.clone()), count.code()));
    let counts = V3_COUNT.get_many(tx, tenant, &keys).await?;
    Ok(Counts {
        activities: counts[0],
        members: counts[1],
        pins: counts[2],
        followers: engine::count_followers(tx, stream, &[]).await?,
        following: engine::count_following(tx, stream, &[]).await?,
    })
}

fn key(fid: &Fid) -> (String, String) {
    (fid.group().to_owned(), fid.id().to_owned())
}

/// The feed `fid`, unless it was deleted.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, fid: &Fid) -> Result<Option<Feed>> {
    let tenant = tx.tenant();
    Ok(V3_FEED.get(tx, tenant, &key(fid)).await?.filter(|feed| feed.deleted_at.is_none()))
}

/// The feeds `fids`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, fids: &[Fid]) -> Result<Vec<Option<Feed>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = fids.iter().map(key).collect();
    let feeds = V3_FEED.get_many(tx, tenant, &keys).await?;
    Ok(feeds.into_iter().map(|feed| feed.filter(|feed| feed.deleted_at.is_none())).collect())
}

/// The feed `fid`.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn load(tx: &mut Tx, fid: &Fid) -> Result<Feed> {
    get(tx, fid).await?.ok_or_else(|| absent(fid))
}

/// That there is no feed `fid`.
pub fn absent(fid: &Fid) -> Error {
    Error::Absent(format!("feed '{fid}' not found"))
}

/// Which feed the stream is of.
///
/// # Errors
/// When the store fails.
pub async fn of_stream(tx: &mut Tx, stream: &FeedId) -> Result<Option<Fid>> {
    let tenant = tx.tenant();
    Ok(V3_STREAM.get(tx, tenant, &Key(stream.clone())).await?)
}

/// Which feeds the streams are of, in their order.
///
/// # Errors
/// When the store fails.
pub async fn of_streams(tx: &mut Tx, streams: &[FeedId]) -> Result<Vec<Option<Fid>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = streams.iter().cloned().map(Key).collect();
    Ok(V3_STREAM.get_many(tx, tenant, &keys).await?)
}

/// The feed `fid`, made if there is none; whether it was made. `number` is random: it names the stream of a new feed. The
/// owner is `input.created_by`, or else `owner`.
///
/// # Errors
/// [`Error::Absent`] when there is no such group; [`Error::Unfit`], [`Error::TooBig`] when the input breaks a rule.
pub async fn ensure(
    tx: &mut Tx,
    fid: &Fid,
    owner: Option<&UserId>,
    input: &Input,
    number: u64,
    now: Timestamp,
) -> Result<(Feed, bool)> {
    if let Some(feed) = get(tx, fid).await? {
        return Ok((feed, false));
    }
    let group = groups::load(tx, fid.group()).await?;
    input.check()?;
    forget_deleted(tx, fid).await?;
    let owner = input.created_by.as_ref().or(owner);
    if let Some(owner) = owner {
        users::ensure(tx, owner, now).await?;
    }
    let mut feed = Feed {
        stream: FeedId::stream(number),
        created_by: owner.cloned(),
        name: String::new(),
        description: String::new(),
        visibility: group.visibility(),
        filter_tags: Vec::new(),
        custom: "{}".to_owned(),
        location: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    input.apply(&mut feed);
    let tenant = tx.tenant();
    V3_STREAM.assert_absent(tx, tenant, &Key(feed.stream.clone()));
    V3_STREAM.put(tx, tenant, &Key(feed.stream.clone()), fid);
    put(tx, fid, &feed);
    if let Some(owner) = owner {
        owned::put(tx, owner, owned::Kind::Feed, fid.as_str());
    }
    events::record(tx, Event::of_feed("feeds.feed.created", fid, &feed, now).by(owner));
    Ok((feed, true))
}

/// A feed of that id that was deleted makes room: its owner has it no longer.
async fn forget_deleted(tx: &mut Tx, fid: &Fid) -> Result<()> {
    let tenant = tx.tenant();
    if let Some(Feed { created_by: Some(owner), .. }) = V3_FEED.get(tx, tenant, &key(fid)).await? {
        owned::remove(tx, &owner, owned::Kind::Feed, fid.as_str());
    }
    Ok(())
}

/// Changes the feed `fid`.
///
/// # Errors
/// [`Error::Absent`]; as [`ensure`].
pub async fn update(tx: &mut Tx, fid: &Fid, input: &Input, by: Option<&UserId>, now: Timestamp) -> Result<Feed> {
    let mut feed = load(tx, fid).await?;
    input.check()?;
    input.apply(&mut feed);
    if let Some(owner) = &input.created_by
        && !feed.is_of(owner)
    {
        users::ensure(tx, owner, now).await?;
        give(tx, fid, &mut feed, Some(owner));
    }
    feed.updated_at = now;
    put(tx, fid, &feed);
    events::record(tx, Event::of_feed("feeds.feed.updated", fid, &feed, now).by(by));
    Ok(feed)
}

/// Makes the feed the property of `owner`, or of nobody.
pub fn give(tx: &mut Tx, fid: &Fid, feed: &mut Feed, owner: Option<&UserId>) {
    if let Some(before) = &feed.created_by {
        owned::remove(tx, before, owned::Kind::Feed, fid.as_str());
    }
    if let Some(owner) = owner {
        owned::put(tx, owner, owned::Kind::Feed, fid.as_str());
    }
    feed.created_by = owner.cloned();
}

/// Writes the feed.
pub fn put(tx: &mut Tx, fid: &Fid, feed: &Feed) {
    let tenant = tx.tenant();
    V3_FEED.put(tx, tenant, &key(fid), feed);
}

/// The newest activities that stand in the feed with this stream, at most `max`.
///
/// # Errors
/// When the store fails.
pub async fn posted(tx: &mut Tx, stream: &FeedId, max: usize) -> Result<Vec<ids::ActivityId>> {
    let tenant = tx.tenant();
    let mut range = POSTED.prefix(tenant, &Key(stream.clone()));
    let mut ids = Vec::new();
    while ids.len() < max {
        let page = POSTED.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(POSTED.key(tenant, key));
        }
        ids.extend(page.rows.into_iter().map(|((_, Newest(id)), _)| id));
        if !page.more {
            break;
        }
    }
    ids.truncate(max);
    Ok(ids)
}
