//! Every table of the database, on one screen: reading this file is reading the database.
//!
//! A row's key is the app, the table's tag and the columns named here, in an order that is their order in memory. A tag
//! is given once; a retired table keeps its line, so that its bytes stay reserved. [`TABLES`] lists them all, with whose
//! personal data each holds and where an export tells of it: export, erasure and `millpond check` walk that list, and a table
//! without an answer does not compile.

use ids::{ActivityId, AppId, Fid, Timestamp};
use store::{Counter, Log, Stamp, StampedTable, Table};

mod columns;
mod personal;
mod tables;

pub use columns::{At, Chat, Feed, Id, Latest, Newest};
pub use personal::Personal;
pub use tables::TABLES;

use crate::{
    apps::AppRecord,
    chat::{
        blocklists::Blocklist,
        campaigns::Campaign,
        channels::{Channel, Hidden},
        commands::Command,
        drafts::Draft,
        imports::{Import, Upload},
        members::Member,
        messages::{Listed, Message, Version},
        permissions::{catalogue::Permission, roles::Role},
        push::{preferences::Preference, providers::Provider, templates::Template},
        reactions::Reaction,
        reads::Read,
        reminders::Reminder,
        retention::{Policy, Run},
        segments::{Segment, Target},
        threads::{Participant, Thread},
        types::ChannelType,
        user_groups::{UserGroup, UserGroupMember},
    },
    exports::Export,
    feeds::{
        activities::{Activity, Posting},
        audit::Noted,
        collections::Item as CollectionItem,
        follows::Follow,
        groups::Group,
        reactions::{About, Reaction as FeedReaction},
        users::Profile,
    },
    files::{File, Variant},
    log::Event,
    moderation::{
        actions::Action, appeals::Appeal, checks::Fingerprint, configs::Config as ModerationConfig, flags::Flag,
        review::Item, settings::Setting as ModerationSetting,
    },
    places::Places,
    polls::{Poll, Vote},
    settings::Settings,
    tasks::Task,
    users::{Ban, User, devices::Device, mutes::Mute},
    v3::{
        activities::Activity as V3Activity, bookmarks::Bookmark, collections::Collection, comments::Comment,
        feedback::Feedback, feeds::Feed as V3Feed, folders::Folder, follows::Follow as V3Follow,
        grants::Grants as V3Grants, groups::Group as V3Group, levels::Level, members::Member as V3Member,
        objects::Object, pins::Pin as V3Pin, reactions::Reaction as V3Reaction, views::View as V3View,
    },
};

/// The tenant of rows that belong to no app.
pub const SYSTEM: AppId = AppId(0);

// The system's own.
/// app id → the app.
pub const APP: Table<u32, AppRecord> = Table::new(1, "app");
/// API key → app id. Unique.
pub const APP_KEY: Table<String, u32> = Table::new(2, "app_key");

// Each app's.
/// name → feed group.
pub const GROUP: Table<String, Group> = Table::new(10, "group");
/// activity → what was posted, whatever the number of feeds that show it.
pub const ACTIVITY: Table<Id, Activity> = Table::new(11, "activity");
/// foreign id, time → activity. Unique.
pub const ACTIVITY_FOREIGN: Table<(String, At), ActivityId> = Table::new(12, "activity_foreign");
/// feed, activity newest first → how and when in commit order it was posted here. A timeline is a view of these rows.
pub const POSTED: StampedTable<(Feed, Newest), Posting> = StampedTable::new(13, "posted");
/// activity, feed → nothing. Mirror of `POSTED`.
pub const PLACED: Table<(Id, Feed), ()> = Table::new(14, "placed");
/// feed → a moment later than every activity ever posted to it.
pub const HORIZON: Table<Feed, Timestamp> = Table::new(15, "horizon");
/// feed, commit order → an activity that came well behind the horizon. Mirror of `POSTED`.
pub const LATE: Table<(Feed, Stamp, u16), ActivityId> = Table::new(16, "late");
/// follower, followed → the follow and what it brings.
pub const FOLLOWING: Table<(Feed, Feed), Follow> = Table::new(17, "following");
/// follower, since newest first, followed → nothing. Mirror of the active `FOLLOWING`.
pub const FOLLOWING_ORDER: Table<(Feed, Latest, Feed), ()> = Table::new(18, "following_order");
/// followed, since newest first, follower → nothing. Mirror of the active `FOLLOWING`.
pub const FOLLOWER_ORDER: Table<(Feed, Latest, Feed), ()> = Table::new(19, "follower_order");
/// followed, group of the follower → how many follow it.
pub const FOLLOWERS: Counter<(Feed, String)> = Counter::new(20, "followers");
/// follower, group of the followed → how many it follows.
pub const FOLLOWED: Counter<(Feed, String)> = Counter::new(21, "followed");
/// commit order → what happened; views, sockets and webhooks follow it.
pub const LOG: Log<Event> = Log::new(22, "log");

