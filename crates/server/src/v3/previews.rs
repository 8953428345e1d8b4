//! What the first link of an activity or a comment leads to, shown with it (feeds-v3 §3.3, §3.4).

use domain::{
    previews::first_link,
    v3::{activities, made, objects::Object},
};
use ids::Timestamp;

use crate::chat::{error::Result, fields::Fields, gate::Call, og};

/// Whether what links lead to is not to be shown.
pub(super) fn are_skipped(sent: &mut Fields) -> Result<bool> {
    Ok(sent.flag("skip_enrich_url")?.unwrap_or_default())
}

/// Looks up the first link of `text`, which `object` says, without anybody waiting for it.
pub(super) fn look_up(call: &Call, object: Object, text: &str) {
    let Some(link) = first_link(text).map(str::to_owned) else { return };
    let (server, tenant) = (call.server.clone(), call.tenant.clone());
    tokio::spawn(async move {
        let Ok(preview) = og::look(&server, &link).await else { return };
        let now = server.moments.next(Timestamp::from_micros(server.clock.now_micros()));
        let run = tenant.app.write(async |tx| match &object {
            Object::Activity(id) => activities::add_preview(tx, id, &link, &preview, now).await,
            Object::Comment(id) => made::preview_comment(tx, id, &link, &preview, now).await,
        });
        if let Err(error) = run.await {
            tracing::warn!(%error, app = tenant.app.id.0, "a preview could not be added");
        }
    });
}
