//! Handing events to queues (SQS) and topics (SNS) of Amazon, or of anything that speaks their query API (chat §13).
//!
//! The two calls that are needed are forms, signed with Signature Version 4 ([`sign`]); they leave through the outbound guard
//! like every other call.

pub(crate) mod sign;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use ids::Timestamp;
use reqwest::Url;

use crate::outbound::{self, Outbound};
use sign::{Request, Secrets};

/// Where a queue or a topic is when nothing says.
const REGION: &str = "us-east-1";
/// The version of the API of queues.
const SQS_VERSION: &str = "2012-11-05";
/// The version of the API of topics.
const SNS_VERSION: &str = "2010-03-31";
/// The end of the names of queues and topics that keep an order.
const ORDERED: &str = ".fifo";

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The settings name nothing that can be called.
    #[error("{0}")]
    Settings(String),
    /// The call failed.
    #[error(transparent)]
    Outbound(#[from] outbound::Error),
    /// The service refused.
    #[error("status {status}{}", if reason.is_empty() { String::new() } else { format!(": {reason}") })]
    Refused {
        /// How it answered.
        status: u16,
        /// What it said.
        reason: String,
    },
}

/// A queue or a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// A queue, by its address.
    Queue(String),
    /// A topic, by its name.
    Topic(String),
}

/// A queue or a topic, and what opens it.
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    /// Which.
    pub(crate) target: &'a Target,
    /// Where, if the settings say so.
    pub(crate) region: &'a str,
    /// The id of the access key.
    pub(crate) key: &'a str,
    /// Its secret.
    pub(crate) secret: &'a str,
    /// The address of the service of topics, where it is not Amazon's.
    pub(crate) sns_endpoint: Option<&'a str>,
}

/// What is handed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    /// The text.
    pub(crate) body: &'a str,
    /// The same at each attempt.
    pub(crate) id: &'a str,
    /// What keeps its order with others of the same group, where order is kept.
    pub(crate) group: &'a str,
}

/// Hands a message over.
///
/// # Errors
/// When the service cannot be reached, or refuses.
pub(crate) async fn send(
    outbound: &Outbound,
    access: &Access<'_>,
    message: Message<'_>,
    now: Timestamp,
    timeout: Duration,
) -> Result<(), Error> {
    let (url, service, form) = match access.target {
        Target::Queue(url) => (url.clone(), "sqs", queue_form(url, message)),
        Target::Topic(name) => (topic_url(access, name), "sns", topic_form(name, message)),
    };
    let url = Url::parse(&url).map_err(|_| Error::Settings(format!("{url} is not the address of a queue")))?;
    let host = url.host_str().ok_or_else(|| Error::Settings(format!("{url} has no host")))?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let region = region(access, &host);
    let request = Request {
        host: &host,
        path: url.path(),
        body: form.as_bytes(),
        content_type: "application/x-www-form-urlencoded; charset=utf-8",
        region: &region,
        service,
    };
    let signed = sign::sign(&request, Secrets { key: access.key, secret: access.secret }, now);
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| Error::Settings("a key has letters that no header takes".to_owned()))
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, value(request.content_type)?);
    headers.insert("x-amz-date", value(&signed.date)?);
    headers.insert(header::AUTHORIZATION, value(&signed.authorization)?);
    let (status, answer) = outbound.ask(url.as_str(), headers, form.into_bytes(), timeout).await?;
    match status {
        200..300 => Ok(()),
        status => Err(Error::Refused { status, reason: reason(&String::from_utf8_lossy(&answer)) }),
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    pairs.iter().for_each(|(name, value)| {
        form.append_pair(name, value);
    });
    form.finish()
}

fn queue_form(url: &str, message: Message<'_>) -> String {
    let mut pairs = vec![("Action", "SendMessage"), ("MessageBody", message.body), ("Version", SQS_VERSION)];
    if url.ends_with(ORDERED) {
        pairs.extend([("MessageDeduplicationId", message.id), ("MessageGroupId", message.group)]);
    }
    form(&pairs)
}

fn topic_form(name: &str, message: Message<'_>) -> String {
    let mut pairs =
        vec![("Action", "Publish"), ("Message", message.body), ("TopicArn", name), ("Version", SNS_VERSION)];
    if name.ends_with(ORDERED) {
        pairs.extend([("MessageDeduplicationId", message.id), ("MessageGroupId", message.group)]);
    }
    form(&pairs)
}

/// The region of a topic's name: `arn:aws:sns:eu-west-1:123:name`.
fn region_of_topic(name: &str) -> Option<&str> {
    name.split(':').nth(3).filter(|region| !region.is_empty())
}

fn topic_url(access: &Access<'_>, name: &str) -> String {
    match access.sns_endpoint {
        Some(endpoint) => endpoint.to_owned(),
        None => {
            let region = Some(access.region).filter(|region| !region.is_empty()).or(region_of_topic(name));
            format!("https://sns.{}.amazonaws.com/", region.unwrap_or(REGION))
        }
    }
}

/// The region that a call is signed for: what the settings say, or what stands in the name or the address.
fn region(access: &Access<'_>, host: &str) -> String {
    if !access.region.is_empty() {
        return access.region.to_owned();
    }
    let named = match access.target {
        Target::Topic(name) => region_of_topic(name),
        Target::Queue(_) => host.strip_prefix("sqs.").and_then(|rest| rest.strip_suffix(".amazonaws.com")),
    };
    named.unwrap_or(REGION).to_owned()
}

/// What an answer says of a failure: the code and the message of its XML, if it is some.
fn reason(answer: &str) -> String {
    let inside = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    [inside("Code"), inside("Message")].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_what_the_settings_say_or_what_the_name_says() {
        let access = |target, region| Access { target, region, key: "", secret: "", sns_endpoint: None };
        let queue = Target::Queue("https://sqs.eu-west-1.amazonaws.com/1/q".into());
        let topic = Target::Topic("arn:aws:sns:eu-north-1:1:t".into());
        assert_eq!(region(&access(&queue, ""), "sqs.eu-west-1.amazonaws.com"), "eu-west-1");
        assert_eq!(region(&access(&queue, "a-b-1"), "sqs.eu-west-1.amazonaws.com"), "a-b-1");
        assert_eq!(region(&access(&queue, ""), "127.0.0.1:9"), REGION);
        assert_eq!(region(&access(&topic, ""), "any"), "eu-north-1");
        assert_eq!(
            topic_url(&access(&topic, ""), "arn:aws:sns:eu-north-1:1:t"),
            "https://sns.eu-north-1.amazonaws.com/"
        );
    }

    #[test]
    fn queues_that_keep_an_order_are_told_the_group_and_the_id() {
        let message = Message { body: "{\"a\":1}", id: "i", group: "g" };
        assert_eq!(
            queue_form("https://q/1/a.fifo", message),
            "Action=SendMessage&MessageBody=%7B%22a%22%3A1%7D&Version=2012-11-05&MessageDeduplicationId=i&MessageGroupId=g"
        );
        assert!(!topic_form("arn:aws:sns:x:1:t", message).contains("Group"));
    }

    #[test]
    fn a_refusal_says_why() {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>No.</Message></Error></ErrorResponse>";
        assert_eq!(reason(xml), "InvalidClientTokenId: No.");
        assert_eq!(reason("teapot"), "");
    }
}
