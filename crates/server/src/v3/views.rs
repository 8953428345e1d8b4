//! `/feed_views` (feeds-v3 §3.1).

use std::collections::BTreeMap;

use domain::v3::{
    groups::Group,
    views::{self, View},
};
use ids::Timestamp;
use wire::{
    chat::dialect::Time,
    v3::groups::{OneView, View as WireView, Views},
};

use super::{
    groups::{Raws, check_name, selectors, setting, shown_selectors},
    read,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `GET /feed_views`.
pub(super) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let known = views::list(&mut call.snapshot()).await?;
    let groups: Vec<_> = known.iter().map(|(_, view, _)| view.over(&Group::default())).collect();
    let raws: Vec<_> = groups.iter().map(Raws::of).collect();
    let shown = known
        .iter()
        .zip(groups.iter().zip(&raws))
        .map(|((name, _, used), (group, raws))| (name.as_str(), show(name, group, raws, *used)));
    call.answer(&Views { views: BTreeMap::from_iter(shown) })
}

/// `GET /feed_views/{view}`.
pub(super) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let name = call.param("view");
    let view = views::load(&mut call.snapshot(), name).await?;
    answer(&call, name, &view, None).await
}

/// `POST /feed_views`.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    check_name(&name)?;
    let view = settings(&mut sent)?;
    call.tenant.app.write(async |tx| views::add(tx, &name, &view).await).await?;
    answer(&call, &name, &view, None).await
}

/// `POST /feed_views/{view}`: one that is there stays as it is.
pub(super) async fn ensure(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = call.param("view");
    check_name(name)?;
    let view = settings(&mut sent)?;
    let (view, is_new) = call.tenant.app.write(async |tx| views::ensure(tx, name, &view).await).await?;
    answer(&call, name, &view, Some(is_new)).await
}

/// `PUT /feed_views/{view}`: what is not given is cleared.
pub(super) async fn replace(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = call.param("view");
    let view = settings(&mut sent)?;
    call.tenant.app.write(async |tx| views::replace(tx, name, &view).await).await?;
    answer(&call, name, &view, None).await
}

/// `DELETE /feed_views/{view}`.
pub(super) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let name = call.param("view");
    call.tenant.app.write(async |tx| views::remove(tx, name).await).await?;
    call.done()
}

fn settings(sent: &mut Fields) -> Result<View> {
    Ok(View {
        aggregation: setting(sent, "aggregation")?,
        ranking: setting(sent, "ranking")?,
        selectors: selectors(sent)?.unwrap_or_default(),
    })
}

async fn answer(call: &Call, name: &str, view: &View, was_created: Option<bool>) -> Result<Reply> {
    let used = views::used_at(&mut call.snapshot(), name).await?;
    let group = view.over(&Group::default());
    let raws = Raws::of(&group);
    call.answer(&OneView { was_created, feed_view: show(name, &group, &raws, used) })
}

fn show<'a>(name: &'a str, group: &'a Group, raws: &'a Raws, used: Option<Timestamp>) -> WireView<'a> {
    WireView {
        id: name,
        last_used_at: used.map(|at| Time { at, dialect: read::DIALECT }),
        activity_selectors: shown_selectors(group, raws),
        aggregation: raws.aggregation(),
        ranking: raws.ranking(),
    }
}
