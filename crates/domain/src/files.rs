//! Uploaded files: who uploaded what (chat §11.10, v2 §7.5). Their bytes are kept beside the database, by the same id.
//!
//! Bytes are written before their row, and removed after it: a row that says that a file is gone stands until they are.

use std::collections::HashSet;

use ids::{AppId, ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Transaction, key::after};

use crate::{
    Error, Result, Tx,
    chat::messages::Scene,
    keyspace::{FILE, FILE_GONE, UPLOADED, VARIANT},
    rows,
    settings::{self, uploads::Upload},
};

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The image formats that are taken, by their extensions (chat §11.1).
const IMAGES: [&str; 11] =
    ["bmp", "gif", "heic", "heic-sequence", "heif", "heif-sequence", "jpeg", "jpg", "png", "svg", "webp"];
/// How many files that are gone are looked at in one step.
pub const GONE_MAX: usize = 100;
/// In how many shapes a picture is kept; in others it is made anew for whoever asks.
pub const VARIANTS_MAX: usize = 24;

/// An uploaded file.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct File {
    /// Who uploaded it; nobody is known for some uploads of the app's own server.
    #[n(0)]
    pub owner: Option<UserId>,
    /// Its name, without a path.
    #[n(1)]
    pub name: String,
    /// What is in it.
    #[n(2)]
    pub mime_type: String,
    /// How large it is.
    #[n(3)]
    pub bytes: u64,
    /// Whether it was uploaded as an image.
    #[n(4)]
    pub is_image: bool,
    /// The channel that it was uploaded to, if any.
    #[n(5)]
    pub channel: Option<ChannelId>,
    /// Since when.
    #[n(6)]
    pub created_at: Timestamp,
}

/// A picture in another shape.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Variant {
    /// The id by which its bytes are kept.
    #[n(0)]
    pub id: String,
    /// What is in it.
    #[n(1)]
    pub mime_type: String,
}

impl File {
    /// Checks that an image is called like one.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is called by another name.
    pub fn check_name(&self) -> Result<()> {
        let extension = self.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        match self.is_image && !extension.is_some_and(|extension| IMAGES.contains(&extension.as_str())) {
            true => Err(Error::Unfit(format!("file: an image has one of the extensions [{}]", IMAGES.join(" ")))),
            false => Ok(()),
        }
    }

    /// Checks its name, its type and its size against what the app takes; `bytes_max` holds where the app says nothing.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the app does not take such files, [`Error::TooBig`] when it is too big.
    pub async fn check(&self, tx: &mut Tx, bytes_max: u64) -> Result<()> {
        let kind = if self.is_image { Upload::Image } else { Upload::File };
        settings::load(tx).await?.uploads(kind).or_bytes(bytes_max).check(&self.name, &self.mime_type, self.bytes)
    }
}

/// Checks that `caller` may upload to `channel`; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is no such channel, [`Error::FeatureOff`] when it takes no files, [`Error::NotAllowed`].
pub async fn check_upload(tx: &mut Tx, caller: Option<&UserId>, channel: &ChannelId, now: Timestamp) -> Result<()> {
    let scene = Scene::load(tx, channel, caller, now).await?;
    scene.check("upload-attachment", None)?;
    scene.check_enabled()?;
    scene.check_feature("uploads", scene.config.uploads)
}

/// Checks that `caller` may delete `file`: its owner may, and in its channel who may delete what is attached there.
///
/// # Errors
/// [`Error::NotAllowed`] otherwise.
pub async fn check_delete(tx: &mut Tx, caller: Option<&UserId>, file: &File, now: Timestamp) -> Result<()> {
    if caller.is_none() || file.owner.as_ref() == caller {
        return Ok(());
    }
    match &file.channel {
        Some(channel) => Scene::load(tx, channel, caller, now).await?.check("delete-attachment", file.owner.as_ref()),
        None => Err(Error::NotAllowed("the file is another user's".to_owned())),
    }
}

/// The file `id`, for `caller`, who must have uploaded it; none is the app's own server.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::NotAllowed`] when somebody else uploaded it.
pub async fn load_own(tx: &mut Tx, id: &str, caller: Option<&UserId>) -> Result<File> {
    let file = get(tx, id).await?.ok_or_else(|| Error::Absent("there is no such file".to_owned()))?;
    match caller.is_none() || file.owner.as_ref() == caller {
        true => Ok(file),
        false => Err(Error::NotAllowed("the file is another user's".to_owned())),
    }
}

/// Notes an upload.
pub fn add(tx: &mut Tx, id: &str, file: &File) {
    let tenant = tx.tenant();
    FILE.put(tx, tenant, &id.to_owned(), file);
    if let Some(owner) = &file.owner {
        UPLOADED.put(tx, tenant, &(owner.to_string(), id.to_owned()), &());
    }
}

