//! By which format an activity is put in a group: the one that held when it arrived in the feed (feeds-v1 §7).

use std::hash::{DefaultHasher, Hash, Hasher};

use store::Stamp;

use crate::{
    Error, Result,
    feeds::{follows::Arrival, groups::Group, templates::Template},
};

/// The formats of a feed group, understood.
pub(super) struct Formats {
    /// Those of before, the oldest first, each with the commit up to which what arrived is grouped by it.
    past: Vec<(Template, Stamp)>,
    now: Template,
}

impl Formats {
    /// The formats of `group`.
    ///
    /// # Errors
    /// [`Error::BrokenFormat`] when today's makes no sense.
    pub(super) fn parse(group: &Group) -> Result<Self> {
        let now = Template::parse(group.format()).ok_or(Error::BrokenFormat)?;
        let past = group.past_formats.iter();
        let past = past.filter_map(|past| Some((Template::parse(&past.format)?, Stamp(past.until))));
        Ok(Formats { past: past.collect(), now })
    }

    /// Which of them holds for what arrived at `arrival`, the oldest being 0.
    pub(super) fn at(&self, arrival: Arrival) -> u8 {
        let place = self.past.iter().position(|(_, until)| arrival.is_by(*until)).unwrap_or(self.past.len());
        u8::try_from(place).expect("a group has few formats")
    }

    /// The format that [`Formats::at`] named.
    pub(super) fn get(&self, place: u8) -> &Template {
        self.past.get(usize::from(place)).map_or(&self.now, |(template, _)| template)
    }
}

/// Tells the formats of a group from others: what was folded by other ones is folded again.
pub(in crate::feeds) fn mark(group: &Group) -> u64 {
    let mut hasher = DefaultHasher::new();
    group.format().hash(&mut hasher);
    for past in &group.past_formats {
        (&past.format, past.until).hash(&mut hasher);
    }
    hasher.finish()
}
