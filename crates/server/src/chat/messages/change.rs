//! Changing, deleting, committing (chat §11.4).

use domain::chat::messages::{self, Change, Patch};
use ids::{MessageId, UserId, json::Object};
use wire::chat::dialect::Dialect;

use super::{
    super::{
        attachments,
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
        og, translated,
    },
    READ_ONLY, draft, hooks, message_id, one, one_for,
};
use crate::reply::Reply;

/// `POST /messages/{id}`: says something else; own fields that are not given go.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let skips_preview = sent.flag("skip_enrich_url")?.unwrap_or_default();
    let (_, draft) = draft::read(&call, &mut sent)?;
    let editor = draft.user.clone();
    change(call, editor, Change::Whole(Box::new(draft)), skips_preview).await
}

/// `PUT /messages/{id}` and `PATCH /messages/{id}/ephemeral`: changes the fields that are given.
pub(crate) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let skips_preview = sent.flag("skip_enrich_url")?.unwrap_or_default();
    let editor = call.actor(&mut sent)?;
    let mut patch = read(&mut sent)?;
    patch.html = patch.html.filter(|_| call.is_server());
    // What is said stays as it is; so does what hangs on it, unless somebody changes that.
    let skips_preview = skips_preview || patch.text.is_none() || patch.attachments.is_some();
    change(call, editor, Change::Part(Box::new(patch)), skips_preview).await
}

async fn change(call: Call, editor: Option<UserId>, change: Change, skips_preview: bool) -> Result<Reply> {
    let (id, caller, now) = (message_id(&call)?, call.user().cloned(), call.moment());
    let run =
        call.app.write(async |tx| messages::update(tx, caller.as_ref(), &id, editor.as_ref(), &change, now).await);
    let message = run.await?;
    if !skips_preview {
        og::enrich(call.server.clone(), call.tenant.clone(), id.clone(), message.clone(), now);
    }
    one(&call, id, message).await
}

fn read(sent: &mut Fields) -> Result<Patch> {
    let dialect = sent.dialect();
    let unset = sent.texts("unset")?.unwrap_or_default();
    let mut patch = Patch::default();
    if let Some(mut set) = sent.object("set")? {
        let listed = set.objects("attachments")?;
        patch.attachments = listed.map(|list| list.into_iter().map(attachments::read).collect()).transpose()?;
        patch.text = set.text("text")?;
        patch.html = set.filled("html")?;
        patch.mml = set.text("mml")?.map(Some);
        patch.mentioned = set.users("mentioned_users")?.or(set.users("mentioned_user_ids")?);
        patch.mentions_channel = set.flag("mentioned_channel")?;
        patch.mentions_here = set.flag("mentioned_here")?;
        patch.mentioned_roles = draft::names(&mut set, "mentioned_roles")?;
        patch.mentioned_groups = draft::names(&mut set, "mentioned_group_ids")?;
        patch.quoted = set.message("quoted_message_id")?.map(Some);
        patch.is_silent = set.flag("silent")?;
        patch.is_pinned = set.flag("pinned")?;
        patch.pin_expires = set.time("pin_expires")?.map(Some);
        patch.visible_to = set.users("restricted_visibility")?;
        set.skip(READ_ONLY);
        set.skip(&["id", "parent_id", "show_in_channel", "type", "user", "user_id"]);
        for (path, value) in set.custom()?.iter() {
            patch.custom.set.set(bare_path(path, dialect), value.to_owned());
        }
    }
    for path in unset {
        clear(&mut patch, &path, dialect);
    }
    Ok(patch)
}

fn clear(patch: &mut Patch, path: &str, dialect: Dialect) {
    match path {
        "text" => patch.text = Some(String::new()),
        "mml" => patch.mml = Some(None),
        "attachments" => patch.attachments = Some(Vec::new()),
        "mentioned_users" => patch.mentioned = Some(Vec::new()),
        "mentioned_channel" => patch.mentions_channel = Some(false),
        "mentioned_here" => patch.mentions_here = Some(false),
        "mentioned_roles" => patch.mentioned_roles = Some(Vec::new()),
        "mentioned_group_ids" => patch.mentioned_groups = Some(Vec::new()),
        "quoted_message_id" => patch.quoted = Some(None),
        "silent" => patch.is_silent = Some(false),
        "pinned" => patch.is_pinned = Some(false),
        "pin_expires" => patch.pin_expires = Some(None),
        "restricted_visibility" => patch.visible_to = Some(Vec::new()),
        path => patch.custom.unset.push(bare_path(path, dialect).to_owned()),
    }
}

