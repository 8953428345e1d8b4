//! Secrets in memory: wiped when dropped, and without any way to print, copy or serialise them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroizing;

/// Lets the system keep no image of the memory of this process when it breaks down: keys and people are in it.
///
/// # Errors
/// When the system refuses.
pub fn keep_no_core_dumps() -> std::io::Result<()> {
    let maximum = getrlimit(Resource::Core).maximum;
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?)
}

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
