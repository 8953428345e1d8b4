//! `/app`, and what checks an app's settings (chat §11.1).

mod change;
mod checks;
mod known;
mod shown;

use domain::{
    chat::{commands, push::providers, types},
    settings,
};
use wire::chat::{
    app::{Answer, App, PublicApp, Push},
    dialect::Time,
    error::Code,
};

pub(crate) use change::sealed_members;
pub(crate) use checks::queue as check_queue;
pub(crate) use shown::masked_member;

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    push,
    types::listed,
};
use crate::reply::Reply;

/// `GET /app`: the app; for users, what concerns them.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let mut tx = call.snapshot();
    let set = settings::load(&mut tx).await?;
    let name = &call.tenant.name;
    if !call.is_server() {
        return call.answer(&Answer { app: PublicApp { name, others: shown::others(&set, true) } });
    }
    let known = commands::list(&mut tx).await?;
    let kinds = types::list(&mut tx).await?;
    let providers = providers::list(&mut tx).await?;
    let time = |at| Time { at, dialect: call.dialect };
    let app = App {
        id: call.tenant.app.id.0,
        name,
        suspended: call.tenant.is_suspended,
        disable_auth_checks: set.disable_auth_checks,
        disable_permissions_checks: set.disable_permissions_checks,
        revoke_tokens_issued_before: set.revoke_tokens_issued_before.map(time),
        grants: set.grants(),
        event_hooks: set.event_hooks.iter().map(|hook| shown::hook(hook, call.dialect)).collect(),
        channel_configs: kinds.iter().map(|kind| (kind.name.clone(), listed(call.dialect, kind, &known))).collect(),
        push_notifications: Push {
            providers: providers.iter().map(|(name, it)| push::shown_provider(call.dialect, name, it)).collect(),
            ..shown::push(&set)
        },
        others: shown::others(&set, false),
    };
    call.answer(&Answer { app })
}

/// `PATCH /app`: changes the settings that are given.
pub(crate) async fn update(call: Call, sent: Fields) -> Result<Reply> {
    let change = change::change(&call, sent)?;
    call.app.write(async |tx| settings::update(tx, &change).await).await?;
    // From here on requests find the app as it is now.
    call.server.apps.reload().await.map_err(|error| {
        tracing::error!(%error, "the apps could not be loaded");
        Error::new(Code::Internal, "the settings are stored, but could not be loaded; the log says why")
    })?;
    call.done()
}