/// user → what feeds know of the user.
pub const PROFILE: Table<String, Profile> = Table::new(90, "profile");
/// collection, item → the item.
pub const ITEM: Table<(String, String), CollectionItem> = Table::new(91, "collection_item");
/// reaction → the reaction to an activity or to another reaction.
pub const FEED_REACTION: Table<String, FeedReaction> = Table::new(92, "feed_reaction");
/// what it is about, its kind, time, reaction → nothing. Mirror of the `FEED_REACTION` that show.
pub const FEED_REACTIONS: Table<(About, String, At, String), ()> = Table::new(93, "feed_reactions");
/// what it is about, by whom, time, reaction → its kind. Mirror of the `FEED_REACTION` that show.
pub const OWN_REACTIONS: Table<(About, String, At, String), String> = Table::new(94, "own_reactions");
/// what they are about, kind → how many there are.
pub const REACTION_COUNT: Counter<(About, String)> = Counter::new(95, "reaction_count");
/// feed, what was noted, group or 0 for all → up to which commit it was noted.
pub const NOTED: Table<(Feed, u8, u64), u64> = Table::new(96, "noted");

// Users and chat.
/// user → the user.
pub const USER: Table<String, User> = Table::new(30, "user");
/// user, device → the device.
pub const DEVICE: Table<(String, String), Device> = Table::new(31, "device");
/// user, whom it mutes → the mute.
pub const MUTE: Table<(String, String), Mute> = Table::new(32, "mute");
/// muted user, by whom → nothing. Mirror of `MUTE`.
pub const MUTED: Table<(String, String), ()> = Table::new(33, "muted");
/// blocked user, by whom → nothing. Mirror of what `USER` says.
pub const BLOCKED: Table<(String, String), ()> = Table::new(34, "blocked");
/// user, channel or nothing for the whole app → the ban.
pub const BAN: Table<(String, String), Ban> = Table::new(35, "ban");
/// address, banned user, channel or nothing → nothing. Mirror of what `BAN` says.
pub const ADDRESS_BAN: Table<(String, String, String), ()> = Table::new(247, "address_ban");
/// user, who banned → the ban from every channel that the latter makes later.
pub const FUTURE_BAN: Table<(String, String), Ban> = Table::new(37, "future_ban");
/// name → channel type. The built-in types are there without a row until they are changed.
pub const CHANNEL_TYPE: Table<String, ChannelType> = Table::new(40, "channel_type");
/// name → slash command. The built-in ones are there without a row.
pub const COMMAND: Table<String, Command> = Table::new(41, "command");
/// team or nothing, name → blocklist, but for its words.
pub const BLOCKLIST: Table<(String, String), Blocklist> = Table::new(42, "blocklist");
/// name → role of the app's own.
pub const ROLE: Table<String, Role> = Table::new(43, "role");
/// id → permission of the app's own.
pub const PERMISSION: Table<String, Permission> = Table::new(44, "permission");
/// team or nothing, name, part → some words of the blocklist.
pub const BLOCKLIST_WORDS: Table<(String, String, u32), Vec<String>> = Table::new(46, "blocklist_words");
/// 0 → the settings of the app.
pub const SETTINGS: Table<u32, Settings> = Table::new(45, "settings");
/// channel → the channel.
pub const CHANNEL: Table<Chat, Channel> = Table::new(47, "channel");
/// channel, user → the member.
pub const MEMBER: Table<(Chat, String), Member> = Table::new(48, "member");
/// user, channel → nothing. Mirror of `MEMBER`.
pub const MEMBERSHIP: Table<(String, Chat), ()> = Table::new(49, "membership");
/// channel → how many members it has.
pub const MEMBERS: Counter<Chat> = Counter::new(50, "members");
/// channel, user → how far the user has read, in commit order.
pub const READ: StampedTable<(Chat, String), Read> = StampedTable::new(51, "read");
/// channel, user → that the user hid the channel until something is said.
pub const HIDDEN: Table<(Chat, String), Hidden> = Table::new(52, "hidden");
/// user, channel → that the user muted the channel.
pub const CHANNEL_MUTE: Table<(String, Chat), Mute> = Table::new(53, "channel_mute");
/// message → the message.
pub const MESSAGE: Table<String, Message> = Table::new(57, "message");
/// channel, time, message → how the message counts, and when it came in commit order.
pub const CHANNEL_MESSAGE: StampedTable<(Chat, At, String), Listed> = StampedTable::new(58, "channel_message");
/// parent, time, message → how the reply counts, and when it came in commit order.
pub const REPLY: StampedTable<(String, At, String), Listed> = StampedTable::new(59, "reply");
/// message, user, type → the reaction.
pub const REACTION: Table<(String, String, String), Reaction> = Table::new(60, "reaction");
/// message, time newest first, user, type → nothing. Mirror of `REACTION`.
pub const REACTION_ORDER: Table<(String, Latest, String, String), ()> = Table::new(61, "reaction_order");
/// message, type, time, user → nothing. Mirror of `REACTION`.
pub const REACTION_GROUP: Table<(String, String, At, String), ()> = Table::new(62, "reaction_group");
/// message, type → how many reactions.
pub const REACTIONS: Counter<(String, String)> = Counter::new(63, "reactions");
/// message, type → the sum of their scores.
pub const SCORES: Counter<(String, String)> = Counter::new(64, "scores");
/// parent → the thread that its first reply began.
pub const THREAD: Table<String, Thread> = Table::new(65, "thread");
/// parent, user → how the user takes part in the thread.
pub const PARTICIPANT: Table<(String, String), Participant> = Table::new(66, "participant");
/// user, parent → nothing. Mirror of `PARTICIPANT`.
pub const PARTICIPATION: Table<(String, String), ()> = Table::new(67, "participation");
/// parent, whether deleted → how many replies.
pub const REPLIES: Counter<(String, bool)> = Counter::new(68, "replies");
/// channel → how many messages it shows that are neither deleted nor the application's notes.
pub const MESSAGES: Counter<Chat> = Counter::new(69, "messages");
/// message, when it was written → an older version of the message.
pub const VERSION: Table<(String, At), Version> = Table::new(120, "version");
/// channel, since newest first, message → nothing. Mirror of the pins in `MESSAGE`; an expired one stays until its message changes.
pub const PINNED: Table<(Chat, Latest, String), ()> = Table::new(121, "pinned");
/// channel, user, message → when the user deleted it for themselves.
pub const DELETED_FOR: Table<(Chat, String, String), Timestamp> = Table::new(122, "deleted_for");
/// channel, author, time, message → nothing: it waits to be committed.
pub const PENDING: Table<(Chat, String, At, String), ()> = Table::new(123, "pending");
/// channel, user → when the user last wrote here, while slow mode was on.
pub const PACE: Table<(Chat, String), Timestamp> = Table::new(124, "pace");
/// channel, word or nothing for each message, time, message → nothing: the messages that say it. It holds no word of a
/// message that cannot be found.
pub const WORD: Table<(Chat, String, At, String), ()> = Table::new(129, "word");
/// file → the upload; its bytes are beside the database.
pub const FILE: Table<String, File> = Table::new(130, "file");
/// user, file → nothing: what the user uploaded. Mirror of `FILE`.
pub const UPLOADED: Table<(String, String), ()> = Table::new(131, "uploaded");
/// file → nothing: its bytes are to be removed.
pub const FILE_GONE: Table<String, ()> = Table::new(132, "file_gone");
/// kind, thing, when newest first, what was done → by whom. Kept for apps that want it.
pub const AUDIT: Table<(String, String, Latest, u8), Noted> = Table::new(186, "audit");
/// user, when newest first, kind, thing, what was done → nothing. Mirror of `AUDIT`.
pub const AUDIT_OF_USER: Table<(String, Latest, String, String, u8), ()> = Table::new(187, "audit_of_user");
/// file, shape → the picture of the file in that shape; its bytes are beside the database. It goes with the file.
pub const VARIANT: Table<(String, String), Variant> = Table::new(185, "variant");
/// channel, message → nothing: the message is gone for good, and replies of others to it stay.
pub const STUB: Table<(Chat, String), ()> = Table::new(83, "stub");

