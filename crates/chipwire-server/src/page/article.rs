//! `/articles/{id}`: one article as plain text, with what it mentions marked.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use chipwire_index::{Document, DocumentMention};

use super::{
    heading,
    mark::{Piece, paragraphs},
    search_href, tone, web_address,
};
use crate::{api, app::Ctx, problem::Problem, search};

#[derive(Template)]
#[template(path = "article.html")]
struct ArticlePage<'a> {
    query: &'a str,
    document: &'a Document,
    title: Vec<Vec<Piece<'a>>>,
    paragraphs: Vec<Vec<Piece<'a>>>,
    address: Option<String>,
    source_href: String,
    published: String,
    groups: Vec<Group<'a>>,
}

/// The entities of one kind.
struct Group<'a> {
    heading: String,
    tone: u32,
    entities: Vec<EntityLink<'a>>,
}

struct EntityLink<'a> {
    name: &'a str,
    count: u32,
    href: String,
}

/// The page.
pub(crate) async fn page(State(shared): Ctx, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let document = search::document(&shared, id).await?;
    let text = render(&document).map_err(|error| Problem::internal(&error))?;
    Ok(api::tagged(&headers, "text/html; charset=utf-8", text.into_bytes()))
}

fn render(document: &Document) -> askama::Result<String> {
    let part = |in_title| -> Vec<&DocumentMention> {
        document.mentions.iter().filter(|mention| mention.in_title == in_title).collect()
    };
    ArticlePage {
        query: "",
        document,
        title: paragraphs(&document.title, &part(true)),
        paragraphs: paragraphs(&document.body, &part(false)),
        address: web_address(document.url.as_deref()),
        source_href: search_href(&format!("source:\"{}\"", document.source.replace(['"', '\\'], " "))),
        published: document.published.strftime("%A %-d %B %Y, %H:%M UTC").to_string(),
        groups: groups(document),
    }
    .render()
}

fn groups(document: &Document) -> Vec<Group<'_>> {
    let mut groups: Vec<(&str, Group<'_>)> = Vec::new();
    for entity in &document.entities {
        let link = EntityLink {
            name: &entity.name,
            count: entity.count,
            href: search_href(&format!("{}:{}", entity.kind, entity.entity)),
        };
        match groups.iter_mut().find(|(kind, _)| *kind == entity.kind) {
            Some((_, group)) => group.entities.push(link),
            None => groups.push((
                &entity.kind,
                Group { heading: heading(&entity.kind), tone: tone(&entity.kind), entities: vec![link] },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
