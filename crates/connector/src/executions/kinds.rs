//! What an execution does, and where it stands with it, in words.

use crate::words::words;

words! {
    /// Where an execution is in its flow.
    Phase {
        /// Who is meant.
        0 Resolve = "resolve",
        /// What they wrote.
        1 Export = "export",
        /// What was said against them.
        2 Report = "report",
        /// It is put together.
        3 Package = "package",
        /// What a deletion would do.
        4 Preview = "preview",
        /// The deletion is sent.
        5 Submit = "submit",
        /// Its job is awaited.
        6 Poll = "poll",
        /// It is seen to be done.
        7 Verify = "verify",
        /// Nothing is left to do.
        8 Done = "done",
    }
}

words! {
    /// What a sub-task does.
    TaskKind {
        /// Asks for users by an identifier.
        0 Resolve = "resolve",
        /// Fetches what a user wrote.
        1 ExportUser = "export_user",
        /// Fetches the moderation reports about a user.
        2 UserReport = "user_report",
        /// Starts the export for large accounts.
        3 ExportAsync = "export_async",
        /// Starts the export of feeds data, and fetches it.
        4 FeedsExport = "feeds_export",
        /// Deletes.
        5 DeleteUsers = "delete_users",
        /// Deletes feeds data, and waits for it.
        6 FeedsDelete = "feeds_delete",
        /// Asks how far a job is.
        7 PollTask = "poll_task",
        /// Looks whether somebody is gone.
        8 Verify = "verify",
        /// Puts the package together.
        9 Package = "package",
        /// Looks at the targets once more before they are deleted.
        11 Reread = "reread",
        /// Lists the files that a user's messages name.
        12 ListFiles = "list_files",
        /// Fetches one of them.
        13 FetchFile = "fetch_file",
        /// Counts what a user wrote, for a preview.
        14 CountExport = "count_export",
        /// Counts what was said against a user, for a preview.
        15 CountReports = "count_reports",
    }
}

words! {
    /// Where a sub-task stands.
    TaskStatus {
        /// Not begun.
        0 Pending = "pending",
        /// A call that changes something may be under way.
        1 Sending = "sending",
        /// The other side works on it.
        2 AwaitingRemote = "awaiting_remote",
        /// Done.
        3 Complete = "complete",
        /// It is tried again.
        4 Retrying = "retrying",
        /// Given up.
        5 Failed = "failed",
        /// It is not known whether the call arrived.
        6 Uncertain = "uncertain",
        /// Not needed, for the reason in the note.
        7 Skipped = "skipped",
    }
}

words! {
    /// What is looked at to see that somebody is gone (§13).
    Check {
        /// The user by id.
        0 User = "user",
        /// The user's export.
        1 Export = "export",
        /// The moderation reports.
        2 Report = "report",
        /// The identifiers of the request.
        3 Identifier = "identifier",
    }
}
