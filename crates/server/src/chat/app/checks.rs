//! Trying out what an app's settings say: push and queues (chat §11.1). This version sends to neither, and says so.

use std::collections::BTreeMap;

use domain::chat::messages;
use wire::chat::app::{PushCheck, QueueCheck};

use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

const NO_PUSH: &str = "no push providers configured; push is not available in this version of Millpond";

/// `POST /check_push`: what devices would be told of a message.
pub(crate) async fn push(call: Call, mut sent: Fields) -> Result<Reply> {
    call.some_actor(&mut sent)?;
    let message = sent.message("message_id")?;
    if let Some(id) = &message {
        messages::load(&mut call.snapshot(), id).await?;
    }
    let skip_devices = sent.flag("skip_devices")?.unwrap_or(false);
    let rendered = message.iter().map(|id| ("message_id", id.as_str()));
    call.answer(&PushCheck {
        device_errors: BTreeMap::new(),
        general_errors: if skip_devices { Vec::new() } else { vec![NO_PUSH] },
        skip_devices,
        rendered_apn_template: &sent.text("apn_template")?.unwrap_or_default(),
        rendered_firebase_template: &sent.text("firebase_template")?.unwrap_or_default(),
        rendered_message: rendered.collect(),
    })
}

/// `POST /check_sqs`, `POST /check_sns`: whether a queue takes events.
pub(crate) async fn queue(call: Call, mut sent: Fields) -> Result<Reply> {
    for name in ["sqs_url", "sqs_key", "sqs_secret", "sns_topic_arn", "sns_key", "sns_secret"] {
        sent.text(name)?;
    }
    let kind = if call.operation.name == "CheckSQS" { "SQS" } else { "SNS" };
    let error = format!("sending events to {kind} is not available in this version of Millpond; use a webhook");
    call.answer(&QueueCheck { status: "error", error, data: BTreeMap::new() })
}
