//! Bookmarks and their folders: `/bookmarks`, `/bookmark_folders` (feeds-v3 §3.6).

use domain::{
    users::People,
    v3::{
        bookmarks::{self, Change, Folder, Saved},
        folders::{self, Known},
        made,
    },
};
use wire::v3::bookmarks::{Bookmarks, Folders, OneBookmark, OneFolder};

use super::{
    around::Around,
    own::OwnFields,
    read::{self, Actor, Named, Query},
    show::Pen,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /activities/{id}/bookmarks` and `POST /comments/{id}/bookmarks`.
pub(super) async fn add<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let actor = Actor::some(&call, &mut sent)?;
    let folder = folder(&call, &mut sent, "folder_id")?.unwrap_or_default();
    let custom = read::object(&mut sent, "custom")?;
    let (by, now) = (call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        made::bookmark(tx, by, (&actor.id, &object), &folder, custom.as_ref(), now).await
    });
    let (_, saved) = run.await?;
    one(&call, saved).await
}

/// `PATCH /activities/{id}/bookmarks` and `PATCH /comments/{id}/bookmarks`.
pub(super) async fn update<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let actor = Actor::some(&call, &mut sent)?;
    let change = Change {
        from: sent.text("folder_id")?,
        to: folder(&call, &mut sent, "new_folder_id")?,
        custom: read::object(&mut sent, "custom")?,
    };
    let (by, now) = (call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        made::change_bookmark(tx, by, (&actor.id, &object), &change, now).await
    });
    let (_, saved) = run.await?;
    one(&call, saved).await
}

/// `DELETE /activities/{id}/bookmarks` and `DELETE /comments/{id}/bookmarks`.
pub(super) async fn delete<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let user = Actor::some(&call, &mut sent)?.id;
    let folder = call.query.get("folder_id").filter(|id| !id.is_empty());
    let (by, now) = (call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| made::unbookmark(tx, by, (&user, &object), folder, now).await);
    let (_, saved) = run.await?;
    one(&call, saved).await
}

/// The folder that `name` or `new_folder` tells; an empty id is none of them.
fn folder(call: &Call, sent: &mut Fields, name: &str) -> Result<Option<Folder>> {
    let id = sent.text(name)?;
    match (sent.object("new_folder")?, id) {
        (Some(_), Some(id)) if !id.is_empty() => {
            Err(Error::field("new_folder", &format!("cannot be sent with {name}")))
        }
        (Some(mut new), _) => {
            let folder = new.filled("name")?.ok_or_else(|| Error::field("new_folder.name", "is a required field"))?;
            let custom = read::object(&mut new, "custom")?;
            Ok(Some(Folder::Named { name: folder, custom, id: call.new_id() }))
        }
        (None, Some(id)) if id.is_empty() => Ok(Some(Folder::Outside)),
        (None, id) => Ok(id.map(Folder::Known)),
    }
}

/// A bookmark with what it is of, ready to be shown.
struct Shown {
    saved: Saved,
    folder: Option<Known>,
    around: Around,
}

impl Shown {
    async fn load(call: &Call, saved: Saved) -> Result<Self> {
        let mut tx = call.snapshot();
        let scene = made::open(&mut tx, &saved.object, call.user()).await?;
        let folder = folders::of(&mut tx, &saved).await?;
        let mut around = Around::load(call, scene, Some(&saved.user)).await?;
        around.people.add(&mut tx, [&saved.user]).await?;
        Ok(Shown { saved, folder, around })
    }

    fn written(&self, call: &Call) -> wire::v3::bookmarks::Bookmark<'_> {
        let pen = Pen { people: &self.around.people, now: call.now() };
        let activity = pen.activity(&self.around.activity);
        pen.bookmark(&self.saved, self.folder.as_ref(), activity, self.around.comment.as_ref())
    }
}

async fn one(call: &Call, saved: Saved) -> Result<Reply> {
    let shown = Shown::load(call, saved).await?;
    call.answer(&OneBookmark { bookmark: shown.written(call) })
}

/// `POST /bookmarks/query`. A user finds the user's own.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let asked = Query::read(&mut sent, bookmarks::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(bookmarks::SORT));
    let page = bookmarks::query(&mut call.snapshot(), call.user(), &asked).await?;
    let pager = read::pager(question, &page);
    let mut shown = Vec::with_capacity(page.rows.len());
    for saved in page.rows {
        let mut one = Shown::load(&call, saved).await?;
        let Around { activity, people, .. } = &mut one.around;
        own.add_to_current(&mut call.snapshot(), vec![activity], people).await?;
        shown.push(one);
    }
    let bookmarks = shown.iter().map(|shown| shown.written(&call)).collect();
    call.answer(&Bookmarks { bookmarks, pager })
}

/// `POST /bookmark_folders/query`. A user finds the user's own.
pub(super) async fn query_folders(call: Call, mut sent: Fields) -> Result<Reply> {
    let asked = Query::read(&mut sent, folders::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(folders::SORT));
    let mut tx = call.snapshot();
    let page = folders::query(&mut tx, call.user(), &asked).await?;
    let mut people = People::load(&mut tx, page.rows.iter().map(|known| &known.folder.user)).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    let bookmark_folders = page.rows.iter().map(|known| pen.folder(known)).collect();
    call.answer(&Folders { bookmark_folders, pager: read::pager(question, &page) })
}

/// `PATCH /bookmark_folders/{id}`.
pub(super) async fn update_folder(call: Call, mut sent: Fields) -> Result<Reply> {
    Actor::find(&call, &mut sent)?;
    let (name, custom) = (sent.filled("name")?, read::object(&mut sent, "custom")?);
    let (id, by, now) = (call.param("id"), call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| {
        let folder = folders::update(tx, id, name.as_deref(), custom.as_ref(), by, now).await?;
        made::tell_folder(tx, "updated", id, &folder, now);
        Ok(folder)
    });
    let known = Known { id: id.to_owned(), folder: run.await? };
    let people = People::load(&mut call.snapshot(), [&known.folder.user]).await?;
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&OneFolder { bookmark_folder: pen.folder(&known) })
}

/// `DELETE /bookmark_folders/{id}`.
pub(super) async fn delete_folder(call: Call, _: Fields) -> Result<Reply> {
    let (id, by, now) = (call.param("id"), call.user(), call.moment());
    loop {
        let run = call.tenant.app.write(async |tx| {
            let (folder, is_done) = folders::delete(tx, id, by).await?;
            if is_done {
                made::tell_folder(tx, "deleted", id, &folder, now);
            }
            Ok(is_done)
        });
        if run.await? {
            return call.done();
        }
    }
}
