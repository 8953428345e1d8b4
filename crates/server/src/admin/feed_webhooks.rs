//! `/admin/apps/{app}/feed_webhooks`: who is told of what changes in the feeds of an app (feeds-v1 §9.3).

use std::time::Duration;

use domain::feeds::hooks::{self, Hook};
use wire::{
    admin::feed_webhooks::{FeedWebhook, FeedWebhooks},
    error::Code,
};

use super::Call;
use crate::{
    Server,
    apps::Tenant,
    error::{Error, Result},
    from_wire,
    reply::Reply,
};

/// How long an address may take to say whose it is.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of what it says is read.
const VERIFY_BYTES_MAX: usize = 1024;
/// The longest id, in bytes.
const ID_BYTES_MAX: usize = 255;

/// `GET /admin/apps/{app}/feed_webhooks`.
pub(crate) async fn list(call: Call) -> Result<Reply> {
    let tenant = call.server.apps.by_name(call.params.get("app"))?;
    let feed_webhooks = tenant.app.settings.feed_hooks.iter().map(to_wire).collect();
    Ok(Reply::ok(&FeedWebhooks { feed_webhooks }))
}

/// `PUT /admin/apps/{app}/feed_webhooks/{id}`: makes a webhook, or replaces what it is. A new one is told of what happens
/// from now on.
pub(crate) async fn put(call: Call) -> Result<Reply> {
    let (tenant, id) = (call.server.apps.by_name(call.params.get("app"))?, call.params.get("id"));
    let sent: FeedWebhook = from_wire::body(&call.body)?;
    let hook = store(&call.server, &tenant, id, sent).await?;
    call.reload(&tenant.key).await?;
    Ok(Reply::ok(&to_wire(&hook)))
}

/// `DELETE /admin/apps/{app}/feed_webhooks/{id}`.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let (tenant, id) = (call.server.apps.by_name(call.params.get("app"))?, call.params.get("id"));
    if !tenant.app.write(async |tx| hooks::remove(tx, id).await).await? {
        return Err(Error::new(Code::DoesNotExist, format!("there is no feed webhook `{id}`")));
    }
    call.reload(&tenant.key).await?;
    Ok(Reply::empty(200))
}

/// Makes a webhook of `tenant`, or replaces what it is.
///
/// # Errors
/// 400 when it makes no sense, or its address is not the app's and has to say so.
pub(crate) async fn store(server: &Server, tenant: &Tenant, id: &str, sent: FeedWebhook) -> Result<Hook> {
    if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::field("id", format!("must have 1 to {ID_BYTES_MAX} visible ASCII characters")));
    }
    let FeedWebhook { url, feed_groups, reactions, verify, .. } = sent;
    let hook = Hook { id: id.to_owned(), url, groups: feed_groups, hears_reactions: reactions };
    if verify {
        check(server, tenant, &hook.url).await?;
    }
    tenant.app.write(async |tx| hooks::put(tx, &hook).await).await?;
    Ok(hook)
}

/// Asks the address whose it is: it answers with the app's API key.
async fn check(server: &Server, tenant: &Tenant, url: &str) -> Result<()> {
    let page = server.outbound.get(url, VERIFY_BYTES_MAX, VERIFY_TIMEOUT).await;
    let page = page.map_err(|error| Error::field("url", format!("could not be asked whose it is: {error}")))?;
    let said = String::from_utf8_lossy(&page.body);
    match page.answer.is_success() && said.trim() == tenant.key {
        true => Ok(()),
        false => {
            Err(Error::field("url", "must answer a GET with this app's API key as text, or be set with `verify` false"))
        }
    }
}

fn to_wire(hook: &Hook) -> FeedWebhook {
    FeedWebhook {
        id: hook.id.clone(),
        url: hook.url.clone(),
        feed_groups: hook.groups.clone(),
        reactions: hook.hears_reactions,
        verify: true,
    }
}
