//! `GET og/?url=` (feeds-v1 §5.14).

use reqwest::Url;
use wire::feeds::og::{Audio, Image, Og, Video};

use crate::{
    error::{Error, Result},
    from_wire::missing,
    gate::Call,
    og::{self, Media, Page},
    reply::Reply,
};

/// What the page at `url` says of itself.
pub(crate) async fn get(call: Call) -> Result<Reply> {
    let url = call.query.get("url").ok_or_else(|| missing("url"))?;
    let is_web = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_web {
        return Err(Error::field("url", "must be an address of the web"));
    }
    let page = og::look(&call.server.outbound, url).await.map_err(|reason| {
        tracing::debug!(reason, "a page said nothing");
        Error::input("couldn't find og data for the provided url")
    })?;
    Ok(Reply::ok(&shown(page, url)))
}

fn shown(page: Page, url: &str) -> Og {
    Og {
        title: page.title,
        kind: page.kind,
        url: page.url,
        site: page.site,
        site_name: page.site_name,
        description: page.description,
        determiner: page.determiner,
        locale: page.locale,
        favicon: page.favicon,
        original_url: url.to_owned(),
        images: page.images.into_iter().map(image).collect(),
        videos: page.videos.into_iter().map(video).collect(),
        audios: page.audios.into_iter().map(audio).collect(),
    }
}

fn image(Media { url, secure_url, width, height, kind, alt }: Media) -> Image {
    Image { image: url.clone(), url, secure_url, width, height, kind, alt }
}

fn video(Media { url, secure_url, width, height, kind, alt }: Media) -> Video {
    Video { video: url.clone(), url, secure_url, width, height, kind, alt }
}

fn audio(Media { url, secure_url, kind, .. }: Media) -> Audio {
    Audio { audio: url.clone(), url, secure_url, kind }
}