/// The file `id`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<File>> {
    let tenant = tx.tenant();
    Ok(FILE.get(tx, tenant, &id.to_owned()).await?)
}

/// The file `id` in the shape `shape`, if it was made before.
///
/// # Errors
/// When the store fails.
pub async fn variant(tx: &mut Tx, id: &str, shape: &str) -> Result<Option<Variant>> {
    let tenant = tx.tenant();
    Ok(VARIANT.get(tx, tenant, &(id.to_owned(), shape.to_owned())).await?)
}

/// Notes the file `id` in the shape `shape`; answers what is kept of it in the end, which is another one if somebody was
/// faster, and nothing if the file is gone or there are too many already.
///
/// # Errors
/// When the store fails.
pub async fn add_variant(tx: &mut Tx, id: &str, shape: &str, made: &Variant) -> Result<Option<Variant>> {
    let tenant = tx.tenant();
    if get(tx, id).await?.is_none() {
        return Ok(None);
    }
    let known = variants(tx, id).await?;
    if let Some((_, variant)) = known.iter().find(|((_, known), _)| known == shape) {
        return Ok(Some(variant.clone()));
    }
    if known.len() >= VARIANTS_MAX {
        return Ok(None);
    }
    VARIANT.put(tx, tenant, &(id.to_owned(), shape.to_owned()), made);
    Ok(Some(made.clone()))
}

async fn variants(tx: &mut Tx, id: &str) -> Result<Vec<((String, String), Variant)>> {
    let range = VARIANT.prefix(tx.tenant(), &id.to_owned());
    rows::list(tx, &VARIANT, range, VARIANTS_MAX).await
}

/// Removes the file, and what was made of it; the bytes go soon after. Answers how many files these are.
///
/// # Errors
/// When the store fails.
pub async fn remove(tx: &mut Tx, id: &str, file: &File) -> Result<usize> {
    let (tenant, variants) = (tx.tenant(), variants(tx, id).await?);
    FILE.delete(tx, tenant, &id.to_owned());
    if let Some(owner) = &file.owner {
        UPLOADED.delete(tx, tenant, &(owner.to_string(), id.to_owned()));
    }
    FILE_GONE.put(tx, tenant, &id.to_owned(), &());
    for (key, variant) in &variants {
        VARIANT.delete(tx, tenant, key);
        FILE_GONE.put(tx, tenant, &variant.id, &());
    }
    Ok(1 + variants.len())
}

/// Removes some of what `user` uploaded, about `max` files with what was made of them; whether that were all.
///
/// # Errors
/// When the store fails.
pub async fn remove_of(tx: &mut Tx, user: &UserId, max: usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = UPLOADED.prefix(tenant, &(user.to_string(),));
    let rows = rows::list(tx, &UPLOADED, range, max).await?;
    let mut removed = 0;
    for ((owner, id), ()) in &rows {
        if removed >= max {
            return Ok(false);
        }
        match get(tx, id).await? {
            Some(file) => removed += remove(tx, id, &file).await?,
            None => UPLOADED.delete(tx, tenant, &(owner.clone(), id.clone())),
        }
    }
    Ok(rows.len() < max)
}

/// Files whose bytes are to be removed, at most [`GONE_MAX`].
///
/// # Errors
/// When the store fails.
pub async fn gone(tx: &mut Tx) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let rows = rows::list(tx, &FILE_GONE, FILE_GONE.range(tenant), GONE_MAX).await?;
    Ok(rows.into_iter().map(|(id, ())| id).collect())
}

/// Whether the file `id` of the app is there, or is about to go.
///
/// # Errors
/// When the store fails.
pub async fn is_known(tx: &mut Transaction, app: AppId, id: &str) -> Result<bool> {
    let key = id.to_owned();
    Ok(FILE.exists(tx, app.0, &key).await? || FILE_GONE.exists(tx, app.0, &key).await?)
}

/// The ids of everything that was made of files of the app.
///
/// # Errors
/// When the store fails.
pub async fn made(tx: &mut Transaction, app: AppId) -> Result<HashSet<String>> {
    let (mut range, mut found) = (VARIANT.range(app.0), HashSet::new());
    loop {
        let page = VARIANT.scan(tx, app.0, range.clone(), Direction::Forward, Limit::PAGE).await?;
        if let Some((key, _)) = page.rows.last() {
            range.start = after(VARIANT.key(app.0, key));
        }
        found.extend(page.rows.into_iter().map(|(_, variant)| variant.id));
        if !page.more {
            return Ok(found);
        }
    }
}