// What users keep beside messages.
/// user, channel, parent or nothing → what the user has begun to write there.
pub const DRAFT: Table<(String, Chat, String), Draft> = Table::new(200, "draft");
/// channel, user, parent or nothing → nothing. Mirror of `DRAFT`.
pub const DRAFTED: Table<(Chat, String, String), ()> = Table::new(201, "drafted");
/// user, message → that the user saved it for later.
pub const REMINDER: Table<(String, String), Reminder> = Table::new(202, "reminder");
/// message, user → nothing. Mirror of `REMINDER`.
pub const REMINDED: Table<(String, String), ()> = Table::new(203, "reminded");
/// when, user, message → nothing: the user is to be reminded. Mirror of `REMINDER`, until it was told.
pub const REMINDER_DUE: Table<(At, String, String), ()> = Table::new(204, "reminder_due");
/// poll → the poll. Its votes are read from other tables.
pub const POLL: Table<String, Poll> = Table::new(205, "poll");
/// poll, vote → the vote or the answer.
pub const VOTE: Table<(String, String), Vote> = Table::new(206, "vote");
/// user, poll, what → nothing: what the user did with the poll. A vote by its id, an option that the user suggested by its id
/// after a `+`, or nothing, for whoever made it.
pub const POLLED: Table<(String, String, String), ()> = Table::new(207, "polled");
/// poll, option or nothing for answers, time newest first, vote → nothing. Mirror of `VOTE`.
pub const VOTE_ORDER: Table<(String, String, Latest, String), ()> = Table::new(208, "vote_order");
/// poll, option or nothing for answers → how many votes.
pub const VOTES: Counter<(String, String)> = Counter::new(209, "votes");
/// user, end, message → nothing: the message tells where the user is until then. One whose end is over may stand here.
pub const LIVE: Table<(String, At, String), ()> = Table::new(196, "live");
/// channel, end, message → nothing. Mirror of `LIVE`.
pub const LIVE_IN: Table<(Chat, At, String), ()> = Table::new(197, "live_in");
/// poll, message → nothing: the message shows the poll. Mirror of `MESSAGE`.
pub const POLL_SHOWN: Table<(String, String), ()> = Table::new(195, "poll_shown");

