//! Whose data stands in the tables.

/// Whose personal data a table holds. There is no default: a table without an answer does not compile into
/// [`TABLES`](super::TABLES).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Personal {
    /// Nobody's.
    None,
    /// The owner's of the feed that the key begins with.
    ByFeed,
    /// The actor's, and whoever else the record names.
    ByActivity,
    /// Whoever the events name; pruned by age.
    ByEvent,
    /// The user's whom the key begins with.
    ByUser,
    /// The user's whom the key names.
    ByMember,
    /// The author's, and whoever else the record names.
    ByAuthor,
    /// The maker's, and whatever the application noted of others.
    ByChannel,
    /// Whose the reported thing is, and whoever reported it or did something about it.
    ByReport,
    /// The ids of those whom the task is about, for as long as its outcome is told.
    ByTask,
}
