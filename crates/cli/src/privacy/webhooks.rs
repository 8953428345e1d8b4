//! `webhooks`: receivers of events.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Ended,
    args::Webhooks,
    asking,
    here::{Here, in_path},
    print,
};
use crate::output;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A receiver, or an event, in one line.
fn line(one: &Value) -> Result<()> {
    if one["event_id"].is_string() {
        let [event, kind, request, state] = ["event_id", "type", "request_id", "state"].map(|field| text(&one[field]));
        let answered = one["last_status"].as_u64().map(|status| format!(" · answered {status}")).unwrap_or_default();
        let tried = one["attempts"].as_u64().unwrap_or_default();
        return output::line(&format!("{event} {kind} {request} · {state} · sent {tried} times{answered}"));
    }
    let disabled = if one["disabled"] == true { " · disabled: it answered 410" } else { "" };
    let old = one["old_secret_ends_at"].as_str().map(|at| format!(" · the old secret signs until {at}"));
    output::line(&format!("{} {}{disabled}{}", text(&one["id"]), text(&one["url"]), old.unwrap_or_default()))
}

/// Shows every page of a list.
async fn listed(here: &Here, path: &str, state: &Option<String>) -> Result<Ended> {
    match here.pages(path, &[("state", state)]).await? {
        Ok(shown) => {
            if print::list(&shown["data"]).is_empty() {
                here.progress("There are none.");
            }
            here.show(&shown, |shown| print::list(&shown["data"]).iter().try_for_each(line))
        }
        Err(ended) => Ok(ended),
    }
}

/// Runs a verb.
pub(super) async fn run(here: &Here, command: Webhooks) -> Result<Ended> {
    let (method, path, body) = match command {
        Webhooks::List => return listed(here, "/v1/webhooks", &None).await,
        Webhooks::Deliveries { id, state } => {
            return listed(here, &format!("/v1/webhooks/{}/deliveries", in_path(&id)), &state).await;
        }
        Webhooks::Add { url } => ("POST", "/v1/webhooks".to_owned(), Some(json!({"url": url}))),
        Webhooks::Rotate { id, overlap } => (
            "POST",
            format!("/v1/webhooks/{}/rotate", in_path(&id)),
            Some(json!({"overlap_s": asking::secs(&overlap)?})),
        ),
        Webhooks::Remove { id } => ("DELETE", format!("/v1/webhooks/{}", in_path(&id)), None),
        Webhooks::Redeliver { id } => ("POST", format!("/v1/webhooks/{}/redeliver", in_path(&id)), None),
    };
    match here.call(method, &path, body.as_ref()).await? {
        Ok(shown) => here.show(&shown, |shown| {
            if let Some(count) = shown["redelivered"].as_u64() {
                return output::line(&format!("{count} events are sent again"));
            }
            if shown["id"].is_null() {
                return output::line("done");
            }
            line(shown)?;
            output::line(&format!("secret, shown this once: {}", text(&shown["secret"])))
        }),
        Err(ended) => Ok(ended),
    }
}