// Moderation.
/// kind, reported thing, by whom → the report.
pub const FLAG: Table<(String, String, String), Flag> = Table::new(70, "flag");
/// item of the review queue → the item.
pub const REVIEW: Table<String, Item> = Table::new(71, "review");
/// kind, reported thing → its item of the review queue.
pub const REVIEW_OF: Table<(String, String), String> = Table::new(72, "review_of");
/// reporter, kind, reported thing → nothing. Mirror of `FLAG`.
pub const FLAGGED_BY: Table<(String, String, String), ()> = Table::new(73, "flagged_by");
/// whose the reported thing is, kind, reported thing → nothing: somebody reported it.
pub const FLAGGED: Table<(String, String, String), ()> = Table::new(74, "flagged");
/// when, newest first, note → what a moderator did.
pub const ACTION: Table<(Latest, String), Action> = Table::new(75, "action");
/// user, when, content → its fingerprint, where a policy counts what is said. What no rule looks back to goes.
pub const SAID: Table<(String, At, String), Fingerprint> = Table::new(235, "said");
/// when, message → nothing: the message is deleted then, if nobody committed it.
pub const PENDING_DUE: Table<(At, String), ()> = Table::new(239, "pending_due");
/// appeal → the appeal.
pub const APPEAL: Table<String, Appeal> = Table::new(236, "appeal");
/// who appeals, appeal → nothing. Mirror of `APPEAL`.
pub const APPEALED_BY: Table<(String, String), ()> = Table::new(237, "appealed_by");
/// what kind of setting, id → a setting of moderation that only its dashboards read.
pub const MODERATION_SETTING: Table<(String, String), ModerationSetting> = Table::new(238, "moderation_setting");
/// key, team or nothing → how content is to be moderated.
pub const MODERATION_CONFIG: Table<(String, String), ModerationConfig> = Table::new(76, "moderation_config");

