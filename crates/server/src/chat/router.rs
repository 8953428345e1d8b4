//! Every route of the chat API, on one screen, with who may call it (chat §11).

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    routing::{MethodFilter, on},
};

use super::{
    absent, app, blocklists, blocks, campaigns, channels, commands, connect, devices, drafts, erasure, events, exports,
    files,
    gate::{self, Callers, Erased, Handler, Operation},
    guest, imports, locations, members, messages, moderation, og, permissions, polls,
    prefix::INSIDE,
    push, rate_limits, reactions, reads, reminders, retention, search, segments, tasks, threads, types, user_groups,
    users,
    users::standing,
    watching,
};
use crate::{
    Server,
    router::{RawParams, decoded},
    v3,
};

use Callers::{Anyone, Both, Readers, Server as S};

pub(crate) const DELETE: MethodFilter = MethodFilter::DELETE;
pub(crate) const GET: MethodFilter = MethodFilter::GET;
pub(crate) const PATCH: MethodFilter = MethodFilter::PATCH;
pub(crate) const POST: MethodFilter = MethodFilter::POST;
pub(crate) const PUT: MethodFilter = MethodFilter::PUT;

/// A route as this table declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path without a prefix, its parameters in braces.
    pub path: &'static str,
    /// The name, by which errors and rate limits go.
    pub operation: &'static str,
}

/// The routes of the chat API.
pub(crate) fn routes(server: &Arc<Server>) -> Router {
    v3::router::routes(table(server)).router
}

/// The routes of the chat API, as this table declares them.
pub(crate) fn declared(server: &Arc<Server>) -> Vec<Declared> {
    v3::router::routes(table(server)).declared
}

