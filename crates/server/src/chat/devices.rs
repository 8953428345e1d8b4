//! `/devices` (chat §11.9).

use domain::{
    chat::push::providers,
    users::{
        self,
        devices::{self, Device},
    },
};
use wire::chat::users::Devices;

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire,
};
use crate::reply::Reply;

/// `POST /devices`: notes where pushes to a user go.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let (user, now) = (call.some_actor(&mut sent)?, call.now());
    let id = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let push_provider = sent.filled("push_provider")?;
    let device = Device {
        push_provider: push_provider.ok_or_else(|| Error::field("push_provider", "is a required field"))?,
        push_provider_name: sent.filled("push_provider_name")?,
        hardware_id: sent.filled("hardware_id")?,
        is_voip: sent.flag("voip_token")?.unwrap_or_default(),
        created_at: now,
        disabled_reason: None,
    };
    let body = async |tx: &mut domain::Tx| {
        if let Some(name) = &device.push_provider_name {
            providers::check_device(tx, &device.push_provider, name).await?;
        }
        users::ensure(tx, &user, now).await?;
        devices::add(tx, &user, &id, &device).await
    };
    call.app.write(body).await?;
    call.done()
}

/// `GET /devices`: a user's devices.
pub(crate) async fn list(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let devices = devices::list(&mut call.snapshot(), &user).await?;
    let shown = devices.iter().map(|(id, device)| to_wire::users::device(call.dialect, &user, id, device));
    call.answer(&Devices { devices: shown.collect() })
}

/// `DELETE /devices?id`: forgets one.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let id = call.query.get("id").ok_or_else(|| Error::field("id", "is a required parameter"))?.to_owned();
    let body = async |tx: &mut domain::Tx| {
        devices::remove(tx, &user, &id);
        Ok(())
    };
    call.app.write(body).await?;
    call.done()
}
