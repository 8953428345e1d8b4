//! Where something is said or done: the channel, its type, and the user who does it.

use ids::{ChannelId, Timestamp, UserId};

use crate::{
    Error, Result, Tx,
    chat::{
        channels::{self, Channel},
        members::{self, Member},
        permissions::{self, Place, Who},
        types::{self, ChannelType, Config},
    },
    users::{self, User},
};

/// What the checks of a call need to know.
#[derive(Debug)]
pub struct Scene {
    /// The channel's id.
    pub id: ChannelId,
    /// The channel.
    pub channel: Channel,
    /// Its type.
    pub kind: ChannelType,
    /// The user whom a token speaks for; none for the app's own server.
    pub caller: Option<(UserId, User)>,
    /// That user as a member.
    pub member: Option<Member>,
    /// The settings of the type, under what differs in the channel.
    pub config: Config,
}

impl Scene {
    /// The channel `id` as `caller` finds it.
    ///
    /// # Errors
    /// [`Error::Absent`] when there is no such channel.
    pub async fn load(tx: &mut Tx, id: &ChannelId, caller: Option<&UserId>, now: Timestamp) -> Result<Self> {
        let channel = channels::load(tx, id).await?;
        let kind = types::load(tx, id.kind()).await?;
        let (mut profile, mut member) = (None, None);
        if let Some(user) = caller {
            let known = users::get(tx, user).await?;
            profile = Some((user.clone(), known.unwrap_or_else(|| User::new(now))));
            member = members::get(tx, id, user).await?;
        }
        let config = types::config(&kind, &channel);
        Ok(Scene { id: id.clone(), channel, kind, caller: profile, member, config })
    }

    /// Whether the app's own server calls.
    pub fn is_server(&self) -> bool {
        self.caller.is_none()
    }

    fn who(&self) -> Who<'_> {
        self.caller.as_ref().map_or(Who::Server, |(id, user)| Who::User(id, user))
    }

    /// Checks that the caller has the permission; see [`permissions::check`].
    ///
    /// # Errors
    /// [`Error::NotAllowed`] otherwise.
    pub fn check(&self, permission: &str, owner: Option<&UserId>) -> Result<()> {
        let place = Place { kind: &self.kind, channel: Some(&self.channel), member: self.member.as_ref() };
        permissions::check(self.who(), place, permission, owner)
    }

    /// Whether the caller has the permission.
    pub fn may(&self, permission: &str) -> bool {
        self.check(permission, None).is_ok()
    }

    /// Checks that the caller may read here (chat §12.4).
    ///
    /// # Errors
    /// [`Error::NotAllowed`] otherwise.
    pub fn check_reading(&self) -> Result<()> {
        self.check("read-channel", None)?;
        self.check_enabled()
    }

    /// Checks that the channel is not disabled for the caller.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is.
    pub fn check_enabled(&self) -> Result<()> {
        match self.channel.is_disabled && !self.is_server() && !self.may("read-disabled-channel") {
            true => Err(Error::NotAllowed(format!("channel {} is disabled", self.id))),
            false => Ok(()),
        }
    }

    /// Checks that the channel is not frozen for the caller.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is.
    pub fn check_not_frozen(&self) -> Result<()> {
        match self.channel.is_frozen && !self.may("use-frozen-channel") {
            true => Err(Error::NotAllowed(format!("channel {} is frozen", self.id))),
            false => Ok(()),
        }
    }

    /// Checks that the channel has the feature `name`.
    ///
    /// # Errors
    /// [`Error::FeatureOff`] when it is not on.
    pub fn check_feature(&self, name: &str, is_on: bool) -> Result<()> {
        match is_on {
            true => Ok(()),
            false => Err(Error::FeatureOff(format!("{name} is disabled for channel {}", self.id))),
        }
    }
}