fn table(server: &Arc<Server>) -> Routes<'_> {
    Routes { server, router: Router::new(), declared: Vec::new() }
        // method path        operation          callers  handler
        // The app.
        .route(GET, "app", "GetApp", Both, app::get)
        .route(PATCH, "app", "UpdateApp", S, app::update)
        .route(POST, "check_push", "CheckPush", S, push::check)
        .route(POST, "check_sqs", "CheckSQS", S, app::check_queue)
        .route(POST, "check_sns", "CheckSNS", S, app::check_queue)
        .route(GET, "rate_limits", "GetRateLimits", Both, rate_limits::get)
        .route(POST, "channeltypes", "CreateChannelType", S, types::create)
        .route(GET, "channeltypes", "ListChannelTypes", S, types::list)
        .route(GET, "channeltypes/{name}", "GetChannelType", S, types::get)
        .route(PUT, "channeltypes/{name}", "UpdateChannelType", S, types::update)
        .route(DELETE, "channeltypes/{name}", "DeleteChannelType", S, types::remove)
        .route(POST, "commands", "CreateCommand", S, commands::create)
        .route(GET, "commands", "ListCommands", S, commands::list)
        .route(GET, "commands/{name}", "GetCommand", S, commands::get)
        .route(PUT, "commands/{name}", "UpdateCommand", S, commands::update)
        .route(DELETE, "commands/{name}", "DeleteCommand", S, commands::remove)
        .route(POST, "blocklists", "CreateBlockList", S, blocklists::create)
        .route(GET, "blocklists", "ListBlockLists", S, blocklists::list)
        .route(GET, "blocklists/{name}", "GetBlockList", S, blocklists::get)
        .route(PUT, "blocklists/{name}", "UpdateBlockList", S, blocklists::update)
        .route(DELETE, "blocklists/{name}", "DeleteBlockList", S, blocklists::remove)
        .route(POST, "blocklists/{name}/import", "ImportBlockList", S, blocklists::import)
        .route(POST, "roles", "CreateRole", S, permissions::create_role)
        .route(GET, "roles", "ListRoles", S, permissions::list_roles)
        .route(GET, "roles/search", "SearchRoles", S, permissions::search_roles)
        .route(DELETE, "roles/{name}", "DeleteRole", S, permissions::remove_role)
        .route(POST, "permissions", "CreatePermission", S, permissions::create)
        .route(GET, "permissions", "ListPermissions", S, permissions::list)
        .route(GET, "permissions/{id}", "GetPermission", S, permissions::get)
        .route(PUT, "permissions/{id}", "UpdatePermission", S, permissions::update)
        .route(DELETE, "permissions/{id}", "DeletePermission", S, permissions::remove)
        .route(POST, "usergroups", "CreateUserGroup", S, user_groups::create)
        .route(GET, "usergroups", "ListUserGroups", S, user_groups::list)
        .route(GET, "usergroups/search", "SearchUserGroups", S, user_groups::search)
        .route(GET, "usergroups/{id}", "GetUserGroup", S, user_groups::get)
        .route(PUT, "usergroups/{id}", "UpdateUserGroup", S, user_groups::update)
        .route(DELETE, "usergroups/{id}", "DeleteUserGroup", S, user_groups::remove)
        .route(POST, "usergroups/{id}/members", "AddUserGroupMembers", S, user_groups::add_members)
        .route(POST, "usergroups/{id}/members/delete", "RemoveUserGroupMembers", S, user_groups::remove_members)
        .route(POST, "stats/team_usage", "QueryTeamUsageStats", S, absent::team_usage)
        .route(GET, "retention_policy", "GetRetentionPolicy", S, retention::list)
        .route(POST, "retention_policy", "SetRetentionPolicy", S, retention::set)
        .route(POST, "retention_policy/delete", "DeleteRetentionPolicy", S, retention::remove)
        .route(POST, "retention_policy/runs", "GetRetentionPolicyRuns", S, retention::runs)
        .route(POST, "import_urls", "CreateImportURL", S, imports::create_url)
        .route(POST, "imports", "CreateImport", S, imports::create)
        .route(GET, "imports", "ListImports", S, imports::list)
        .route(GET, "imports/{id}", "GetImport", S, imports::get)
        // Channels.
        .route(POST, "channels/delete", "DeleteChannels", S, erasure::delete_channels)
        .route(GET, "channels/{type}/{id}", "GetChannel", Readers, channels::get)
        .route(PUT, "channels/batch", "ChannelBatchUpdate", S, channels::batch::update)
        .route(POST, "channels/grouped", "GroupedQueryChannels", S, channels::grouped::query)
        .route(POST, "channels", "QueryChannels", Readers, channels::query)
        .route(POST, "channels/{type}/{id}", "UpdateChannel", Both, channels::update)
        .route(PATCH, "channels/{type}/{id}", "UpdateChannelPartial", Both, channels::patch)
        .route(DELETE, "channels/{type}/{id}", "DeleteChannel", Both, channels::delete)
        .route(POST, "channels/{type}/{id}/truncate", "TruncateChannel", Both, channels::truncate)
        .route(POST, "channels/{type}/{id}/hide", "HideChannel", Both, channels::hide)
        .route(POST, "channels/{type}/{id}/show", "ShowChannel", Both, channels::show)
        .route(PATCH, "channels/{type}/{id}/member", "UpdateMemberPartial", Both, members::patch_own)
        .route(PATCH, "channels/{type}/{id}/member/{user_id}", "UpdateMemberPartial", Both, members::patch)
        .route(GET, "members", "QueryMembers", Readers, members::query)
        .route(POST, "channels/read", "MarkChannelsRead", Both, reads::read_all)
        .route(POST, "channels/delivered", "MarkDelivered", Both, reads::delivered)
        .route(POST, "channels/{type}/{id}/read", "MarkRead", Both, reads::read)
        .route(POST, "channels/{type}/{id}/unread", "MarkUnread", Both, reads::unread)
        .route(GET, "unread", "UnreadCounts", Both, reads::totals)
        .route(POST, "unread_batch", "UnreadCountsBatch", S, reads::totals_of_many)
        .route(POST, "moderation/mute/channel", "MuteChannel", Both, channels::mute)
        .route(POST, "moderation/unmute/channel", "UnmuteChannel", Both, channels::unmute)
        .route(POST, "channels/{type}/query", "GetOrCreateChannel", Readers, channels::get_or_create_distinct)
        .route(POST, "channels/{type}/{id}/query", "GetOrCreateChannel", Readers, channels::get_or_create)
        .route(POST, "channels/{type}/{id}/event", "SendEvent", Both, events::send)
        .route(POST, "channels/{type}/{id}/stop-watching", "StopWatchingChannel", Readers, watching::stop)
        // Users.
        .route(GET, "users", "QueryUsers", Both, users::query)
        .route(POST, "users", "UpdateUsers", Both, users::upsert)
        .route(PATCH, "users", "UpdateUsersPartial", Both, users::patch)
        .route(GET, "users/block", "GetBlockedUsers", Both, blocks::list)
        .route(POST, "users/block", "BlockUsers", Both, blocks::add)
        .route(POST, "users/unblock", "UnblockUsers", Both, blocks::remove)
        .route(POST, "users/deactivate", "DeactivateUsers", S, erasure::deactivate_users)
        .route(POST, "users/delete", "DeleteUsers", S, erasure::delete_users)
        .route(POST, "users/reactivate", "ReactivateUsers", S, erasure::reactivate_users)
        .route(POST, "users/restore", "RestoreUsers", S, standing::restore)
        .route(DELETE, "users/{id}", "DeleteUser", S, standing::delete)
        .route(POST, "users/{id}/deactivate", "DeactivateUser", S, standing::deactivate)
        .route(POST, "users/{id}/event", "SendUserCustomEvent", S, events::send_to_user)
        .route(POST, "users/{id}/reactivate", "ReactivateUser", S, standing::reactivate)
        .route(POST, "guest", "CreateGuest", Anyone, guest::create)
        // Devices.
        .route(GET, "devices", "ListDevices", Both, devices::list)
        .route(POST, "devices", "CreateDevice", Both, devices::add)
        .route(DELETE, "devices", "DeleteDevice", Both, devices::remove)
        // Moderation.
        .route(POST, "moderation/ban", "Ban", Both, moderation::bans::add)
        .route(DELETE, "moderation/ban", "Unban", Both, moderation::bans::remove)
        .route(POST, "moderation/unban", "Unban", Both, moderation::bans::remove)
        .route(GET, "query_banned_users", "QueryBannedUsers", Both, moderation::bans::query)
        .route(GET, "query_future_channel_bans", "QueryFutureChannelBans", Both, moderation::bans::later)
        .route(POST, "moderation/mute", "Mute", Both, moderation::mutes::add)
        .route(POST, "moderation/unmute", "Unmute", Both, moderation::mutes::remove)
        .route(POST, "moderation/flag", "Flag", Both, moderation::flags::add)
        .route(POST, "moderation/unflag", "Unflag", Both, moderation::flags::remove)
        .route(POST, "moderation/flags", "QueryModerationFlags", S, moderation::flags::query)
        .route(POST, "moderation/flag_count", "GetFlagCount", S, moderation::flags::count)
        .route(GET, "moderation/flags/message", "QueryMessageFlags", Both, moderation::flags::of_messages)
        .route(POST, "moderation/reports", "QueryFlagReports", Both, moderation::reports::query)
        .route(PATCH, "moderation/reports/{id}", "ReviewFlagReport", Both, moderation::reports::update)
        .route(GET, "moderation/user_report", "GetUserReport", S, moderation::report::get)
        .route(POST, "moderation/review_queue", "QueryReviewQueue", S, moderation::review::query)
        .route(GET, "moderation/review_queue/{id}", "GetReviewQueueItem", S, moderation::review::get)
        .route(POST, "moderation/submit_action", "SubmitAction", S, moderation::decide::submit)
        .route(POST, "moderation/logs", "QueryModerationLogs", S, moderation::review::logs)
        .route(POST, "moderation/action_logs", "CreateActionLog", S, moderation::review::note)
        .route(POST, "moderation/config", "UpsertConfig", S, moderation::configs::upsert)
        .route(GET, "moderation/config/{key}", "GetConfig", S, moderation::configs::get)
        .route(DELETE, "moderation/config/{key}", "DeleteConfig", S, moderation::configs::remove)
        .route(POST, "moderation/configs", "QueryModerationConfigs", S, moderation::configs::query)
        .route(POST, "moderation/bypass", "Bypass", S, moderation::bypass)
        .route(POST, "moderation/check", "Check", S, moderation::checks::check)
        .route(POST, "moderation/custom_check", "CustomCheck", S, moderation::checks::custom)
        .route(POST, "moderation/analyze", "Analyze", S, absent::answer)
        .route(POST, "moderation/labels", "Labels", S, absent::answer)
        .route(POST, "moderation/labels/results", "QueryLabelResults", S, moderation::checks::label_results)
        .route(POST, "moderation/bulk_image_moderation", "BulkImageModeration", S, absent::answer)
        .route(POST, "moderation/check_s3_access", "CheckS3Access", S, absent::answer)
        .route(POST, "moderation/submit_moderation_feedback", "SubmitFeedback", S, absent::answer)
        .route(POST, "moderation/moderation_rule", "UpsertModerationRule", S, absent::answer)
        .route(GET, "moderation/moderation_rule/{id}", "GetModerationRule", S, absent::answer)
        .route(DELETE, "moderation/moderation_rule/{id}", "DeleteModerationRule", S, absent::answer)
        .route(POST, "moderation/moderation_rules", "QueryModerationRules", S, moderation::checks::rules)
        .route(POST, "moderation/feeds_moderation_template", "UpsertTemplate", S, moderation::settings::upsert_template)
        .route(GET, "moderation/feeds_moderation_template", "QueryTemplates", S, moderation::settings::list_templates)
        .route(
            DELETE,
            "moderation/feeds_moderation_template",
            "DeleteTemplate",
            S,
            moderation::settings::remove_templates,
        )
        .route(GET, "moderation/action_config", "GetActionConfig", S, moderation::settings::list_actions)
        .route(POST, "moderation/action_config", "UpsertActionConfig", S, moderation::settings::upsert_action)
        .route(
            POST,
            "moderation/action_config/bulk",
            "BulkUpsertActionConfigs",
            S,
            moderation::settings::upsert_actions,
        )
        .route(
            POST,
            "moderation/action_config/bulk_delete",
            "BulkDeleteActionConfigs",
            S,
            moderation::settings::remove_actions,
        )
        .route(DELETE, "moderation/action_config/{id}", "DeleteActionConfig", S, moderation::settings::remove_action)
        .route(GET, "moderation/setup", "GetSetup", S, moderation::settings::get_setup)
        .route(POST, "moderation/setup", "UpsertSetup", S, moderation::settings::upsert_setup)
        .route(GET, "moderation/queues", "ListQueues", S, moderation::settings::list_queues)
        .route(POST, "moderation/queues", "CreateQueue", S, moderation::settings::add_queue)
        .route(GET, "moderation/queues/{id}", "GetQueue", S, moderation::settings::get_queue)
        .route(PATCH, "moderation/queues/{id}", "UpdateQueue", S, moderation::settings::update_queue)
        .route(POST, "moderation/queues/{id}/delete", "DeleteQueue", S, moderation::settings::remove_queue)
        .route(POST, "moderation/appeal", "Appeal", Both, moderation::appeals::add)
        .route(GET, "moderation/appeal/{id}", "GetAppeal", Both, moderation::appeals::get)
        .route(POST, "moderation/appeals", "QueryAppeals", Both, moderation::appeals::query)
        .route(POST, "moderation/appeals/bulk_action", "BulkActionAppeals", S, moderation::appeals::bulk)
        .route(GET, "moderation/policy_tests/sets", "ListPolicyTestSets", S, moderation::checks::test_sets)
        .route(POST, "moderation/policy_tests/sets", "CreatePolicyTestSet", S, absent::answer)
        .route(POST, "push_preferences", "UpdatePushPreferences", Both, push::set_preferences)
        .route(GET, "push_providers", "ListPushProviders", S, push::list_providers)
        .route(POST, "push_providers", "UpsertPushProvider", S, push::upsert_provider)
        .route(DELETE, "push_providers/{type}/{name}", "DeletePushProvider", S, push::remove_provider)
        .route(GET, "push_templates", "GetPushTemplates", S, push::list_templates)
        .route(POST, "push_templates", "UpsertPushTemplate", S, push::upsert_template)
        // Tasks and exports.
        .route(GET, "tasks/{task}", "GetTask", S, tasks::get)
        .route(GET, "users/{id}/export", "ExportUser", S, exports::export_user)
        .route(POST, "export/users", "ExportUsers", S, exports::export_users)
        .route(POST, "export_channels", "ExportChannels", S, exports::export_channels)
        .route(GET, "export_channels/{task}", "GetExportChannelsStatus", S, tasks::get_export)
        // The socket.
        .route(POST, "sync", "Sync", Both, events::sync)
        .socket("connect")
        .socket("ws")
        // Messages.
        .route(POST, "channels/{type}/{id}/message", "SendMessage", Both, messages::send)
        .route(GET, "channels/{type}/{id}/messages", "GetManyMessages", Both, messages::get_many)
        .route(GET, "channels/{type}/{id}/pinned_messages", "GetPinnedMessages", Readers, messages::pinned)
        .route(GET, "messages/{id}", "GetMessage", Both, messages::get)
        .route(POST, "messages/{id}", "UpdateMessage", Both, messages::update)
        .route(PUT, "messages/{id}", "UpdateMessagePartial", Both, messages::patch)
        .route(PATCH, "messages/{id}/ephemeral", "EphemeralMessageUpdate", Both, messages::patch)
        .route(DELETE, "messages/{id}", "DeleteMessage", Both, messages::delete)
        .route(POST, "messages/{id}/undelete", "UndeleteMessage", Callers::Server, messages::undelete)
        .route(POST, "messages/{id}/commit", "CommitMessage", Callers::Server, messages::commit)
        .route(POST, "messages/{id}/action", "RunMessageAction", Both, messages::act)
        .route(POST, "messages/{id}/translate", "TranslateMessage", Both, messages::translate)
        .route(POST, "messages/history", "QueryMessageHistory", Callers::Server, messages::history)
        .route(GET, "messages/{id}/replies", "GetReplies", Both, messages::replies)
        .route(POST, "messages/{id}/reaction", "SendReaction", Both, reactions::send)
        .route(DELETE, "messages/{id}/reaction/{kind}", "DeleteReaction", Both, reactions::delete)
        .route(GET, "messages/{id}/reactions", "GetReactions", Both, reactions::list)
        .route(POST, "messages/{id}/reactions", "QueryReactions", Both, reactions::query)
        .route(POST, "threads", "QueryThreads", Both, threads::query)
        .route(GET, "threads/{message_id}", "GetThread", Both, threads::get)
        .route(PATCH, "threads/{message_id}", "UpdateThreadPartial", Both, threads::update)
        .route(GET, "search", "Search", Both, search::search)
        .route(POST, "channels/{type}/{id}/draft", "CreateDraft", Both, drafts::put)
        .route(GET, "channels/{type}/{id}/draft", "GetDraft", Both, drafts::get)
        .route(DELETE, "channels/{type}/{id}/draft", "DeleteDraft", Both, drafts::delete)
        .route(POST, "drafts/query", "QueryDrafts", Both, drafts::query)
        .route(POST, "messages/{id}/reminders", "CreateReminder", Both, reminders::create)
        .route(PATCH, "messages/{id}/reminders", "UpdateReminder", Both, reminders::update)
        .route(DELETE, "messages/{id}/reminders", "DeleteReminder", Both, reminders::delete)
        .route(POST, "reminders/query", "QueryReminders", Both, reminders::query)
        .route(POST, "polls", "CreatePoll", Both, polls::create)
        .route(PUT, "polls", "UpdatePoll", Both, polls::update)
        .route(POST, "polls/query", "QueryPolls", Both, polls::query)
        .route(GET, "polls/{poll}", "GetPoll", Both, polls::get)
        .route(PATCH, "polls/{poll}", "UpdatePollPartial", Both, polls::patch)
        .route(DELETE, "polls/{poll}", "DeletePoll", Both, polls::delete)
        .route(POST, "polls/{poll}/options", "CreatePollOption", Both, polls::add_option)
        .route(PUT, "polls/{poll}/options", "UpdatePollOption", Both, polls::change_option)
        .route(GET, "polls/{poll}/options/{option}", "GetPollOption", Both, polls::get_option)
        .route(DELETE, "polls/{poll}/options/{option}", "DeletePollOption", Both, polls::delete_option)
        .route(POST, "polls/{poll}/votes", "QueryPollVotes", Both, polls::query_votes)
        .route(POST, "messages/{id}/polls/{poll}/vote", "CastPollVote", Both, polls::cast)
        .route(DELETE, "messages/{id}/polls/{poll}/vote/{vote}", "DeletePollVote", Both, polls::take_back)
        .route(GET, "users/live_locations", "GetUserLiveLocations", Both, locations::list)
        .route(PUT, "users/live_locations", "UpdateLiveLocation", Both, locations::update)
        // Files.
        .route(POST, "channels/{type}/{id}/file", "UploadChannelFile", Both, files::upload_to_channel)
        .route(DELETE, "channels/{type}/{id}/file", "DeleteChannelFile", Both, files::delete)
        .route(POST, "channels/{type}/{id}/image", "UploadChannelImage", Both, files::upload_image_to_channel)
        .route(DELETE, "channels/{type}/{id}/image", "DeleteChannelImage", Both, files::delete)
        .route(POST, "uploads/file", "UploadFile", Both, files::upload_file)
        .route(DELETE, "uploads/file", "DeleteFile", Both, files::delete)
        .route(POST, "uploads/image", "UploadImage", Both, files::upload_image)
        .route(DELETE, "uploads/image", "DeleteImage", Both, files::delete)
        .route(GET, "og", "GetOG", Both, og::get)
        // Campaigns and segments.
        .route(POST, "campaigns", "CreateCampaign", S, campaigns::create)
        .route(POST, "campaigns/query", "QueryCampaigns", S, campaigns::query)
        .route(GET, "campaigns/{id}", "GetCampaign", S, campaigns::get)
        .route(PUT, "campaigns/{id}", "UpdateCampaign", S, campaigns::update)
        .route(POST, "campaigns/{id}/start", "StartCampaign", S, campaigns::start)
        .route(POST, "campaigns/{id}/stop", "StopCampaign", S, campaigns::stop)
        .route(DELETE, "campaigns/{id}", "DeleteCampaign", S, campaigns::remove)
        .route(POST, "segments", "CreateSegment", S, segments::create)
        .route(POST, "segments/query", "QuerySegments", S, segments::query)
        .route(GET, "segments/{id}", "GetSegment", S, segments::get)
        .route(PUT, "segments/{id}", "UpdateSegment", S, segments::update)
        .route(DELETE, "segments/{id}", "DeleteSegment", S, segments::remove)
        .route(POST, "segments/{id}/addtargets", "AddSegmentTargets", S, segments::add_targets)
        .route(POST, "segments/{id}/deletetargets", "DeleteSegmentTargets", S, segments::remove_targets)
        .route(GET, "segments/{id}/target/{target}", "SegmentTargetExists", S, segments::has_target)
        .route(POST, "segments/{id}/targets/query", "QuerySegmentTargets", S, segments::query_targets)
        // Storage of others.
        .route(GET, "external_storage", "ListExternalStorage", S, absent::answer)
        .route(POST, "external_storage", "CreateExternalStorage", S, absent::answer)
        .route(PUT, "external_storage/{name}", "UpdateExternalStorage", S, absent::answer)
        .route(DELETE, "external_storage/{name}", "DeleteExternalStorage", S, absent::answer)
        .route(GET, "external_storage/{name}/check", "CheckExternalStorage", S, absent::answer)
        .route(GET, "imports/v2", "ListImportV2Tasks", S, absent::answer)
        .route(POST, "imports/v2", "CreateImportV2Task", S, absent::answer)
        .route(GET, "imports/v2/external-storage", "GetImporterExternalStorage", S, absent::answer)
        .route(PUT, "imports/v2/external-storage", "UpsertImporterExternalStorage", S, absent::answer)
        .route(DELETE, "imports/v2/external-storage", "DeleteImporterExternalStorage", S, absent::answer)
        .route(POST, "imports/v2/external-storage/validate", "ValidateImporterExternalStorage", S, absent::answer)
        .route(GET, "imports/v2/{id}", "GetImportV2Task", S, absent::answer)
        .route(DELETE, "imports/v2/{id}", "DeleteImportV2Task", S, absent::answer)
        .route(POST, "imports/v2/{id}/cancel", "CancelImportV2Task", S, absent::answer)
}