// Tasks.
/// task → the file that it writes or has written.
pub const EXPORT: Table<String, Export> = Table::new(80, "export");
/// user, task → nothing: the task's file holds data of the user. One whose file is gone may stand here.
pub const EXPORTED: Table<(String, String), ()> = Table::new(81, "exported");
/// file → nothing: nobody needs it any more, and it goes in a moment.
pub const STALE_FILE: Table<String, ()> = Table::new(82, "stale_file");
/// task → the task.
pub const TASK: Table<String, Task> = Table::new(85, "task");
/// when it is looked at next, app, task → nothing. The system's own: one queue for all apps.
pub const TASK_DUE: Table<(At, u32, String), ()> = Table::new(86, "task_due");

/// user, time, message → nothing: what the user said. One that is gone may stand here.
pub const AUTHORED: Table<(String, At, String), ()> = Table::new(87, "authored");
/// user, message, type → nothing: to what the user reacted. One that is gone may stand here.
pub const REACTED: Table<(String, String, String), ()> = Table::new(88, "reacted");
/// hook → how far in the log its events were taken.
pub const HOOK_PLACE: Places = Table::new(77, "hook_place");
/// hook of feeds → how far in the log what changed was taken.
pub const FEED_HOOK_PLACE: Places = Table::new(190, "feed_hook_place");

// How devices would be told.
/// type, name → push provider.
pub const PUSH_PROVIDER: Table<(String, String), Provider> = Table::new(210, "push_provider");
/// type and name of the provider, event → what it would send.
pub const PUSH_TEMPLATE: Table<(String, String, String), Template> = Table::new(211, "push_template");
/// user, channel or nothing for everywhere → of what the user wants to be told.
pub const PUSH_PREFERENCE: Table<(String, String), Preference> = Table::new(212, "push_preference");

// How long things are kept.
/// name → retention policy.
pub const RETENTION: Table<String, Policy> = Table::new(213, "retention");
/// day newest first, policy → what came of the policy on that day.
pub const RETENTION_RUN: Table<(Latest, String), Run> = Table::new(214, "retention_run");

// Groups of users.
/// group → the group.
pub const USER_GROUP: Table<String, UserGroup> = Table::new(128, "user_group");
/// group, user → the member.
pub const USER_GROUP_MEMBER: Table<(String, String), UserGroupMember> = Table::new(126, "user_group_member");

/// name in small letters, user → nothing: who is called so. One who is not may stand here.
pub const USER_NAME: Table<(String, String), ()> = Table::new(127, "user_name");

