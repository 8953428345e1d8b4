//! The channel that a call is about, and what the caller may do there.

use domain::chat::{
    channels::{self, Channel},
    members::{self, Member},
    permissions::{self, Place, Who},
    types::{self, ChannelType, Config},
};
use ids::ChannelId;

use crate::chat::{error::Result, gate::Call};

/// The channel that a call is about.
pub(crate) struct Spot {
    /// The channel.
    pub(crate) channel: Channel,
    kind: ChannelType,
    /// The caller as a member.
    member: Option<Member>,
}

impl Spot {
    /// The channel `id` as the caller finds it.
    ///
    /// # Errors
    /// 16 when there is none.
    pub(crate) async fn load(call: &Call, id: &ChannelId) -> Result<Self> {
        let mut tx = call.snapshot();
        let channel = channels::load(&mut tx, id).await?;
        let kind = types::load(&mut tx, id.kind()).await?;
        let member = match call.user() {
            Some(user) => members::get(&mut tx, id, user).await?,
            None => None,
        };
        Ok(Spot { channel, kind, member })
    }

    /// Where permissions are asked for.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { kind: &self.kind, channel: Some(&self.channel), member: self.member.as_ref() }
    }

    /// What the channel can do.
    pub(crate) fn config(&self) -> Config {
        types::config(&self.kind, &self.channel)
    }

    /// Checks that the caller has the permission.
    ///
    /// # Errors
    /// 17 otherwise.
    pub(crate) fn check(&self, call: &Call, permission: &str) -> Result<()> {
        permissions::check(call.who(), self.place(), permission, None)?;
        self.check_enabled(call.who())
    }

    /// Checks that the channel is not disabled for the caller (chat §12.4).
    ///
    /// # Errors
    /// 17 when it is.
    pub(crate) fn check_enabled(&self, who: Who<'_>) -> Result<()> {
        match self.channel.is_disabled {
            true => Ok(permissions::check(who, self.place(), "read-disabled-channel", None)?),
            false => Ok(()),
        }
    }
}