/// In the v2 dialect a path may say that it leads into `custom`.
pub(crate) fn bare_path(path: &str, dialect: Dialect) -> &str {
    match dialect {
        Dialect::V2 => path.strip_prefix("custom.").unwrap_or(path),
        Dialect::Classic => path,
    }
}

/// `DELETE /messages/{id}`: softly, for good with `hard`, or with `delete_for_me` for one user.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (id, caller, now) = (message_id(&call)?, call.user().cloned(), call.moment());
    let by = call.query.get("deleted_by").filter(|by| !by.is_empty()).map(fields::user).transpose()?;
    let by = caller.clone().or(by);
    let app = &call.app;
    let message = if flag(&call, "delete_for_me") {
        let user = by.ok_or_else(|| Error::field("deleted_by", "is required with delete_for_me"))?;
        let run = app.write(async |tx| messages::delete_for(tx, caller.as_ref(), &id, &user, now).await);
        let message = run.await?;
        return one_for(&call, Some(&user), id, message).await;
    } else if flag(&call, "hard") {
        messages::delete_for_good(app, caller.as_ref(), &id, by.as_ref(), now).await?
    } else {
        app.write(async |tx| messages::delete(tx, caller.as_ref(), &id, by.as_ref(), now).await).await?
    };
    one(&call, id, message).await
}

fn flag(call: &Call, name: &str) -> bool {
    matches!(call.query.get(name), Some("true" | "1"))
}

/// `POST /messages/{id}/undelete`: brings a deleted message back.
pub(crate) async fn undelete(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, now) = (message_id(&call)?, call.moment());
    let by = sent.user("undeleted_by")?.ok_or_else(|| Error::field("undeleted_by", "is a required field"))?;
    let message = call.app.write(async |tx| messages::undelete(tx, &id, &by, now).await).await?;
    one(&call, id, message).await
}

/// `POST /messages/{id}/commit`: shows a message that waited.
pub(crate) async fn commit(call: Call, _: Fields) -> Result<Reply> {
    let (id, now) = (message_id(&call)?, call.moment());
    let message = call.app.write(async |tx| messages::commit(tx, &id, now).await).await?;
    one(&call, id, message).await
}

/// `POST /messages/{id}/action`: answers the buttons of an ephemeral message (chat §12.13).
pub(crate) async fn act(call: Call, mut sent: Fields) -> Result<Reply> {
    let (id, now) = (message_id(&call)?, call.moment());
    let actor = call.actor(&mut sent)?;
    let form = sent.object("form_data")?.map(Fields::rest).unwrap_or_default();
    let caller = call.user().cloned();
    let app = &call.app;
    let mut tx = call.snapshot();
    let message = messages::read(&mut tx, caller.as_ref(), &id, now).await?;
    match chosen(&form).as_deref() {
        Some("send") => {
            let message = app.write(async |tx| messages::release(tx, caller.as_ref(), &id, now).await).await?;
            one(&call, id, message).await
        }
        Some("cancel") if message.kind == messages::Kind::Ephemeral => {
            let by = actor.or(message.user);
            messages::delete_for_good(app, None, &id, by.as_ref(), now).await?;
            call.done()
        }
        Some("shuffle") => one(&call, id, message).await,
        _ => match hooks::act(&call, (&id, &message), &form, now).await? {
            Some(message) => one(&call, id, message).await,
            None => Err(Error::field("form_data.image_action", "must be one of [send shuffle cancel]")),
        },
    }
}

fn chosen(form: &Object) -> Option<String> {
    serde_json::from_str(form.get("image_action")?.get()).ok()
}

/// `POST /messages/{id}/translate`: says it in another language, too, if there is somebody who translates (chat §12.20).
pub(crate) async fn translate(call: Call, mut sent: Fields) -> Result<Reply> {
    let id: MessageId = message_id(&call)?;
    let language = translated::language(&mut sent)?;
    let text = messages::read(&mut call.snapshot(), call.user(), &id, call.now()).await?.text;
    let translation = translated::make(&call, &text, &language).await?;
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| messages::translate(tx, caller.as_ref(), &id, &translation, now).await);
    let message = run.await?;
    one(&call, id, message).await
}
