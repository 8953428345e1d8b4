//! `files/`, `images/` (feeds-v1 §5.13).

use serde::Serialize;

/// The answer of uploads, and of an image in another shape.
#[derive(Serialize, Debug)]
pub struct Uploaded {
    /// Where it is found.
    pub file: String,
}
