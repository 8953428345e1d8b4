//! Feed groups: what kind of feed the feeds of a group are, and who may use them (feeds-v1 §4.1, §2.4).

use minicbor::{Decode, Encode};

use super::{
    ranking::Method,
    templates::{self, Template},
};
use crate::{Error, Result, Tx, keyspace::GROUP};

/// The most ranking methods of a group.
pub const RANKINGS_MAX: usize = 32;
/// The most aggregation formats of before that a group remembers.
pub const PAST_FORMATS_MAX: usize = 8;

/// What a reader of a feed sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Activities, newest first. Only these can be followed.
    #[n(0)]
    Flat,
    /// Activities in groups.
    #[n(1)]
    Aggregated,
    /// Activities in groups that can be seen and read.
    #[n(2)]
    Notification,
}

/// What a user token allows on other people's feeds of the group; a feed's owner may do everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Access {
    /// Nothing.
    #[n(0)]
    Private,
    /// Reading.
    #[n(1)]
    GlobalRead,
    /// Adding, also through `to`.
    #[n(2)]
    GlobalWrite,
    /// Both.
    #[n(3)]
    GlobalReadWrite,
}

/// A feed group.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Group {
    /// What its feeds are.
    #[n(0)]
    pub kind: Kind,
    /// What others may do.
    #[n(1)]
    pub access: Access,
    /// How activities of an aggregated or notification feed are put in groups.
    #[n(2)]
    pub aggregation: Option<String>,
    /// Ways to rank its feeds.
    #[n(3)]
    #[cbor(default)]
    pub rankings: Vec<Ranking>,
    /// The name of the way in which its feeds are ranked when none is asked for; by time, if absent.
    #[n(4)]
    pub default_ranking: Option<String>,
    /// Whether nothing is told of its feeds to who subscribes to them.
    #[n(5)]
    #[cbor(default)]
    pub is_silent: bool,
    /// The aggregation formats of before, the oldest first.
    #[n(6)]
    #[cbor(default)]
    pub past_formats: Vec<PastFormat>,
}

/// An aggregation format of before.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct PastFormat {
    /// The format.
    #[n(0)]
    pub format: String,
    /// What arrived in a feed up to this commit, and after the format before it, is put in groups by it.
    #[n(1)]
    pub until: u64,
}

/// A way to rank feeds.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Ranking {
    /// By which reads ask for it.
    #[n(0)]
    pub name: String,
    /// The method: a JSON object; see [`super::ranking::Method`].
    #[n(1)]
    pub config: String,
}

/// Groups by verb and day: what a new group of the hosted service starts with.
pub const DEFAULT_AGGREGATION: &str = r#"{{ verb }}_{{ time.strftime("%Y-%m-%d") }}"#;

impl Group {
    /// A flat group.
    pub fn flat(access: Access) -> Self {
        Group {
            kind: Kind::Flat,
            access,
            aggregation: None,
            rankings: Vec::new(),
            default_ranking: None,
            is_silent: false,
            past_formats: Vec::new(),
        }
    }

    fn folded(kind: Kind, access: Access, format: &str) -> Self {
        Group { kind, aggregation: Some(format.to_owned()), ..Group::flat(access) }
    }

    /// How activities that arrive today are put in groups.
    pub fn format(&self) -> &str {
        self.aggregation.as_deref().unwrap_or(DEFAULT_AGGREGATION)
    }

    /// The formats of before of a group that replaces this one at the commit `at`. One that made no sense put nothing in
    /// groups.
    fn formats_before(&self, next: &Group, at: u64) -> Vec<PastFormat> {
        if self.kind == Kind::Flat || next.kind == Kind::Flat {
            return Vec::new();
        }
        let mut past = self.past_formats.clone();
        if self.format() != next.format() && Template::parse(self.format()).is_some() {
            past.push(PastFormat { format: self.format().to_owned(), until: at });
        }
        past.drain(..past.len().saturating_sub(PAST_FORMATS_MAX));
        past
    }

