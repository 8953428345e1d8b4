//! How the call came that something happened by: what hooks are told as `request_info` (chat §13).

use ids::UserId;
use minicbor::{Decode, Encode};

/// The longest text that is kept of what a client says of itself, in bytes.
const TEXT_BYTES_MAX: usize = 256;

/// How a call came.
///
/// It names its user, so that an event that holds somebody's address goes when that user is erased.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Origin {
    /// Whose token it was; absent for the app's own server and for who had none.
    #[n(0)]
    pub user: Option<UserId>,
    /// Whether the app's own server called.
    #[n(1)]
    pub is_server: bool,
    /// The address that it came from; empty if there is none.
    #[n(2)]
    pub ip: String,
    /// What the client says it is.
    #[n(3)]
    pub user_agent: String,
    /// Which library it uses.
    #[n(4)]
    pub sdk: String,
    /// What the application added in `X-Stream-Ext`; empty for nothing.
    #[n(5)]
    pub ext: String,
}

impl Origin {
    /// As much of `text` as is kept.
    pub fn shortened(text: &str) -> String {
        text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let text = format!("{}é", "a".repeat(TEXT_BYTES_MAX - 1));
        assert_eq!(Origin::shortened(&text), "a".repeat(TEXT_BYTES_MAX - 1));
        assert_eq!(Origin::shortened("short"), "short");
    }
}
