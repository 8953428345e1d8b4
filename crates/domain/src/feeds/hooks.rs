//! Hooks of feeds: addresses that are told what changes in the feeds of an app (feeds-v1 §9.3).

use minicbor::{Decode, Encode};

use crate::{
    Error, Result, Tx,
    keyspace::{FEED_HOOK_PLACE, SETTINGS},
    places,
    settings::{self, Settings},
};

/// The most hooks of feeds that an app has.
pub const HOOKS_MAX: usize = 20;
/// The longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// A hook.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Hook {
    /// By which it is changed and taken away.
    #[n(0)]
    pub id: String,
    /// Where what changes is posted to.
    #[n(1)]
    pub url: String,
    /// The groups whose feeds it is told of; all, if empty.
    #[n(2)]
    pub groups: Vec<String>,
    /// Whether it is told of reactions.
    #[n(3)]
    pub hears_reactions: bool,
}

impl Hook {
    /// Whether it is told of the feeds of `group`.
    pub fn takes(&self, group: &str) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|taken| taken == group)
    }
}

/// Stores `hook` in the place of the one with its id. A new one is told of what happens from now on.
///
/// # Errors
/// [`Error::Unfit`] when there are too many, or the hook is not one; [`Error::NoGroup`].
pub async fn put(tx: &mut Tx, hook: &Hook) -> Result<()> {
    tx.app.check_groups(hook.groups.iter().map(String::as_str))?;
    let is_url = hook.url.starts_with("http://") || hook.url.starts_with("https://");
    if !is_url || hook.url.len() > URL_BYTES_MAX {
        return Err(Error::Unfit(format!("url must be an http or https address of at most {URL_BYTES_MAX} bytes")));
    }
    let mut settings = settings::load(tx).await?;
    match settings.feed_hooks.iter().position(|known| known.id == hook.id) {
        Some(at) => settings.feed_hooks[at] = hook.clone(),
        None if settings.feed_hooks.len() == HOOKS_MAX => {
            return Err(Error::Unfit(format!("an app has at most {HOOKS_MAX} hooks of feeds")));
        }
        None => settings.feed_hooks.push(hook.clone()),
    }
    store(tx, &settings).await
}

/// Takes the hook `id` away; answers whether it was there.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool> {
    let mut settings = settings::load(tx).await?;
    let before = settings.feed_hooks.len();
    settings.feed_hooks.retain(|hook| hook.id != id);
    let was_there = settings.feed_hooks.len() < before;
    store(tx, &settings).await?;
    Ok(was_there)
}

async fn store(tx: &mut Tx, settings: &Settings) -> Result<()> {
    let tenant = tx.tenant();
    SETTINGS.put(tx, tenant, &settings::KEY, settings);
    let ids: Vec<String> = settings.feed_hooks.iter().map(|hook| hook.id.clone()).collect();
    places::keep(tx, &FEED_HOOK_PLACE, &ids).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::pond::{Pond, broken};

    fn hook(id: &str, groups: &[&str]) -> Hook {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        Hook { id: id.to_owned(), url: "https://a.test/".to_owned(), groups, hears_reactions: true }
    }

    async fn set(pond: &Pond, hook: &Hook) -> Result<()> {
        pond.app.write(async |tx| put(tx, hook).await).await
    }

    #[test]
    fn a_hook_without_groups_is_told_of_all() {
        assert!(hook("a", &[]).takes("user") && hook("a", &["user"]).takes("user"));
        assert!(!hook("a", &["user"]).takes("timeline"));
    }

    #[tokio::test]
    async fn a_changed_hook_keeps_its_place_and_one_that_is_gone_has_none() {
        let pond = Pond::new();
        let place = async || places::get(&mut pond.app.snapshot(), &FEED_HOOK_PLACE, "a").await.unwrap();
        set(&pond, &hook("a", &[])).await.unwrap();
        let first = place().await.expect("it begins where it was made");
        pond.add("user:amy", "skates").await;
        set(&pond, &hook("a", &["user"])).await.unwrap();
        assert_eq!(place().await, Some(first));
        assert_eq!(settings::load(&mut pond.app.snapshot()).await.unwrap().feed_hooks, [hook("a", &["user"])]);
        assert!(pond.app.write(async |tx| remove(tx, "a").await).await.unwrap());
        assert_eq!(place().await, None);
        assert!(!pond.app.write(async |tx| remove(tx, "a").await).await.unwrap());
    }

    #[tokio::test]
    async fn a_hook_that_makes_no_sense_is_refused() {
        let pond = Pond::new();
        assert!(matches!(set(&pond, &hook("a", &["nope"])).await, Err(Error::NoGroup(_))));
        for url in ["", "ftp://a.test", "a.test", &format!("https://a.test/{}", "x".repeat(URL_BYTES_MAX))] {
            let url = url.to_owned();
            assert!(broken(set(&pond, &Hook { url, ..hook("a", &[]) }).await).contains("url must be"));
        }
        for n in 0..HOOKS_MAX {
            set(&pond, &hook(&n.to_string(), &[])).await.unwrap();
        }
        assert!(broken(set(&pond, &hook("one more", &[])).await).contains("at most 20"));
    }
}
