//! Feed groups: what kind of feed the feeds of a group are, and who may use them (feeds-v1 §4.1, §2.4).

use minicbor::{Decode, Encode};

use crate::{Result, Tx, keyspace::GROUP};

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
}

/// Groups by verb and day: what a new group of the hosted service starts with.
pub const DEFAULT_AGGREGATION: &str = r#"{{ verb }}_{{ time.strftime("%Y-%m-%d") }}"#;

impl Group {
    /// A flat group.
    pub fn flat(access: Access) -> Self {
        Group { kind: Kind::Flat, access, aggregation: None }
    }

    fn folded(kind: Kind, access: Access, format: &str) -> Self {
        Group { kind, access, aggregation: Some(format.to_owned()) }
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

/// The groups that the official clients' own suites presume (feeds-v1 §13), and `repo` for the replay of real events.
pub fn of_the_sdk_suites() -> Vec<(&'static str, Group)> {
    let mut groups = of_a_new_app();
    groups.extend([
        ("topic", Group::flat(Access::Private)),
        ("secret", Group::flat(Access::Private)),
        ("ranked", Group::flat(Access::Private)),
        ("repo", Group::flat(Access::GlobalRead)),
        ("aggregate", Group::folded(Kind::Aggregated, Access::Private, DEFAULT_AGGREGATION)),
        ("invalid_aggregation_format", Group::folded(Kind::Aggregated, Access::Private, "{{test[]}}")),
    ]);
    groups
}

/// Stores `group` under `name`.
pub fn put(tx: &mut Tx, name: &str, group: &Group) {
    let tenant = tx.tenant();
    GROUP.put(tx, tenant, &name.to_owned(), group);
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
