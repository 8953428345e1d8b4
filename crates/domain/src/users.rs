//! Users of an app: profiles, shared by chat and feeds v3 (chat §6.1, §11.7; v2 §2).

pub mod blocks;
pub mod devices;
pub mod import;
pub mod mutes;
pub(crate) mod names;
pub mod own;
pub mod patch;
mod people;
pub mod query;
pub mod standing;

use ids::{Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use crate::{Error, Result, Tx, chat::events, keyspace::USER};
use blocks::Block;

pub use people::{People, Person};

/// The role of a user of whom nobody said anything else.
pub const ROLE: &str = "user";
/// The most bytes of a user's own fields.
pub const CUSTOM_BYTES_MAX: usize = 5 * 1024;
/// The most teams of a user.
pub const TEAMS_MAX: usize = 250;
/// The longest name of a team, in bytes.
pub const TEAM_BYTES_MAX: usize = 100;

/// A user.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct User {
    /// The user-level role.
    #[n(0)]
    pub role: String,
    /// A display name.
    #[n(1)]
    pub name: Option<String>,
    /// The URL of a picture.
    #[n(2)]
    pub image: Option<String>,
    /// A language code; empty when nobody said.
    #[n(3)]
    pub language: String,
    /// The teams that the user belongs to.
    #[n(4)]
    pub teams: Vec<String>,
    /// Team, role there.
    #[n(5)]
    pub teams_role: Vec<(String, String)>,
    /// Whether presence is hidden.
    #[n(6)]
    pub is_invisible: bool,
    /// What the user shows of itself; absent until it was set.
    #[n(7)]
    pub privacy: Option<Privacy>,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(8)]
    pub custom: String,
    /// Since when there is this user.
    #[n(9)]
    pub created_at: Timestamp,
    /// When a field was last changed.
    #[n(10)]
    pub updated_at: Timestamp,
    /// When the user was last connected.
    #[n(11)]
    pub last_active: Option<Timestamp>,
    /// Since when the user cannot connect.
    #[n(12)]
    pub deactivated_at: Option<Timestamp>,
    /// When the user was deleted.
    #[n(13)]
    pub deleted_at: Option<Timestamp>,
    /// Older tokens are refused.
    #[n(14)]
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// The ban from the whole app, if there is one.
    #[n(15)]
    pub ban: Option<Ban>,
    /// Whom the user blocked.
    #[n(16)]
    pub blocked: Vec<Block>,
    /// Whether nothing but the frame of a deleted user is left.
    #[n(17)]
    #[cbor(default)]
    pub is_pruned: bool,
    /// Whether moderation looks away.
    #[n(18)]
    #[cbor(default)]
    pub bypasses_moderation: bool,
    /// The address from which the user was last connected; empty when there is none.
    #[n(19)]
    #[cbor(default)]
    pub address: String,
}

/// What a user shows of itself: each switch absent until it was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Privacy {
    /// Whether others see the user type.
    #[n(0)]
    pub typing_indicators: Option<bool>,
    /// Whether others see how far the user has read.
    #[n(1)]
    pub read_receipts: Option<bool>,
    /// Whether others see what was delivered to the user.
    #[n(2)]
    pub delivery_receipts: Option<bool>,
}

/// A ban, of the app or of one channel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Ban {
    /// Who banned.
    #[n(0)]
    pub by: Option<UserId>,
    /// Why, in the application's words; empty when nobody said.
    #[n(1)]
    pub reason: String,
    /// Until when; for good, if absent.
    #[n(2)]
    pub expires: Option<Timestamp>,
    /// Whether the banned may go on writing, and only they see it.
    #[n(3)]
    pub is_shadow: bool,
    /// Since when.
    #[n(4)]
    pub created_at: Timestamp,
    /// The address that is banned with the user; empty for none.
    #[n(5)]
    #[cbor(default)]
    pub address: String,
}

impl Ban {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl User {
    /// A user of whom only the id is known.
    pub fn new(now: Timestamp) -> Self {
        User {
            role: ROLE.to_owned(),
            name: None,
            image: None,
            language: String::new(),
            teams: Vec::new(),
            teams_role: Vec::new(),
            is_invisible: false,
            privacy: None,
            custom: "{}".to_owned(),
            created_at: now,
            updated_at: now,
            last_active: None,
            deactivated_at: None,
            deleted_at: None,
            revoke_tokens_issued_before: None,
            ban: None,
            blocked: Vec::new(),
            is_pruned: false,
            bypasses_moderation: false,
            address: String::new(),
        }
    }

    /// The application's own fields.
    pub fn custom(&self) -> Object {
        Object::parse(&self.custom).expect("custom fields were parsed before they were stored")
    }
}

/// What a caller says of a user; what is absent stays as it is, or is the default of a new user.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// See [`User::role`].
    pub role: Option<String>,
    /// See [`User::name`].
    pub name: Option<String>,
    /// See [`User::image`].
    pub image: Option<String>,
    /// See [`User::language`].
    pub language: Option<String>,
    /// See [`User::teams`].
    pub teams: Option<Vec<String>>,
    /// See [`User::teams_role`].
    pub teams_role: Option<Vec<(String, String)>>,
    /// See [`User::is_invisible`].
    pub is_invisible: Option<bool>,
    /// Switches that are absent stay as they are.
    pub privacy: Option<Privacy>,
    /// Fields that are set; others stay.
    pub custom: Object,
}

