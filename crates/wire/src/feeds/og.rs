//! `GET og/` (feeds-v1 §5.14): what a page does not say is absent.

use serde::Serialize;

/// What a page says of itself.
#[derive(Serialize, Debug)]
pub struct Og {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Such as `article`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Where it would like to be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Such as `@millpond`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What the whole site is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_name: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The word before its title in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub determiner: Option<String>,
    /// Such as `en_GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The address of the site's small picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub favicon: Option<String>,
    /// What was asked for.
    pub original_url: String,
    /// Its pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Its films.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub videos: Vec<Video>,
    /// Its sounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audios: Vec<Audio>,
}

/// A picture of a page.
#[derive(Serialize, Debug)]
pub struct Image {
    /// Where it is.
    pub image: String,
    /// The same.
    pub url: String,
    /// Where it is by HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Such as `image/png`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

/// A film of a page.
#[derive(Serialize, Debug)]
pub struct Video {
    /// Where it is.
    pub video: String,
    /// The same.
    pub url: String,
    /// Where it is by HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Such as `video/mp4`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

/// A sound of a page.
#[derive(Serialize, Debug)]
pub struct Audio {
    /// Where it is.
    pub audio: String,
    /// The same.
    pub url: String,
    /// Where it is by HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// Such as `audio/mpeg`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}
