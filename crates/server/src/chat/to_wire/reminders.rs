//! Reminders as chat clients read them (chat §6.15, §5A.4).

use domain::chat::reminders::Reminder;
use ids::UserId;
use wire::chat::reminders::Reminder as WireReminder;

use super::messages::Frame;

impl<'a> Frame<'a> {
    /// The reminder of `user` for the message `id`, without the objects around it.
    pub(crate) fn reminder(self, user: &'a UserId, id: &'a str, reminder: &'a Reminder) -> WireReminder<'a> {
        WireReminder {
            channel_cid: reminder.channel.as_str(),
            channel_id: self.dialect.classic_only(reminder.channel.id()),
            message_id: id,
            user_id: user.as_str(),
            user: self.user(user),
            remind_at: reminder.remind_at.map(|at| self.time(at)),
            created_at: self.time(reminder.created_at),
            updated_at: self.time(reminder.updated_at),
            channel: None,
            message: None,
        }
    }
}
