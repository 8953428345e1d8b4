//! Every route of feeds v3, on one screen, with who may call it (feeds-v3 §9).

use super::{
    activities, bookmarks, change, collections, comments, feedback, feeds, follows, found, groups, levels, marks,
    members, metrics, pins, polls, reactions,
    read::{OfActivity, OfComment},
    revisions, shares, views, visibilities,
};
use crate::chat::{
    absent, exports,
    gate::Callers::{Both, Server as S},
    rate_limits,
    router::{DELETE, GET, PATCH, POST, PUT, Routes},
};

/// Adds the routes of feeds v3 to `routes`.
pub(crate) fn routes(routes: Routes<'_>) -> Routes<'_> {
    user_data(engagement(activities(feeds(routes))))
}

fn feeds(routes: Routes<'_>) -> Routes<'_> {
    routes
        // method path        operation          callers  handler
        // Feed groups, views, visibilities.
        .route(GET, "feeds/feed_groups", "ListFeedGroups", Both, groups::list)
        .route(POST, "feeds/feed_groups", "CreateFeedGroup", S, groups::add)
        .route(GET, "feeds/feed_groups/{group}", "GetFeedGroup", Both, groups::get)
        .route(POST, "feeds/feed_groups/{group}", "GetOrCreateFeedGroup", S, groups::ensure)
        .route(PUT, "feeds/feed_groups/{group}", "UpdateFeedGroup", S, groups::replace)
        .route(DELETE, "feeds/feed_groups/{group}", "DeleteFeedGroup", S, groups::remove)
        .route(POST, "feeds/feed_groups/{group}/restore", "RestoreFeedGroup", S, groups::restore)
        .route(GET, "feeds/feed_groups/{group}/follow_suggestions", "GetFollowSuggestions", Both, found::suggestions)
        .route(GET, "feeds/feed_views", "ListFeedViews", S, views::list)
        .route(POST, "feeds/feed_views", "CreateFeedView", S, views::add)
        .route(GET, "feeds/feed_views/{view}", "GetFeedView", S, views::get)
        .route(POST, "feeds/feed_views/{view}", "GetOrCreateFeedView", S, views::ensure)
        .route(PUT, "feeds/feed_views/{view}", "UpdateFeedView", S, views::replace)
        .route(DELETE, "feeds/feed_views/{view}", "DeleteFeedView", S, views::remove)
        .route(GET, "feeds/feed_visibilities", "ListFeedVisibilities", S, visibilities::list)
        .route(GET, "feeds/feed_visibilities/{name}", "GetFeedVisibility", S, visibilities::get)
        .route(PUT, "feeds/feed_visibilities/{name}", "UpdateFeedVisibility", S, visibilities::replace)
        // Feeds.
        .route(POST, "feeds/feed_groups/{group}/feeds/{feed}", "GetOrCreateFeed", Both, feeds::get_or_create)
        .route(PUT, "feeds/feed_groups/{group}/feeds/{feed}", "UpdateFeed", Both, feeds::update)
        .route(DELETE, "feeds/feed_groups/{group}/feeds/{feed}", "DeleteFeed", Both, feeds::delete)
        .route(POST, "feeds/feeds/query", "QueryFeeds", Both, feeds::query)
        .route(POST, "feeds/feeds/batch", "CreateFeedsBatch", S, feeds::add_many)
        .route(POST, "feeds/feeds/delete", "DeleteFeedsBatch", S, feeds::delete_many)
        .route(POST, "feeds/feeds/own/batch", "OwnBatch", Both, feeds::own_many)
        .route(GET, "feeds/feeds/rate_limits", "GetFeedsRateLimits", Both, rate_limits::get)
        .route(
            POST,
            "feeds/feed_groups/{group}/feeds/{feed}/change_visibility",
            "ChangeFeedVisibility",
            Both,
            feeds::change_visibility,
        )
        // Members.
        .route(PATCH, "feeds/feed_groups/{group}/feeds/{feed}/members", "UpdateFeedMembers", Both, members::change)
        .route(
            POST,
            "feeds/feed_groups/{group}/feeds/{feed}/members/accept",
            "AcceptFeedMemberInvite",
            Both,
            members::accept,
        )
        .route(
            POST,
            "feeds/feed_groups/{group}/feeds/{feed}/members/reject",
            "RejectFeedMemberInvite",
            Both,
            members::reject,
        )
        .route(POST, "feeds/feed_groups/{group}/feeds/{feed}/members/query", "QueryFeedMembers", Both, members::query)
        .route(POST, "feeds/membership_levels", "CreateMembershipLevel", S, levels::add)
        .route(POST, "feeds/membership_levels/query", "QueryMembershipLevels", Both, levels::query)
        .route(PATCH, "feeds/membership_levels/{id}", "UpdateMembershipLevel", S, levels::update)
        .route(DELETE, "feeds/membership_levels/{id}", "DeleteMembershipLevel", S, levels::remove)
        // Follows.
        .route(POST, "feeds/follows", "Follow", Both, follows::add)
        .route(PATCH, "feeds/follows", "UpdateFollow", Both, follows::update)
        .route(POST, "feeds/follows/upsert", "GetOrCreateFollow", Both, follows::ensure)
        .route(POST, "feeds/follows/accept", "AcceptFollow", Both, follows::accept)
        .route(POST, "feeds/follows/reject", "RejectFollow", Both, follows::reject)
        .route(POST, "feeds/follows/batch", "FollowBatch", Both, follows::add_many)
        .route(POST, "feeds/follows/batch/upsert", "GetOrCreateFollows", Both, follows::add_many)
        .route(POST, "feeds/follows/query", "QueryFollows", Both, follows::query)
        .route(DELETE, "feeds/follows/{source}/{target}", "Unfollow", Both, follows::remove)
        .route(POST, "feeds/unfollow/upsert", "GetOrCreateUnfollow", Both, follows::ensure_none)
        .route(POST, "feeds/unfollow/batch", "UnfollowBatch", Both, follows::remove_many)
        .route(POST, "feeds/unfollow/batch/upsert", "GetOrCreateUnfollows", Both, follows::ensure_none_of_many)
}

fn activities(routes: Routes<'_>) -> Routes<'_> {
    routes
        .route(POST, "feeds/activities", "AddActivity", Both, activities::add)
        .route(POST, "feeds/activities/batch", "UpsertActivities", Both, activities::add_many)
        .route(PATCH, "feeds/activities/batch/partial", "UpdateActivitiesPartialBatch", Both, change::patch_many)
        .route(POST, "feeds/activities/delete", "DeleteActivities", Both, activities::delete_many)
        .route(POST, "feeds/activities/query", "QueryActivities", Both, activities::query)
        .route(GET, "feeds/activities/{id}", "GetActivity", Both, activities::get)
        .route(PUT, "feeds/activities/{id}", "UpdateActivity", Both, change::update)
        .route(PATCH, "feeds/activities/{id}", "UpdateActivityPartial", Both, change::patch)
        .route(DELETE, "feeds/activities/{id}", "DeleteActivity", Both, activities::delete)
        .route(POST, "feeds/activities/{id}/restore", "RestoreActivity", Both, activities::restore)
        .route(POST, "feeds/activities/{id}/feedback", "ActivityFeedback", Both, feedback::give)
        .route(GET, "feeds/activities/{id}/shares", "QueryActivityShares", Both, shares::list)
        .route(POST, "feeds/activities/{id}/translate", "TranslateActivity", Both, activities::translate)
        .route(POST, "feeds/activities/metrics/track", "TrackActivityMetrics", Both, metrics::track)
        .route(POST, "feeds/activities/{id}/polls/{poll}/vote", "CastPollVote", Both, polls::cast)
        .route(DELETE, "feeds/activities/{id}/polls/{poll}/vote/{vote}", "DeletePollVote", Both, polls::take_back)
        .route(POST, "feeds/feed_groups/{group}/feeds/{feed}/activities/mark/batch", "MarkActivity", Both, marks::mark)
        .route(POST, "feeds/feed_groups/{group}/feeds/{feed}/activities/{activity}/pin", "PinActivity", Both, pins::add)
        .route(
            DELETE,
            "feeds/feed_groups/{group}/feeds/{feed}/activities/{activity}/pin",
            "UnpinActivity",
            Both,
            pins::remove,
        )
        .route(
            POST,
            "feeds/feed_groups/{group}/feeds/{feed}/pinned_activities/query",
            "QueryPinnedActivities",
            Both,
            pins::query,
        )
        .route(POST, "feeds/revisions/query", "QueryRevisionHistory", S, revisions::query)
        .route(POST, "feeds/stats/usage", "QueryFeedsUsageStats", S, absent::answer)
}

/// What users make of activities: comments, reactions, bookmarks, items of collections.
fn engagement(routes: Routes<'_>) -> Routes<'_> {
    routes
        .route(POST, "feeds/activities/{id}/reactions", "AddActivityReaction", Both, reactions::add::<OfActivity>)
        .route(
            POST,
            "feeds/activities/{id}/reactions/query",
            "QueryActivityReactions",
            Both,
            reactions::query::<OfActivity>,
        )
        .route(
            DELETE,
            "feeds/activities/{id}/reactions/{type}",
            "DeleteActivityReaction",
            Both,
            reactions::delete::<OfActivity>,
        )
        .route(
            POST,
            "feeds/activities/reactions/query",
            "BatchQueryActivityReactions",
            Both,
            reactions::query_of_many::<OfActivity>,
        )
        .route(POST, "feeds/activities/{id}/bookmarks", "AddBookmark", Both, bookmarks::add::<OfActivity>)
        .route(PATCH, "feeds/activities/{id}/bookmarks", "UpdateBookmark", Both, bookmarks::update::<OfActivity>)
        .route(DELETE, "feeds/activities/{id}/bookmarks", "DeleteBookmark", Both, bookmarks::delete::<OfActivity>)
        .route(POST, "feeds/bookmarks/query", "QueryBookmarks", Both, bookmarks::query)
        .route(POST, "feeds/bookmark_folders/query", "QueryBookmarkFolders", Both, bookmarks::query_folders)
        .route(PATCH, "feeds/bookmark_folders/{id}", "UpdateBookmarkFolder", Both, bookmarks::update_folder)
        .route(DELETE, "feeds/bookmark_folders/{id}", "DeleteBookmarkFolder", Both, bookmarks::delete_folder)
        .route(POST, "feeds/comments", "AddComment", Both, comments::add)
        .route(GET, "feeds/comments", "GetComments", Both, comments::list)
        .route(POST, "feeds/comments/batch", "AddCommentsBatch", Both, comments::add_many)
        .route(POST, "feeds/comments/query", "QueryComments", Both, comments::query)
        .route(
            POST,
            "feeds/comments/reactions/query",
            "BatchQueryCommentReactions",
            Both,
            reactions::query_of_many::<OfComment>,
        )
        .route(GET, "feeds/comments/{id}", "GetComment", Both, comments::get)
        .route(PATCH, "feeds/comments/{id}", "UpdateComment", Both, comments::update)
        .route(DELETE, "feeds/comments/{id}", "DeleteComment", Both, comments::delete)
        .route(POST, "feeds/comments/{id}/partial", "UpdateCommentPartial", Both, comments::patch)
        .route(GET, "feeds/comments/{id}/replies", "GetCommentReplies", Both, comments::replies)
        .route(POST, "feeds/comments/{id}/restore", "RestoreComment", Both, comments::restore)
        .route(POST, "feeds/comments/{id}/translate", "TranslateComment", Both, comments::translate)
        .route(POST, "feeds/comments/{id}/reactions", "AddCommentReaction", Both, reactions::add::<OfComment>)
        .route(
            POST,
            "feeds/comments/{id}/reactions/query",
            "QueryCommentReactions",
            Both,
            reactions::query::<OfComment>,
        )
        .route(
            DELETE,
            "feeds/comments/{id}/reactions/{type}",
            "DeleteCommentReaction",
            Both,
            reactions::delete::<OfComment>,
        )
        .route(POST, "feeds/comments/{id}/bookmarks", "AddCommentBookmark", Both, bookmarks::add::<OfComment>)
        .route(PATCH, "feeds/comments/{id}/bookmarks", "UpdateCommentBookmark", Both, bookmarks::update::<OfComment>)
        .route(DELETE, "feeds/comments/{id}/bookmarks", "DeleteCommentBookmark", Both, bookmarks::delete::<OfComment>)
        .route(POST, "feeds/collections", "CreateCollections", Both, collections::create)
        .route(PUT, "feeds/collections", "UpsertCollections", Both, collections::upsert)
        .route(PATCH, "feeds/collections", "UpdateCollections", Both, collections::update)
        .route(GET, "feeds/collections", "ReadCollections", Both, collections::list)
        .route(DELETE, "feeds/collections", "DeleteCollections", Both, collections::delete)
        .route(POST, "feeds/collections/query", "QueryCollections", Both, collections::query)
}

fn user_data(routes: Routes<'_>) -> Routes<'_> {
    routes
        .route(POST, "feeds/users/{id}/export", "ExportFeedUserData", S, exports::export_feeds)
        .route(POST, "feeds/users/{id}/delete", "DeleteFeedUserData", S, exports::delete_feeds)
        .route(GET, "feeds/users/{id}/interests", "GetUserInterests", Both, found::interests)
}
