//! What the files that answer an access request are made of, and which set tells of which table (v2 §2.7, §2.8, §4.2).
//!
//! `keyspace::TABLES` says of every table where it is told; the writers walk the sets that are named there, and match over
//! all of them, so that a table cannot be added and forgotten.

use std::collections::BTreeSet;

use crate::keyspace::TABLES;

/// Where an access request is told what a table holds of its subject. There is no default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// It holds nothing of anybody.
    Nobody,
    /// In this set of the export of users.
    Users(UserSet),
    /// In this set of the export of feeds.
    Feeds(FeedSet),
    /// With the rows of the table of this name, which it mirrors, orders or counts.
    With(&'static str),
    /// By the report of moderation about the user (v2 §2.9), which leaves out who else is concerned.
    Report,
    /// Nowhere, for this reason.
    Withheld(&'static str),
}

/// A set of rows in the export of users, in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum UserSet {
    /// The profile.
    User,
    /// Channels, and how the user is a member and what was read, hidden and deleted there.
    Members,
    /// What pushes are sent to.
    Devices,
    /// Of what the user wants these told.
    PushPreferences,
    /// Whom the user blocks.
    Blocks,
    /// Whom the user mutes.
    Mutes,
    /// Channels that the user muted.
    ChannelMutes,
    /// Bans of the user, without who banned.
    Bans,
    /// What the user reported.
    Flags,
    /// Groups of users that the user belongs to or made.
    UserGroups,
    /// What the user uploaded.
    Files,
    /// Threads in which the user takes part.
    Threads,
    /// What the user said.
    Messages,
    /// What it said before it was changed.
    Versions,
    /// The user's reactions.
    Reactions,
    /// What the user has begun to write and not sent.
    Drafts,
    /// Messages that the user saved for later.
    Reminders,
    /// Polls that the user made, and options that the user suggested.
    Polls,
    /// The user's votes and answers in polls.
    Votes,
}

/// A set of rows in the export of feeds, in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FeedSet {
    /// The user's feeds.
    Feeds,
    /// Follows with a feed of the user's on either side.
    Follows,
    /// The user's activities.
    Activities,
    /// The user's comments and replies.
    Comments,
    /// The user's reactions.
    Reactions,
    /// The user's bookmarks.
    Bookmarks,
    /// The folders of these.
    BookmarkFolders,
    /// What the user has in collections.
    Collections,
    /// What feeds v1.0 know of the user. From here on, more than is documented.
    Profile,
    /// What was seen and read of the user's notification feeds.
    MarkState,
    /// Feeds of others of which the user is a member.
    Memberships,
    /// What the user pinned.
    Pins,
    /// What the user wants more or less of, and what is hidden from the user.
    ActivityFeedback,
    /// The tags of what the user reacted to.
    Interests,
    /// Polls that the user made, and options that the user suggested.
    Polls,
    /// The user's votes and answers in polls.
    PollVotes,
    /// Of what the user wants to be told.
    PushPreferences,
}

impl UserSet {
    /// What a line of the file calls a row.
    pub fn line(self) -> &'static str {
        match self {
            UserSet::User => "user",
            UserSet::Members => "member",
            UserSet::Devices => "device",
            UserSet::PushPreferences => "push_preference",
            UserSet::Blocks => "block",
            UserSet::Mutes => "mute",
            UserSet::ChannelMutes => "channel_mute",
            UserSet::Bans => "ban",
            UserSet::Flags => "flag",
            UserSet::UserGroups => "user_group",
            UserSet::Files => "file",
            UserSet::Threads => "thread",
            UserSet::Messages => "message",
            UserSet::Versions => "message_version",
            UserSet::Reactions => "reaction",
            UserSet::Drafts => "draft",
            UserSet::Reminders => "reminder",
            UserSet::Polls => "poll",
            UserSet::Votes => "poll_vote",
        }
    }

    /// What the answer of `GET /users/{id}/export` calls the list.
    pub fn list(self) -> &'static str {
        match self {
            UserSet::User => "user",
            UserSet::Members => "memberships",
            UserSet::Devices => "devices",
            UserSet::PushPreferences => "push_preferences",
            UserSet::Blocks => "blocks",
            UserSet::Mutes => "mutes",
            UserSet::ChannelMutes => "channel_mutes",
            UserSet::Bans => "bans",
            UserSet::Flags => "flags",
            UserSet::UserGroups => "user_groups",
            UserSet::Files => "files",
            UserSet::Threads => "threads",
            UserSet::Messages => "messages",
            UserSet::Versions => "message_versions",
            UserSet::Reactions => "reactions",
            UserSet::Drafts => "drafts",
            UserSet::Reminders => "reminders",
            UserSet::Polls => "polls",
            UserSet::Votes => "poll_votes",
        }
    }
}

