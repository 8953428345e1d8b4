//! Uploads: `POST /channels/{type}/{id}/file`, `POST /uploads/file` and others (chat §11.10).

use serde::Serialize;
use serde_json::value::RawValue;

/// What an upload answers.
#[derive(Serialize, Debug)]
pub struct Uploaded<'a> {
    /// Where the file is found.
    pub file: &'a str,
    /// The sizes in which the caller wants an image, as they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_sizes: Option<Box<RawValue>>,
}