// Feeds v3. What a feed shows stands in `POSTED` and `FOLLOWING` under the feed's stream, which nobody can name.
/// name → feed group. The built-in groups are there without a row until they are changed.
pub const V3_GROUP: Table<String, V3Group> = Table::new(140, "v3_group");
/// group, id → feed.
pub const V3_FEED: Table<(String, String), V3Feed> = Table::new(141, "v3_feed");
/// stream → the feed whose it is. Mirror of `V3_FEED`.
pub const V3_STREAM: Table<Feed, Fid> = Table::new(142, "v3_stream");
/// activity → what was posted, whatever the number of feeds that show it.
pub const V3_ACTIVITY: Table<Id, V3Activity> = Table::new(143, "v3_activity");
/// the caller's id → activity. Unique.
pub const V3_ACTIVITY_ID: Table<String, ActivityId> = Table::new(144, "v3_activity_id");
/// follower, followed → the follow, also one that waits or was rejected. Accepted ones stand in `FOLLOWING`, too.
pub const V3_FOLLOW: Table<(Feed, Feed), V3Follow> = Table::new(145, "v3_follow");
/// followed, follower → nothing. Mirror of `V3_FOLLOW`.
pub const V3_FOLLOWER: Table<(Feed, Feed), ()> = Table::new(146, "v3_follower");
/// user, kind, row → nothing: what the user made.
pub const V3_OWNED: Table<(String, u8, String), ()> = Table::new(147, "v3_owned");
/// user, kind, row → nothing: what names the user and is another's.
pub const V3_NAMED: Table<(String, u8, String), ()> = Table::new(148, "v3_named");
/// feed, user → the member.
pub const V3_MEMBER: Table<(Feed, String), V3Member> = Table::new(149, "v3_member");
/// feed, what is counted → how many there are.
pub const V3_COUNT: Counter<(Feed, u8)> = Counter::new(150, "v3_count");
/// activity, what is counted → how many there are.
pub const V3_TALLY: Counter<(Id, u8)> = Counter::new(151, "v3_tally");
/// feed, activity → that it is pinned there.
pub const V3_PIN: Table<(Feed, Id), V3Pin> = Table::new(152, "v3_pin");
/// user, feed, what is noted, activity or group as a number (0 for all) → when: what the user saw, read and watched.
pub const V3_MARK: Table<(String, Feed, u8, u64), Timestamp> = Table::new(220, "v3_mark");
/// poll, activity → nothing: the activity shows the poll. Mirror of `V3_ACTIVITY`.
pub const V3_POLL_SHOWN: Table<(String, String), ()> = Table::new(240, "v3_poll_shown");
/// id → membership level.
pub const V3_LEVEL: Table<String, Level> = Table::new(241, "v3_level");
/// visibility → what roles may do with feeds that are seen so, where the app says otherwise than is usual.
pub const V3_GRANTS: Table<String, V3Grants> = Table::new(246, "v3_grants");
/// activity, user → what the user said of it to whoever ranks.
pub const V3_FEEDBACK: Table<(Id, String), Feedback> = Table::new(242, "v3_feedback");
/// activity, metric → its total.
pub const V3_METRIC: Counter<(Id, String)> = Counter::new(243, "v3_metric");
/// activity, the activity that shares it → nothing. Mirror of `V3_ACTIVITY`.
pub const V3_SHARE: Table<(Id, Newest), ()> = Table::new(244, "v3_share");
/// what it is about, what happened, by whom, activity → nothing: the activity notifies of it, and goes with what it is about.
pub const V3_NOTIFIED: Table<(String, u8, String, Id), ()> = Table::new(245, "v3_notified");
/// name → feed view.
pub const V3_VIEW: Table<String, V3View> = Table::new(221, "v3_view");
/// name → when the view was last used to read a feed, to the minute.
pub const V3_VIEW_USED: Table<String, Timestamp> = Table::new(222, "v3_view_used");
// What users make of activities of feeds v3.
/// comment → the comment.
pub const V3_COMMENT: Table<String, Comment> = Table::new(160, "v3_comment");
/// activity, parent or nothing, time, comment → nothing: the threads. Mirror of `V3_COMMENT`.
pub const V3_COMMENT_ORDER: Table<(String, String, At, String), ()> = Table::new(161, "v3_comment_order");
/// user, time, comment → nothing: what the user commented. Mirror of `V3_COMMENT`.
pub const V3_COMMENTED: Table<(String, At, String), ()> = Table::new(162, "v3_commented");
/// comment, what is counted → how many there are.
pub const V3_COMMENT_TALLY: Counter<(String, u8)> = Counter::new(163, "v3_comment_tally");
/// activity or comment, user, type → the reaction.
pub const V3_REACTION: Table<(Object, String, String), V3Reaction> = Table::new(164, "v3_reaction");
/// activity or comment, time newest first, user, type → nothing. Mirror of `V3_REACTION`.
pub const V3_REACTION_ORDER: Table<(Object, Latest, String, String), ()> = Table::new(165, "v3_reaction_order");
/// activity or comment, type, time, user → nothing. Mirror of `V3_REACTION`.
pub const V3_REACTION_GROUP: Table<(Object, String, At, String), ()> = Table::new(166, "v3_reaction_group");
/// activity or comment, type → how many reactions.
pub const V3_REACTION_COUNT: Counter<(Object, String)> = Counter::new(167, "v3_reaction_count");
/// user, activity or comment, type → nothing: to what the user reacted. Mirror of `V3_REACTION`.
pub const V3_REACTED: Table<(String, Object, String), ()> = Table::new(168, "v3_reacted");
/// user, activity or comment, folder or nothing → the bookmark.
pub const V3_BOOKMARK: Table<(String, Object, String), Bookmark> = Table::new(169, "v3_bookmark");
/// activity or comment, user, folder or nothing → nothing. Mirror of `V3_BOOKMARK`.
pub const V3_BOOKMARKED: Table<(Object, String, String), ()> = Table::new(170, "v3_bookmarked");
/// folder → the folder of bookmarks.
pub const V3_FOLDER: Table<String, Folder> = Table::new(171, "v3_folder");
/// user, name → folder. Unique.
pub const V3_FOLDER_NAME: Table<(String, String), String> = Table::new(172, "v3_folder_name");
/// folder, activity or comment → nothing. Mirror of `V3_BOOKMARK`.
pub const V3_IN_FOLDER: Table<(String, Object), ()> = Table::new(173, "v3_in_folder");
/// collection, id → the entry.
pub const V3_COLLECTION: Table<(String, String), Collection> = Table::new(174, "v3_collection");
/// user, collection, id → nothing: the entries of the user. Mirror of `V3_COLLECTION`.
pub const V3_COLLECTED: Table<(String, String, String), ()> = Table::new(175, "v3_collected");