impl FeedSet {
    /// The sets that are always there, if empty (v2 §4.2).
    pub const DOCUMENTED: [FeedSet; 8] = [
        FeedSet::Feeds,
        FeedSet::Follows,
        FeedSet::Activities,
        FeedSet::Comments,
        FeedSet::Reactions,
        FeedSet::Bookmarks,
        FeedSet::BookmarkFolders,
        FeedSet::Collections,
    ];

    /// Sets that are told beside those, and whose tables another export tells, or which no table holds.
    const ALSO: [FeedSet; 4] = [FeedSet::Interests, FeedSet::Polls, FeedSet::PollVotes, FeedSet::PushPreferences];

    /// What the file calls the list.
    pub fn list(self) -> &'static str {
        match self {
            FeedSet::Feeds => "feeds",
            FeedSet::Follows => "follows",
            FeedSet::Activities => "activities",
            FeedSet::Comments => "comments",
            FeedSet::Reactions => "reactions",
            FeedSet::Bookmarks => "bookmarks",
            FeedSet::BookmarkFolders => "bookmark_folders",
            FeedSet::Collections => "collections",
            FeedSet::Profile => "profile",
            FeedSet::MarkState => "mark_state",
            FeedSet::Memberships => "memberships",
            FeedSet::Pins => "pins",
            FeedSet::ActivityFeedback => "activity_feedback",
            FeedSet::Interests => "interests",
            FeedSet::Polls => "polls",
            FeedSet::PollVotes => "poll_votes",
            FeedSet::PushPreferences => "push_preferences",
        }
    }
}

/// The sets of the export of users: those that a table is told in.
pub fn of_users() -> BTreeSet<UserSet> {
    let told = |told: &Told| if let Told::Users(set) = told { Some(*set) } else { None };
    TABLES.iter().filter_map(|(.., at)| told(at)).collect()
}

/// The sets of the export of feeds that are told beside the documented ones: those that a table is told in, and some more.
pub fn beside_documented() -> BTreeSet<FeedSet> {
    let told = |told: &Told| if let Told::Feeds(set) = told { Some(*set) } else { None };
    let of_tables = TABLES.iter().filter_map(|(.., at)| told(at)).filter(|set| !FeedSet::DOCUMENTED.contains(set));
    of_tables.chain(FeedSet::ALSO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::Personal;

    #[test]
    fn a_table_is_told_somewhere_if_and_only_if_it_holds_somebodys_data() {
        for (_, name, personal, told) in TABLES {
            assert_eq!(*personal == Personal::None, *told == Told::Nobody, "{name}");
        }
    }

    #[test]
    fn what_is_told_with_another_table_leads_to_one_that_says_for_itself() {
        for (_, name, _, told) in TABLES {
            let Told::With(other) = told else { continue };
            let other =
                TABLES.iter().find(|(_, known, ..)| known == other).unwrap_or_else(|| panic!("{name}: {other}"));
            assert!(!matches!(other.3, Told::With(_) | Told::Nobody), "{name} is told with {}", other.1);
        }
    }

    #[test]
    fn what_is_withheld_has_a_reason() {
        assert!(TABLES.iter().all(|(.., told)| *told != Told::Withheld("")));
    }
}
