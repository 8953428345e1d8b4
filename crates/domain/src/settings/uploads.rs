//! What may be uploaded (chat §11.1).

use serde_json::Value;

use super::Settings;
use crate::{Error, Result, chat::types::config::texts};

/// The most bytes of a file when the app does not say.
pub const BYTES_MAX: u64 = 100 << 20;

/// What is uploaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Upload {
    /// A file of any kind.
    File,
    /// An image.
    Image,
}

/// What may be uploaded, by the API's names; an empty list says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uploads {
    allowed_extensions: Vec<String>,
    blocked_extensions: Vec<String>,
    allowed_types: Vec<String>,
    blocked_types: Vec<String>,
    size_limit: u64,
}

impl Settings {
    /// What may be uploaded of this kind.
    pub fn uploads(&self, kind: Upload) -> Uploads {
        let name = match kind {
            Upload::File => "file_upload_config",
            Upload::Image => "image_upload_config",
        };
        let config: Value = self.other(name).and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default();
        let texts = |name: &str| config.get(name).and_then(texts).unwrap_or_default();
        Uploads {
            allowed_extensions: texts("allowed_file_extensions"),
            blocked_extensions: texts("blocked_file_extensions"),
            allowed_types: texts("allowed_mime_types"),
            blocked_types: texts("blocked_mime_types"),
            size_limit: config.get("size_limit").and_then(Value::as_u64).unwrap_or_default(),
        }
    }
}

impl Uploads {
    /// The same, with so many bytes where the app says nothing.
    #[must_use]
    pub fn or_bytes(self, bytes_max: u64) -> Self {
        match self.size_limit {
            0 => Uploads { size_limit: bytes_max, ..self },
            _ => self,
        }
    }

    /// The most bytes.
    pub fn bytes_max(&self) -> u64 {
        if self.size_limit == 0 { BYTES_MAX } else { self.size_limit }
    }

    /// Checks that a file called `name`, of this type and size, may be uploaded.
    ///
    /// # Errors
    /// [`Error::Unfit`] when its name or its type is not allowed, [`Error::TooBig`] when it is too big.
    pub fn check(&self, name: &str, mime_type: &str, bytes: u64) -> Result<()> {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        if is_refused(&self.allowed_extensions, &self.blocked_extensions, extension) {
            return Err(Error::Unfit(format!("file extension \"{extension}\" is not allowed")));
        }
        if is_refused(&self.allowed_types, &self.blocked_types, mime_type) {
            return Err(Error::Unfit(format!("file type \"{mime_type}\" is not allowed")));
        }
        match bytes > self.bytes_max() {
            true => Err(Error::TooBig(format!("a file has at most {} bytes", self.bytes_max()))),
            false => Ok(()),
        }
    }
}

fn is_refused(allowed: &[String], blocked: &[String], value: &str) -> bool {
    let plain = |text: &str| text.trim_start_matches('.').to_ascii_lowercase();
    let has = |list: &[String]| list.iter().any(|known| plain(known) == plain(value));
    (!allowed.is_empty() && !has(allowed)) || has(blocked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(config: &str, name: &str, mime_type: &str, bytes: u64) -> bool {
        let others = format!(r#"{{"file_upload_config":{config}}}"#);
        let uploads = Settings { others, ..Settings::default() }.uploads(Upload::File);
        uploads.check(name, mime_type, bytes).is_ok()
    }

    #[test]
    fn an_app_that_says_nothing_takes_everything_up_to_a_size() {
        assert!(Settings::default().uploads(Upload::Image).check("a.jpg", "image/jpeg", BYTES_MAX).is_ok());
        assert!(!may(r#"{"size_limit":0}"#, "a", "", BYTES_MAX + 1) && may(r#"{"size_limit":0}"#, "a", "", BYTES_MAX));
        assert!(!may(r#"{"size_limit":10}"#, "a", "", 11));
    }

    #[test]
    fn what_is_not_allowed_or_is_blocked_is_refused() {
        let allowed = r#"{"allowed_file_extensions":[".csv","PDF"],"blocked_mime_types":["text/css"]}"#;
        assert!(may(allowed, "a.csv", "text/csv", 1) && may(allowed, "a.b.pdf", "", 1));
        assert!(!may(allowed, "a.txt", "", 1) && !may(allowed, "csv", "", 1) && !may(allowed, "a.csv", "text/css", 1));
    }
}
