//! `POST feed_targets/{group}/{id}/activity_to_targets/` (feeds-v1 §5.8).

use bytes::Bytes;
use domain::feeds::targets::{self, Retarget, Retargeted};
use ids::FeedId;

use crate::{error::Result, from_wire, gate::Call, reply::Reply, to_wire};

/// Changes the targets of one activity of the feed, or of several; the answer tells of the first, and of all of a list.
pub(crate) async fn update(call: Call, body: Bytes) -> Result<Reply> {
    let (app, feed) = (&call.tenant.app, call.feed());
    let retargets = from_wire::retargets(&body)?;
    app.check_groups(retargets.iter().flat_map(|(_, retarget)| named(retarget)).chain([feed]).map(FeedId::group))?;
    let done = app
        .write_each(&retargets, async |tx, (reference, retarget)| targets::update(tx, feed, reference, retarget).await);
    let done: Vec<String> = done.await?.iter().map(shown).collect();
    let mut body = done[0].clone();
    if done.len() > 1 {
        let all = done.iter().map(|one| format!("{one}}}")).collect::<Vec<_>>().join(",");
        body.push_str(&format!(r#","results":[{all}]"#));
    }
    Ok(Reply { status: 201, body })
}

fn named(retarget: &Retarget) -> Vec<&FeedId> {
    match retarget {
        Retarget::Replace(targets) => targets.iter().collect(),
        Retarget::Edit { added, removed } => added.iter().chain(removed).collect(),
    }
}

/// What became of one activity, as a JSON object without its closing brace.
fn shown(done: &Retargeted) -> String {
    let feeds = |feeds: &[FeedId]| feeds.iter().map(|feed| format!("\"{feed}\"")).collect::<Vec<_>>().join(",");
    let activity = to_wire::activity(done.id, &done.activity);
    format!(r#"{{"activity":{activity},"added":[{}],"removed":[{}]"#, feeds(&done.added), feeds(&done.removed))
}
