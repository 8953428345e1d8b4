//! Shared locations as chat clients read them (chat §6.15).

use domain::chat::messages::Message;
use ids::UserId;
use wire::chat::locations::Location;

use super::messages::Frame;

impl<'a> Frame<'a> {
    /// The location that the message `id` tells, without the objects around it.
    pub(crate) fn location(self, id: &'a str, message: &'a Message) -> Option<Location<'a>> {
        let location = message.location.as_ref()?;
        Some(Location {
            channel_cid: message.channel.as_str(),
            message_id: id,
            user_id: message.user.as_ref().map_or("", UserId::as_str),
            latitude: location.latitude,
            longitude: location.longitude,
            created_by_device_id: &location.device,
            end_at: location.end_at.map(|at| self.time(at)),
            created_at: self.time(message.created_at),
            updated_at: self.time(location.updated_at),
            channel: None,
            message: None,
        })
    }
}
