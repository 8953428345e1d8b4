//! Slash commands: those that every app has, and its own (chat §6.5, §11.11).

/// A command that every app has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BuiltIn {
    /// What follows the slash.
    pub name: &'static str,
    /// What it does, in words.
    pub description: &'static str,
    /// What may follow the name.
    pub args: &'static str,
    /// What it belongs to.
    pub set: &'static str,
}

const fn moderation(name: &'static str, description: &'static str, args: &'static str) -> BuiltIn {
    BuiltIn { name, description, args, set: "moderation_set" }
}

/// The commands that every app has.
pub const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn { name: "giphy", description: "Post a random gif to the channel", args: "[text]", set: "fun_set" },
    moderation("ban", "Ban a user", "[@username] [text]"),
    moderation("unban", "Unban a user", "[@username]"),
    moderation("mute", "Mute a user", "[@username]"),
    moderation("unmute", "Unmute a user", "[@username]"),
    moderation("flag", "Flag a user/message", "[@username]"),
];
