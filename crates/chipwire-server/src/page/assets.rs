//! The files that the page loads, compiled into the binary.

use axum::{extract::Path, http::HeaderMap, response::Response};
use rust_embed::RustEmbed;

use crate::{api, problem::Problem};

#[derive(RustEmbed)]
#[folder = "static"]
struct Assets;

/// `/static/{file}`
pub(crate) async fn file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = Assets::get(&file).ok_or_else(|| Problem::not_found("there is no such file"))?;
    let content_type = match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Ok(api::tagged(&headers, content_type, asset.data.into_owned()))
}
