//! Moderation: who may not write, and what was reported (chat §11.8, §12.18; v2 §6).

pub mod bans;
