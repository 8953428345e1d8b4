//! Who has not read what, as hooks are told it beside an event (chat §6.1, §10.1).

use std::collections::HashMap;

use domain::{
    Tx,
    chat::{
        events::Event,
        members,
        reads::{self, Total},
    },
    users::{
        People,
        own::{self, Unread},
    },
};
use ids::{Timestamp, UserId};
use wire::chat::{
    dialect::{Dialect, Time},
    events::{Reader, Totals},
    users::User,
};

use crate::chat::channels::state::Listed;

/// The most members of an event (chat §4.2).
const MEMBERS_MAX: usize = 50;
/// The most channels that are looked at for one event to count what its users have not read anywhere. Users for whom there
/// is no more are told without these totals, so that an event in a room of people with many channels does not take forever.
const CHANNELS_MAX: usize = 2_000;

/// Members of an event's channel, and what they and the event's user have not read.
#[derive(Debug, Default)]
pub(super) struct Readers {
    pub(super) members: Vec<Listed>,
    standings: HashMap<UserId, Standing>,
}

/// What somebody has not read.
#[derive(Debug)]
struct Standing {
    channel: Option<Total>,
    totals: Option<Unread>,
}

impl Readers {
    /// Reads who is in the channel of `event`, if it is about a channel or a message; they come into `people`.
    pub(super) async fn read(tx: &mut Tx, event: &Event, people: &mut People, now: Timestamp) -> domain::Result<Self> {
        let Some(channel) = event.channel.as_ref().filter(|_| has_readers(&event.kind)) else {
            return Ok(Readers::default());
        };
        let listed = members::list(tx, channel, MEMBERS_MAX, 0).await?;
        let members: Vec<Listed> = listed.into_iter().map(|(user, member)| Listed::new(user, member)).collect();
        people.add(tx, members.iter().map(|listed| &listed.user)).await?;
        let (mut standings, mut looked) = (HashMap::new(), 0);
        for user in event.user.iter().chain(members.iter().map(|listed| &listed.user)) {
            if standings.contains_key(user) {
                continue;
            }
            looked += reads::memberships(tx, user).await?.len();
            let totals = match looked <= CHANNELS_MAX {
                true => Some(own::unread(tx, user, now).await?),
                false => None,
            };
            let channel = reads::total_of(tx, channel.clone(), user, now).await?;
            standings.insert(user.clone(), Standing { channel, totals });
        }
        Ok(Readers { members, standings })
    }

    /// `user` with what is known of its reading; as it is, if nothing is.
    pub(super) fn reader<'a>(&self, id: &UserId, user: User<'a>, dialect: Dialect) -> Reader<'a> {
        let standing = self.standings.get(id);
        let channel = standing.and_then(|standing| standing.channel.as_ref());
        let totals = standing.and_then(|standing| standing.totals.as_ref());
        Reader {
            user,
            channel_unread_count: channel.map(|total| total.unread),
            channel_last_read_at: channel.map(|total| Time { at: total.last_read, dialect }),
            totals: totals.map(|unread| Totals {
                total_unread_count: unread.messages,
                unread_count: unread.messages,
                unread_channels: unread.channels,
                unread_threads: unread.threads,
                unread_thread_messages: unread.replies,
            }),
        }
    }
}

/// Whether events of this kind tell hooks who is in the channel.
fn has_readers(kind: &str) -> bool {
    matches!(kind.split_once('.'), Some(("channel" | "message", _)))
}
