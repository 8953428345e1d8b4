//! A kept timeline when something was posted: the new rows go in front of what was merged before.
//!
//! A popular feed that posts makes the timelines of all its followers old. To merge each anew from all that it follows
//! would cost several times what a kept page does.

use std::cmp::Reverse;

use ids::ActivityId;

use super::{App, HEAD_ROWS, Head, Mark, Merged, Result, Timeline, WINDOW_ROWS};

impl Timeline {
    /// This timeline with what was posted since; `None` if that is not all that changed, or not known to be.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::feeds) async fn with_posts(&self, app: &App) -> Result<Option<Timeline>> {
        // Taken first: what is posted from now on may be seen or not, and its mark says that this timeline is old.
        let as_of = app.snapshot().stamp();
        let since = self.basis.as_of();
        let [follows, posts @ ..] = self.basis.marks() else { return Ok(None) };
        if !app.views.is_as_of(*follows, since) {
            return Ok(None);
        }
        let (mut fresh, mut seen_down_to) = (Vec::new(), None);
        let changed = posts.iter().enumerate().filter(|(_, mark)| !app.views.is_as_of(**mark, since));
        for (at, _) in changed {
            let source = &self.sources[at];
            if !app.views.is_as_of(Mark::removals(app.id, &source.feed), since) {
                return Ok(None);
            }
            let window = app.views.window(app, &source.feed, source.mark, WINDOW_ROWS).await?;
            if !window.is_whole {
                seen_down_to = seen_down_to.max(window.entries.last().map(|last| last.id));
            }
            for entry in window.entries.iter().filter(|entry| entry.posted() > since) {
                // It came by another way before, or is there again: which way was the first may have changed.
                if self.holds(entry.id) {
                    return Ok(None);
                }
                let source_at = u32::try_from(at).expect("a feed follows fewer than four billion feeds");
                let arrival = source.arrival(*entry);
                fresh.extend(arrival.map(|arrival| Head { id: entry.id, arrival, source: source_at }));
            }
        }
        let newer = self.with(fresh, as_of);
        // Below what was seen there may be more that came late.
        let is_known =
            |down_to| newer.head.len() == HEAD_ROWS && newer.head.last().is_some_and(|row| row.id >= down_to);
        Ok(seen_down_to.is_none_or(is_known).then_some(newer))
    }

    fn holds(&self, id: ActivityId) -> bool {
        // Most often it is newer than all.
        self.head.first().is_some_and(|newest| newest.id >= id)
            && self.head.binary_search_by_key(&Reverse(id), |row| Reverse(row.id)).is_ok()
    }

    fn with(&self, mut fresh: Vec<Head>, as_of: store::Stamp) -> Timeline {
        fresh.sort_unstable_by(|one, other| other.cmp(one));
        fresh.dedup_by_key(|head| head.id);
        let mut head = Vec::with_capacity(HEAD_ROWS.min(fresh.len() + self.head.len()));
        let mut add = |rows: &[Merged]| head.extend_from_slice(&rows[..rows.len().min(HEAD_ROWS - head.len())]);
        let mut older = &*self.head;
        for Head { id, source, .. } in fresh {
            let (newer, rest) = older.split_at(older.partition_point(|row| row.id > id));
            add(newer);
            add(&[Merged { id, source }]);
            older = rest;
        }
        add(older);
        Timeline {
            basis: self.basis.at(as_of).into(),
            sources: self.sources.clone(),
            is_whole: self.is_whole && head.len() < HEAD_ROWS,
            head: head.into(),
        }
    }
}
