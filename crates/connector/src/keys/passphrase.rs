//! A key-encryption key from a passphrase (§5): Argon2id over a salt that lies beside the data with its costs.
//!
//! **Invariant:** a recipe that was made cheaper is refused, so that nobody who may write the file weakens the key.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Error, KEY_BYTES, Kek};
use crate::surroundings::Surroundings;

/// The name of the recipe in the data directory.
pub const RECIPE: &str = "passphrase.json";
/// The least memory, in KiB (64 MiB), and the least passes (§5).
const MEMORY_KIB_MIN: u32 = 64 << 10;
const PASSES_MIN: u32 = 3;
/// Beyond these a recipe is not of ours: opening would take all memory, or for ever.
const MEMORY_KIB_MAX: u32 = 4 << 20;
const PASSES_MAX: u32 = 100;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// The shortest passphrase, in characters.
const CHARS_MIN: usize = 12;

/// How the key is made from the passphrase; no secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    salt: String,
}

/// Makes the recipe in `dir`, and the key of the passphrase: `keys init`.
///
/// # Errors
/// [`Error::Source`], also when there is a recipe or the passphrase is short.
pub fn init(dir: &Path, passphrase: &str, surroundings: &Surroundings) -> Result<Kek, Error> {
    if passphrase.chars().count() < CHARS_MIN {
        return Err(trouble(dir, format!("the passphrase has fewer than {CHARS_MIN} characters")));
    }
    let salt: [u8; SALT_BYTES] = surroundings.bytes();
    let (memory_kib, passes) = (MEMORY_KIB_MIN, PASSES_MIN);
    let recipe = Recipe { algorithm: "argon2id".to_owned(), memory_kib, passes, salt: STANDARD.encode(salt) };
    let kek = cook(dir, &recipe, passphrase)?;
    let text = serde_json::to_string(&recipe).expect("a recipe is JSON");
    let path = dir.join(RECIPE);
    let written = std::fs::create_dir_all(dir).and_then(|()| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| trouble(&path, error.to_string()))?;
    Ok(kek)
}

/// The key of the passphrase, by the recipe in `dir`.
///
/// # Errors
/// [`Error::Source`] when there is no recipe, or one that is too cheap.
pub(super) fn read(dir: &Path, passphrase: &str) -> Result<Kek, Error> {
    let path = dir.join(RECIPE);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        trouble(&path, format!("{error}; `millpond privacy keys init --kek-passphrase-file FILE` makes it"))
    })?;
    let recipe: Recipe = serde_json::from_str(&text).map_err(|error| trouble(&path, error.to_string()))?;
    cook(&path, &recipe, passphrase)
}

fn cook(path: &Path, recipe: &Recipe, passphrase: &str) -> Result<Kek, Error> {
    let is_sane = recipe.algorithm == "argon2id"
        && (MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&recipe.memory_kib)
        && (PASSES_MIN..=PASSES_MAX).contains(&recipe.passes);
    let salt = STANDARD.decode(&recipe.salt).ok().filter(|salt| is_sane && salt.len() >= SALT_BYTES);
    let salt = salt.ok_or_else(|| trouble(path, "the recipe was changed".to_owned()))?;
    let failed = |error: argon2::Error| trouble(path, error.to_string());
    let params = Params::new(recipe.memory_kib, recipe.passes, LANES, Some(KEY_BYTES)).map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(passphrase.as_bytes(), &salt, &mut key[..]).map_err(failed)?;
    Kek::new(&key[..])
}

fn trouble(path: &Path, why: String) -> Error {
    Error::Source { from: path.display().to_string(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Source;

    fn source(dir: &Path, passphrase: &str) -> Source {
        let passphrase = Some((Zeroizing::new(passphrase.to_owned()), dir.to_owned()));
        Source { passphrase, ..Source::default() }
    }

    #[test]
    fn the_same_passphrase_gives_the_same_key_and_another_one_another() {
        let dir = tempfile::tempdir().unwrap();
        let made = init(dir.path(), "still water runs deep", &Surroundings::system()).unwrap();
        assert_eq!(source(dir.path(), "still water runs deep").read().unwrap().id(), made.id());
        assert_ne!(source(dir.path(), "still water runs dry").read().unwrap().id(), made.id());
        let again = init(dir.path(), "still water runs deep", &Surroundings::system());
        assert!(again.is_err(), "a recipe is never replaced: its key would be lost");
    }

    #[test]
    fn a_short_passphrase_and_a_cheaper_recipe_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(init(dir.path(), "short", &Surroundings::system()).is_err());
        let salt = STANDARD.encode([7; SALT_BYTES]);
        for (memory_kib, passes) in [(MEMORY_KIB_MIN - 1, 3), (MEMORY_KIB_MIN, 2), (u32::MAX, 3)] {
            let text =
                format!(r#"{{"algorithm":"argon2id","memory_kib":{memory_kib},"passes":{passes},"salt":"{salt}"}}"#);
            std::fs::write(dir.path().join(RECIPE), text).unwrap();
            assert!(source(dir.path(), "still water runs deep").read().is_err(), "{memory_kib} {passes}");
        }
    }
}