/// 0 → when the tables on disk were last written anew without what was removed. The system's own.
pub const COMPACTED: Table<u32, Timestamp> = Table::new(180, "compacted");

/// hash of a user's id → when the user was erased. It names nobody, and is what an erasure leaves on purpose.
pub const ERASED: Table<String, Timestamp> = Table::new(181, "erased");

/// place → the file that was uploaded there, or may be, for an import.
pub const IMPORT_UPLOAD: Table<String, Upload> = Table::new(230, "import_upload");
/// import → how it stands, and what came of the rows of its file.
pub const IMPORT: Table<String, Import> = Table::new(231, "import");
/// time newest first, import → nothing. Mirror of `IMPORT`.
pub const IMPORT_ORDER: Table<(Latest, String), ()> = Table::new(232, "import_order");

/// moment, channel → nothing: then members are looked for who have not read what is old enough.
pub const UNREAD_DUE: Table<(At, Chat), ()> = Table::new(233, "unread_due");

/// id → campaign.
pub const CAMPAIGN: Table<String, Campaign> = Table::new(250, "campaign");
/// id → segment, but for what belongs to it.
pub const SEGMENT: Table<String, Segment> = Table::new(248, "segment");
/// segment, user or cid of a channel → since when it belongs to the segment.
pub const SEGMENT_TARGET: Table<(String, String), Target> = Table::new(249, "segment_target");

/// The columns of the key of the table `name`, in the words of this file.
pub fn columns(name: &str) -> &'static str {
    let mut said = "";
    for line in include_str!("keyspace.rs").lines() {
        if let Some(words) = line.strip_prefix("/// ").and_then(|words| words.split_once(" → ")) {
            said = words.0;
        }
        if line.starts_with("pub const ") && line.contains(&format!(", \"{name}\")")) {
            return said;
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_tag_and_a_name_are_given_once() {
        let tags: HashSet<_> = TABLES.iter().map(|(tag, ..)| tag).collect();
        let names: HashSet<_> = TABLES.iter().map(|(_, name, ..)| name).collect();
        assert_eq!((tags.len(), names.len()), (TABLES.len(), TABLES.len()));
    }

    #[test]
    fn every_table_has_a_sentence_that_begins_with_the_columns_of_its_key() {
        let mut seen = HashSet::new();
        for (_, name, ..) in TABLES {
            assert!(!columns(name).is_empty(), "{name}");
            seen.insert(columns(name));
        }
        assert_eq!((columns("device"), columns("log"), columns("none")), ("user, device", "commit order", ""));
        assert!(seen.len() > TABLES.len() / 2);
    }

    #[test]
    fn every_table_declared_here_is_listed_with_whose_data_it_holds() {
        let declared = include_str!("keyspace.rs")
            .lines()
            .filter(|line| line.starts_with("pub const ") && line.contains("::new("))
            .count();
        assert_eq!(declared, TABLES.len());
    }
}
