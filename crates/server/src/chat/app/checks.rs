//! Trying out what an app's settings say of queues (chat §11.1): a test message is handed over.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use wire::chat::{
    app::QueueCheck,
    dialect::{Dialect, Time},
};

use super::shown::MASK;
use crate::{
    aws::{self, Access, Message, Target},
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// How long a queue may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// `POST /check_sqs`, `POST /check_sns`: whether a queue or a topic takes a message; what is not said is taken from the
/// settings.
pub(crate) async fn queue(call: Call, mut sent: Fields) -> Result<Reply> {
    let (prefix, target) = match call.operation.name {
        "CheckSQS" => ("sqs", "sqs_url"),
        _ => ("sns", "sns_topic_arn"),
    };
    let settings = &call.tenant.app.settings;
    let mut given = |name: &str| {
        let text = sent.filled(name)?.filter(|text| text != MASK);
        Ok::<_, crate::chat::error::Error>(text.unwrap_or_else(|| settings.text(name)))
    };
    let (target, key) = (given(target)?, given(&format!("{prefix}_key"))?);
    let secret = call.server.apps.unseal(call.tenant.app.id, &given(&format!("{prefix}_secret"))?);
    let error = match (target.is_empty(), secret) {
        (true, _) => Some(format!("{prefix}: nothing says which")),
        (false, None) => Some(format!("{prefix}_secret cannot be read with this server's key")),
        (false, Some(secret)) => {
            let target = if prefix == "sqs" { Target::Queue(target) } else { Target::Topic(target) };
            let sns_endpoint = call.server.webhooks.sns_endpoint.as_deref();
            let access = Access { target: &target, region: "", key: &key, secret: &secret, sns_endpoint };
            let created_at = Time { at: call.now(), dialect: Dialect::Classic };
            let body = json!({ "type": "health.check", "cid": "*", "created_at": created_at }).to_string();
            let id = call.new_id();
            let message = Message { body: &body, id: &id, group: "health.check" };
            aws::send(&call.server.outbound, &access, message, call.now(), TIMEOUT)
                .await
                .err()
                .map(|why| why.to_string())
        }
    };
    let status = if error.is_some() { "error" } else { "ok" };
    call.answer(&QueueCheck { status, error: error.unwrap_or_default(), data: BTreeMap::new() })
}
