//! How devices would be told of what happens: providers, templates and what users want (chat §11.9, v2 §7.4).
//!
//! All of it is stored and shown; nothing is sent to Apple, Google, Huawei or Xiaomi, and whoever asks is told so.

pub mod preferences;
pub mod providers;
pub mod render;
pub mod templates;
