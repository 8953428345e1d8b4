//! What events show of moderation (chat §10.2; v2 §6.8).

use domain::{
    chat::events::Matter,
    moderation::actions::{Action, Noted},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Cast, Desk, appeals, review};
use crate::chat::to_wire::moderation as shape;

/// Members of an event.
pub(crate) type Told = Vec<(&'static str, Box<RawValue>)>;

/// What an event called `kind` shows of `matter`; nothing of what is gone.
///
/// # Errors
/// When the store fails.
pub(crate) async fn told(desk: Desk<'_>, kind: &str, matter: &Matter) -> domain::Result<Told> {
    match matter {
        Matter::Review { item, action } => match review::one_item(desk, item).await {
            Ok(found) => item_told(desk, kind, &found, action.as_ref()).await,
            Err(domain::Error::Absent(_)) => Ok(Told::new()),
            Err(error) => Err(error),
        },
        Matter::Appeal { id } => match appeals::look(desk, id).await {
            Ok((cast, submitted)) => Ok(vec![("appeal", raw(&appeals::shown(&cast, &submitted)))]),
            Err(domain::Error::Absent(_)) => Ok(Told::new()),
            Err(error) => Err(error),
        },
        _ => Ok(Told::new()),
    }
}

async fn item_told(
    desk: Desk<'_>,
    kind: &str,
    (cast, shown): &(Cast, review::Shown),
    action: Option<&(String, Action)>,
) -> domain::Result<Told> {
    let (item, message) = (&shown.queued.item, cast.message(shown.queued.item.entity.message().as_ref()));
    let named = |name: &'static str, value: Option<Box<RawValue>>| value.map(|value| (name, value));
    let told = match kind {
        "moderation.mark_reviewed" => [named("item", Some(raw(&shown.item(cast)))), named("message", message), None],
        "moderation.custom_action" => {
            [named("review_queue_item", Some(raw(&shown.item(cast)))), named("message", message), None]
        }
        // The names really are written like this.
        "flag.updated" => [
            named("CreatedBy", cast.user(item.reviewed_by.as_ref()).map(|user| raw(&user))),
            named("Message", message),
            named("User", cast.user(item.creator.as_ref()).map(|user| raw(&user))),
        ],
        _ => {
            let action = match action {
                Some((id, action)) => Some(action_told(desk, id, action).await?),
                None => None,
            };
            let shown = shown.item(cast);
            [
                named("flags", Some(raw(&shown.flags))),
                named("action", action),
                named("review_queue_item", Some(raw(&shown))),
            ]
        }
    };
    Ok(told.into_iter().flatten().collect())
}

async fn action_told(desk: Desk<'_>, id: &str, action: &Action) -> domain::Result<Box<RawValue>> {
    let cast = Cast::load(desk, action.user.iter().chain(&action.target).collect()).await?;
    let noted = Noted { id: id.to_owned(), action: action.clone() };
    Ok(raw(&shape::action(&cast, &noted)))
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    to_raw_value(object).expect("wire types are JSON")
}
