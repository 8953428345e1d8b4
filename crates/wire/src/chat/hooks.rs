//! What an app's own servers are asked before a message is stored (chat §12.13, §13).

use serde::Serialize;
use serde_json::value::RawValue;

/// The body of a before-send hook, and of a call to the handler of custom commands. The objects in it are written already,
/// in the classic dialect.
#[derive(Serialize, Debug)]
pub struct Asking<'a> {
    /// The message as it would be stored.
    pub message: Box<RawValue>,
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Box<RawValue>>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Box<RawValue>>,
    /// How the request came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_info: Option<RequestInfo<'a>>,
    /// What its sender filled in; for custom commands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_data: Option<Box<RawValue>>,
}

/// How a request came.
#[derive(Serialize, Debug, Clone, Copy)]
pub struct RequestInfo<'a> {
    /// `client` or `server`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The address that it came from.
    pub ip: &'a str,
    /// What the client says it is.
    pub user_agent: &'a str,
    /// Which library it uses.
    pub sdk: &'a str,
    /// What the application added in `X-Stream-Ext`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub ext: &'a str,
}
