//! Trying out what an app's settings say of queues (chat §11.1). This version sends to none, and says so.

use std::collections::BTreeMap;

use wire::chat::app::QueueCheck;

use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// `POST /check_sqs`, `POST /check_sns`: whether a queue takes events.
pub(crate) async fn queue(call: Call, mut sent: Fields) -> Result<Reply> {
    for name in ["sqs_url", "sqs_key", "sqs_secret", "sns_topic_arn", "sns_key", "sns_secret"] {
        sent.text(name)?;
    }
    let kind = if call.operation.name == "CheckSQS" { "SQS" } else { "SNS" };
    let error = format!("sending events to {kind} is not available in this version of Millpond; use a webhook");
    call.answer(&QueueCheck { status: "error", error, data: BTreeMap::new() })
}
