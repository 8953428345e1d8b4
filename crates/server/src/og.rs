//! What a page says of itself: Open Graph, and what stands in for it (feeds-v1 §5.14, chat §12.12).
//!
//! The page is somebody else's, and so is its address: it is fetched through the guard, read up to a limit, split as
//! browsers split it, and of what it says only texts, numbers and web addresses are taken.

mod html;

use std::time::Duration;

use tokio::sync::Semaphore;

use crate::outbound::Outbound;

pub use html::read;

/// How long a page may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a page is read: what it says of itself stands at its beginning.
const PAGE_BYTES_MAX: usize = 512 << 10;
/// How many pages are looked at at once; one more is not looked at.
static LOOKING: Semaphore = Semaphore::const_new(32);

/// What a page says of itself; what it does not say is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is called.
    pub title: Option<String>,
    /// What it is, such as `article`.
    pub kind: Option<String>,
    /// Where it would like to be found.
    pub url: Option<String>,
    /// Who is behind it, such as `@millpond`.
    pub site: Option<String>,
    /// What the whole site is called.
    pub site_name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// The word before its title in a sentence.
    pub determiner: Option<String>,
    /// Its language, such as `en_GB`.
    pub locale: Option<String>,
    /// The site's small picture.
    pub favicon: Option<String>,
    /// Its pictures.
    pub images: Vec<Media>,
    /// Its films.
    pub videos: Vec<Media>,
    /// Its sounds.
    pub audios: Vec<Media>,
}

/// A picture, a film or a sound of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// Where it is.
    pub url: String,
    /// Where it is by HTTPS.
    pub secure_url: Option<String>,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// Its type, such as `image/png`.
    pub kind: Option<String>,
    /// What it shows, in words.
    pub alt: Option<String>,
}

impl Page {
    /// Whether it says nothing that is worth showing.
    pub fn is_empty(&self) -> bool {
        let has_media = [&self.images, &self.videos, &self.audios].iter().any(|list| !list.is_empty());
        self.title.is_none() && self.description.is_none() && !has_media
    }
}

/// What the page at `url` says of itself.
///
/// # Errors
/// Why nothing is known of it, in words.
pub(crate) async fn look(outbound: &Outbound, url: &str) -> Result<Page, String> {
    let _looking =
        LOOKING.try_acquire().map_err(|_| "too many pages are looked at; try again in a moment".to_owned())?;
    let page = outbound.get(url, PAGE_BYTES_MAX, TIMEOUT).await.map_err(|error| error.to_string())?;
    if !page.answer.is_success() {
        return Err(format!("the page answered {}", page.answer.status));
    }
    let said = match page.kind.split(';').next().map(str::trim) {
        Some(kind) if kind.starts_with("image/") => {
            let image = Media { url: page.url.into(), kind: Some(kind.to_owned()), ..Media::default() };
            Page { images: vec![image], ..Page::default() }
        }
        Some("text/html" | "application/xhtml+xml" | "") | None => read(&page.body, &page.kind, page.url.as_str()),
        Some(_) => return Err("the page is no HTML".to_owned()),
    };
    if said.is_empty() { Err("the page says nothing of itself".to_owned()) } else { Ok(said) }
}
