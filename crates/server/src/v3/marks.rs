//! `POST …/activities/mark/batch`: what a user has seen, read and watched (feeds-v3 §3.3, §5).

use domain::v3::marks::{self, Marking};

use super::read::{self, Actor};
use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// `POST …/activities/mark/batch`.
pub(super) async fn mark(call: Call, mut sent: Fields) -> Result<Reply> {
    let (fid, user) = (read::path(&call)?, Actor::some(&call, &mut sent)?.id);
    let mut names = |name: &str| Ok::<_, crate::chat::error::Error>(sent.texts(name)?.unwrap_or_default());
    let (read, seen, watched) = (names("mark_read")?, names("mark_seen")?, names("mark_watched")?);
    let marking = Marking {
        all_read: sent.flag("mark_all_read")?.unwrap_or_default(),
        all_seen: sent.flag("mark_all_seen")?.unwrap_or_default(),
        read,
        seen,
        watched,
    };
    let more = serde_json::json!({
        "mark_all_read": marking.all_read, "mark_all_seen": marking.all_seen, "mark_read": marking.read,
        "mark_seen": marking.seen, "mark_watched": marking.watched
    });
    let (more, by, now) = (more.to_string(), call.user().cloned(), call.moment());
    let app = &call.tenant.app;
    app.write(async |tx| marks::mark(tx, by.as_ref(), &fid, &user, (&marking, &more), now).await).await?;
    call.done()
}