/// Notes that the bytes of the file are removed.
pub fn forget(tx: &mut Tx, id: &str) {
    let tenant = tx.tenant();
    FILE_GONE.delete(tx, tenant, &id.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::pond::{Pond, broken, channel, user};

    fn file(owner: Option<&str>) -> File {
        File {
            owner: owner.map(user),
            name: "a.txt".into(),
            mime_type: "text/plain".into(),
            bytes: 3,
            is_image: false,
            channel: Some(channel()),
            created_at: Timestamp::from_micros(0),
        }
    }

    #[tokio::test]
    async fn an_image_is_called_like_one_whatever_is_in_it() {
        let pond = Pond::new().await;
        let check = async |file: File| file.check(&mut pond.app.snapshot(), 100).await;
        let image = |name: &str| File { name: name.into(), is_image: true, ..file(None) }.check_name();
        assert!(image("a.JPG").is_ok() && image("b.webp").is_ok());
        assert!(broken(image("a.exe")).contains("extensions"));
        assert!(broken(image("png")).contains("extensions"));
        assert!(check(File { bytes: 100, ..file(None) }).await.is_ok());
        assert!(broken(check(File { bytes: 101, ..file(None) }).await).contains("bytes"));
    }

    #[tokio::test]
    async fn the_app_says_which_files_it_takes() {
        let pond = Pond::new().await;
        let config = r#"{"file_upload_config":{"blocked_file_extensions":[".txt"]}}"#;
        let others = ids::json::Object::parse(config).unwrap();
        let change = settings::Change { others, ..settings::Change::default() };
        pond.write(async |tx| settings::update(tx, &change).await.map(drop)).await;
        let refused = file(None).check(&mut pond.app.snapshot(), 100).await;
        assert!(broken(refused).contains("extension"));
    }

    #[tokio::test]
    async fn what_a_user_uploaded_is_found_by_the_user_and_its_bytes_are_gone_after_the_row() {
        let pond = Pond::new().await;
        pond.write(async |tx| {
            add(tx, "one", &file(Some("amy")));
            add(tx, "two", &file(Some("amy")));
            add(tx, "three", &file(Some("bob")));
            Ok(())
        })
        .await;
        assert!(!pond.write(async |tx| remove_of(tx, &user("amy"), 2).await).await);
        assert!(pond.write(async |tx| remove_of(tx, &user("amy"), 2).await).await);
        let mut tx = pond.app.snapshot();
        assert_eq!(gone(&mut tx).await.unwrap(), ["one", "two"]);
        assert!(get(&mut tx, "one").await.unwrap().is_none() && get(&mut tx, "three").await.unwrap().is_some());
        pond.write(async |tx| {
            forget(tx, "one");
            Ok(())
        })
        .await;
        assert_eq!(gone(&mut pond.app.snapshot()).await.unwrap(), ["two"]);
    }

    #[tokio::test]
    async fn what_was_made_of_a_picture_is_kept_once_and_goes_with_it() {
        let pond = Pond::new().await;
        pond.write(async |tx| {
            add(tx, "one", &file(Some("amy")));
            Ok(())
        })
        .await;
        let make = async |of: &str, shape: &str, id: &str| {
            let made = Variant { id: id.into(), mime_type: "image/png".into() };
            let kept = pond.write(async |tx| add_variant(tx, of, shape, &made).await).await;
            kept.map(|kept| kept.id)
        };
        assert_eq!(make("one", "w=1", "a").await.as_deref(), Some("a"));
        assert_eq!(make("one", "w=1", "b").await.as_deref(), Some("a"));
        assert_eq!(make("none", "w=1", "b").await, None);
        for n in 2..=VARIANTS_MAX {
            assert!(make("one", &format!("w={n}"), &format!("a{n}")).await.is_some());
        }
        assert_eq!(make("one", "w=0", "b").await, None);
        assert!(pond.write(async |tx| remove_of(tx, &user("amy"), 2).await).await);
        let mut tx = pond.app.snapshot();
        assert_eq!(gone(&mut tx).await.unwrap().len(), 1 + VARIANTS_MAX);
        assert_eq!(variant(&mut tx, "one", "w=1").await.unwrap(), None);
        assert_eq!(make("one", "w=1", "b").await, None);
    }

    #[tokio::test]
    async fn a_file_is_deleted_by_its_owner_or_the_server() {
        let pond = Pond::new().await;
        let may = async |caller: Option<&str>| {
            let caller = caller.map(user);
            check_delete(&mut pond.app.snapshot(), caller.as_ref(), &file(Some("amy")), pond.tick()).await
        };
        assert!(may(None).await.is_ok() && may(Some("amy")).await.is_ok());
        assert!(broken(may(Some("bob")).await).contains("not allowed"));
    }
}
