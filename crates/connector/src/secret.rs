//! Secrets in memory: wiped when dropped, and without any way to print, copy or serialise them.

use zeroize::Zeroizing;

/// A text that must not be seen.
///
/// ```compile_fail
/// fn show<T: std::fmt::Debug>(_: &T) {}
/// show(&connector::Secret::new("s".to_owned()));
/// ```
/// ```compile_fail
/// fn copy<T: Clone>(_: &T) {}
/// copy(&connector::Secret::new("s".to_owned()));
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }

    /// The text, for whoever needs it: to sign, to seal.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
