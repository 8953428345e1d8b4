//! Uploads: `POST /channels/{type}/{id}/file`, `POST /uploads/file` and others (chat §11.10).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What an upload answers.
#[derive(Serialize, Debug)]
pub struct Uploaded<'a> {
    /// Where the file is found.
    pub file: &'a str,
    /// Where it is found as a small picture, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb_url: Option<&'a str>,
    /// The sizes in which the caller wants an image, as they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_sizes: Option<Box<RawValue>>,
}

/// A size in which the caller wants an image.
#[derive(Deserialize, Debug)]
pub struct ImageSize {
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// `clip`, `crop`, `scale` or `fill`.
    pub resize: Option<String>,
    /// What is kept of it, such as `top,left`.
    pub crop: Option<String>,
}
