//! Bookmarks and their folders: `/bookmarks`, `/bookmark_folders` (feeds-v3 §3.6, §4.1).

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Pager, activities::Activity, comments::Comment};
use crate::chat::{dialect::Time, users::User};

/// A bookmark.
#[derive(Serialize, Debug)]
pub struct Bookmark<'a> {
    /// `activity` or `comment`.
    pub object_type: &'static str,
    /// Of what.
    pub object_id: &'a str,
    /// The activity.
    pub activity_id: &'a str,
    /// The same; for a comment that which the comment is about.
    pub activity: Box<Activity<'a>>,
    /// The comment, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment<'a>>,
    /// The folder that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder<'a>>,
    /// Whose it is.
    pub user: User<'a>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// A folder of bookmarks.
#[derive(Serialize, Debug)]
pub struct Folder<'a> {
    /// The id.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// Whose it is.
    pub user: User<'a>,
    /// The application's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Box<RawValue>>,
    /// Since when.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// One bookmark.
#[derive(Serialize, Debug)]
pub struct OneBookmark<'a> {
    /// The bookmark.
    pub bookmark: Bookmark<'a>,
}

/// Some bookmarks.
#[derive(Serialize, Debug)]
pub struct Bookmarks<'a> {
    /// In the order that was asked for.
    pub bookmarks: Vec<Bookmark<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}

/// One folder.
#[derive(Serialize, Debug)]
pub struct OneFolder<'a> {
    /// The folder.
    pub bookmark_folder: Folder<'a>,
}

/// Some folders.
#[derive(Serialize, Debug)]
pub struct Folders<'a> {
    /// In the order that was asked for.
    pub bookmark_folders: Vec<Folder<'a>>,
    /// Where the pages beside this one are.
    #[serde(flatten)]
    pub pager: Pager,
}