impl Profile {
    /// Writes what was said into `user`, but for the application's own fields.
    fn apply(&self, user: &mut User) -> Result<()> {
        let Profile { role, name, image, language, teams, teams_role, is_invisible, privacy, .. } = self.clone();
        user.role = role.unwrap_or(std::mem::take(&mut user.role));
        user.name = name.or(user.name.take());
        user.image = image.or(user.image.take());
        user.language = language.unwrap_or(std::mem::take(&mut user.language));
        user.teams = teams.unwrap_or(std::mem::take(&mut user.teams));
        user.teams_role = teams_role.unwrap_or(std::mem::take(&mut user.teams_role));
        user.is_invisible = is_invisible.unwrap_or(user.is_invisible);
        user.privacy = merged(user.privacy, privacy);
        let is_fit = |team: &String| !team.is_empty() && team.len() <= TEAM_BYTES_MAX;
        if user.teams.len() > TEAMS_MAX || !user.teams.iter().all(is_fit) {
            return Err(Error::Unfit(format!("teams: at most {TEAMS_MAX} of 1 to {TEAM_BYTES_MAX} bytes")));
        }
        Ok(())
    }
}

/// The user `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &UserId) -> Result<Option<User>> {
    let tenant = tx.tenant();
    Ok(USER.get(tx, tenant, &id.to_string()).await?)
}

/// The users `ids`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn get_many(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<Option<User>>> {
    let tenant = tx.tenant();
    let keys: Vec<String> = ids.iter().map(UserId::to_string).collect();
    Ok(USER.get_many(tx, tenant, &keys).await?)
}

/// The user `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none, or it was deleted.
pub async fn load(tx: &mut Tx, id: &UserId) -> Result<User> {
    let user = get(tx, id).await?.filter(|user| user.deleted_at.is_none());
    user.ok_or_else(|| Error::Absent(format!("user not found: user_id '{id}' does not exist")))
}

/// The user `id`, made if there is none: whom the app's own server names exists (chat §2.3).
///
/// # Errors
/// [`Error::Unfit`] when it was deleted.
pub async fn ensure(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<User> {
    let known = undeleted(tx, id).await?;
    Ok(known.unwrap_or_else(|| {
        let user = User::new(now);
        put(tx, id, &user);
        user
    }))
}

/// The user `id`, or a new one for the caller to change and [`put`].
///
/// # Errors
/// [`Error::Unfit`] when it was deleted.
pub async fn get_or_new(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<User> {
    Ok(undeleted(tx, id).await?.unwrap_or_else(|| User::new(now)))
}

async fn undeleted(tx: &mut Tx, id: &UserId) -> Result<Option<User>> {
    match get(tx, id).await? {
        Some(user) if user.deleted_at.is_some() => Err(Error::Unfit(format!("user '{id}' was deleted"))),
        user => Ok(user),
    }
}

/// Makes the user `id`, or changes what `profile` says (chat §11.7).
///
/// # Errors
/// [`Error::Unfit`] when it was deleted, [`Error::NameTaken`] when names are unique and this one is not.
pub async fn upsert(tx: &mut Tx, id: &UserId, profile: &Profile, now: Timestamp) -> Result<User> {
    let mut user = get_or_new(tx, id, now).await?;
    let (was_invisible, before) = (user.is_invisible, user.name.clone());
    profile.apply(&mut user)?;
    names::note(tx, id, before.as_deref(), &user).await?;
    let mut fields = user.custom();
    for (field, value) in profile.custom.iter() {
        fields.set(field, value.to_owned());
    }
    user.custom = fields.to_string();
    if user.custom.len() > CUSTOM_BYTES_MAX {
        return Err(Error::TooBig(format!("a user has at most {CUSTOM_BYTES_MAX} bytes of own fields")));
    }
    user.updated_at = now;
    put(tx, id, &user);
    tell_changed(tx, id, &user, was_invisible, now);
    Ok(user)
}

/// Tells clients that the user `id` changed, and when it hid or showed its presence.
fn tell_changed(tx: &mut Tx, id: &UserId, user: &User, was_invisible: bool, now: Timestamp) {
    tell_updated(tx, id, now);
    if user.is_invisible != was_invisible {
        events::record(tx, events::Event::new("user.presence.changed", now, None).by(Some(id)));
    }
}

/// Tells clients that the user `id` changed.
fn tell_updated(tx: &mut Tx, id: &UserId, now: Timestamp) {
    events::record(tx, events::Event::new("user.updated", now, None).by(Some(id)));
}

/// What was set before, under what is set now.
fn merged(before: Option<Privacy>, now: Option<Privacy>) -> Option<Privacy> {
    let (Some(before), Some(now)) = (before, now) else { return now.or(before) };
    Some(Privacy {
        typing_indicators: now.typing_indicators.or(before.typing_indicators),
        read_receipts: now.read_receipts.or(before.read_receipts),
        delivery_receipts: now.delivery_receipts.or(before.delivery_receipts),
    })
}

/// Writes the user.
pub fn put(tx: &mut Tx, id: &UserId, user: &User) {
    let tenant = tx.tenant();
    USER.put(tx, tenant, &id.to_string(), user);
}