/// Routes below [`INSIDE`], each behind the gate.
pub(crate) struct Routes<'s> {
    server: &'s Arc<Server>,
    router: Router,
    declared: Vec<Declared>,
}

impl Routes<'_> {
    /// Adds a route: its method and path, the operation's name, who may call it, and the handler.
    pub(crate) fn route<Args>(
        self,
        method: MethodFilter,
        path: &'static str,
        name: &'static str,
        callers: Callers,
        handler: impl Handler<Args>,
    ) -> Self {
        self.add(method, path, Operation { name, callers }, handler.erased())
    }

    fn add(mut self, method: MethodFilter, path: &'static str, operation: Operation, handler: Erased) -> Self {
        let server = self.server.clone();
        let answer = async move |params: RawParams, request: Request| {
            gate::answer(server, operation, decoded(params), request, handler).await
        };
        self.declared.push(Declared { method: named(method), path, operation: operation.name });
        Routes { router: self.router.route(&format!("{INSIDE}/{path}"), on(method, answer)), ..self }
    }

    /// Where WebSockets are opened; who may is told inside.
    fn socket(mut self, path: &'static str) -> Self {
        let server = self.server.clone();
        let answer = async move |request: Request| connect::connect(server, request).await;
        self.declared.push(Declared { method: "GET", path, operation: "Connect" });
        Routes { router: self.router.route(&format!("{INSIDE}/{path}"), on(MethodFilter::GET, answer)), ..self }
    }
}

fn named(method: MethodFilter) -> &'static str {
    let names = [(DELETE, "DELETE"), (GET, "GET"), (PATCH, "PATCH"), (POST, "POST"), (PUT, "PUT")];
    names.into_iter().find(|(known, _)| *known == method).map_or("", |(_, name)| name)
}
