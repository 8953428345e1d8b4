//! `/push_templates`.

use domain::chat::push::{
    providers,
    templates::{self, Template},
};
use wire::chat::{
    dialect::{Dialect, Time},
    push::{OnePushTemplate, PushTemplate, PushTemplates},
};

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /push_templates`: puts in what a provider sends of an event.
pub(crate) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let event = sent.filled("event_type")?.ok_or_else(|| Error::field("event_type", "is a required field"))?;
    let kind = sent.filled("push_provider_type")?;
    let kind = kind.ok_or_else(|| Error::field("push_provider_type", "is a required field"))?;
    let name = sent.filled("push_provider_name")?;
    let (is_enabled, text, now) = (sent.flag("enable_push")?, sent.text("template")?, call.now());
    let put = call.app.write(async |tx| {
        let (name, provider) = providers::load(tx, &kind, name.as_deref()).await?;
        let template = templates::put(tx, &name, &event, is_enabled, text.clone(), now).await?;
        Ok((provider.internal_id, template))
    });
    let (id, template) = put.await?;
    call.answer(&OnePushTemplate { template: shown(call.dialect, &id, &event, &template) })
}

/// `GET /push_templates`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let kind = call.query.get("push_provider_type").filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| Error::field("push_provider_type", "is a required parameter"))?;
    let name = call.query.get("push_provider_name").filter(|name| !name.is_empty());
    let mut tx = call.snapshot();
    let (name, provider) = providers::load(&mut tx, kind, name).await?;
    let known = templates::list(&mut tx, &name).await?;
    let shown = known.iter().map(|(event, template)| shown(call.dialect, &provider.internal_id, event, template));
    call.answer(&PushTemplates { templates: shown.collect() })
}

fn shown<'a>(dialect: Dialect, provider: &'a str, event: &'a str, template: &'a Template) -> PushTemplate<'a> {
    let time = |at| Time { at, dialect };
    PushTemplate {
        event_type: event,
        enable_push: template.is_enabled,
        push_provider_internal_id: provider,
        template: template.text.as_deref(),
        created_at: time(template.created_at),
        updated_at: time(template.updated_at),
    }
}