    /// The ranking method `name`, or the default one; none if the feeds are read by time.
    ///
    /// # Errors
    /// [`Error::NoRanking`] when there is no method of that name; [`Error::Ranking`] when it makes no sense.
    pub fn ranking(&self, name: Option<&str>) -> Result<Option<Method>> {
        let Some(name) = name.or(self.default_ranking.as_deref()) else { return Ok(None) };
        let known = self.rankings.iter().find(|ranking| ranking.name == name);
        let known = known.ok_or_else(|| Error::NoRanking(name.to_owned()))?;
        Method::parse(&known.config).map(Some)
    }

    /// Checks what nobody could use: methods that make no sense, more than there may be, a default that is not there.
    /// A broken aggregation format is taken, as the API takes it, and refuses reads.
    ///
    /// # Errors
    /// [`Error::Unfit`], [`Error::Ranking`].
    pub fn check(&self) -> Result<()> {
        if self.rankings.len() > RANKINGS_MAX {
            return Err(Error::Unfit(format!("a feed group has at most {RANKINGS_MAX} ranking methods")));
        }
        if self.aggregation.as_ref().is_some_and(|format| format.len() > templates::BYTES_MAX) {
            return Err(Error::Unfit(format!("aggregation_format has at most {} bytes", templates::BYTES_MAX)));
        }
        for ranking in &self.rankings {
            Method::parse(&ranking.config)?;
        }
        self.ranking(None).map(|_| ())
    }
}

/// The groups of a new app (feeds-v1 §4.1): the documented ones, today's and those of older documents.
pub fn of_a_new_app() -> Vec<(&'static str, Group)> {
    vec![
        ("user", Group::flat(Access::GlobalRead)),
        ("timeline", Group::flat(Access::Private)),
        ("flat", Group::flat(Access::Private)),
        ("aggregated", Group::folded(Kind::Aggregated, Access::Private, DEFAULT_AGGREGATION)),
        ("timeline_aggregated", Group::folded(Kind::Aggregated, Access::Private, DEFAULT_AGGREGATION)),
        ("notification", Group::folded(Kind::Notification, Access::GlobalWrite, DEFAULT_AGGREGATION)),
    ]
}

/// A flat group with a ranking method, in the words of the public documents.
fn ranked() -> Group {
    let config = r#"{"score":"decay_linear(time) * popularity ^ 0.5","defaults":{"popularity":1}}"#;
    let rankings = vec![Ranking { name: "popularity".into(), config: config.into() }];
    Group { rankings, ..Group::flat(Access::Private) }
}

/// The groups that the official clients' own suites presume (feeds-v1 §13), and `repo` for the replay of real events.
pub fn of_the_sdk_suites() -> Vec<(&'static str, Group)> {
    let mut groups = of_a_new_app();
    groups.extend([
        ("topic", Group::flat(Access::Private)),
        ("secret", Group::flat(Access::Private)),
        ("ranked", ranked()),
        ("repo", Group::flat(Access::GlobalRead)),
        ("aggregate", Group::folded(Kind::Aggregated, Access::Private, DEFAULT_AGGREGATION)),
        ("invalid_aggregation_format", Group::folded(Kind::Aggregated, Access::Private, "{{test[]}}")),
    ]);
    groups
}

/// Stores `group` under `name`, in the place of what was there. What arrived in feeds before the aggregation format changed
/// stays in its groups (feeds-v1 §7).
///
/// # Errors
/// When the store fails.
pub async fn replace(tx: &mut Tx, name: &str, group: &Group) -> Result<()> {
    let (tenant, at) = (tx.tenant(), tx.stamp().0);
    let before = GROUP.get(tx, tenant, &name.to_owned()).await?;
    let past_formats = before.map(|before| before.formats_before(group, at)).unwrap_or_default();
    GROUP.put(tx, tenant, &name.to_owned(), &Group { past_formats, ..group.clone() });
    Ok(())
}

/// Removes the group called `name`; answers whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<bool> {
    let (tenant, name) = (tx.tenant(), name.to_owned());
    let was_there = GROUP.exists(tx, tenant, &name).await?;
    GROUP.delete(tx, tenant, &name);
    Ok(was_there)
}

/// All groups of the app with their names.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(String, Group)>> {
    let tenant = tx.tenant();
    let rows = GROUP.scan(tx, tenant, GROUP.range(tenant), store::Direction::Forward, store::Limit::PAGE).await?;
    Ok(rows.rows)
}
