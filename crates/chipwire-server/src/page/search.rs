//! `/`: the search page.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use chipwire_events::Timestamp;
use chipwire_index::{FacetCount, Hit, SearchRequest, SearchResponse, Sort};
use chipwire_query::{Node, ParseError, Query as SearchQuery};
use serde::Deserialize;

use super::{heading, html, mark, search_href, time::When, tone, web_address};
use crate::{
    api::articles::SortParam,
    app::{Ctx, Shared},
    board::AlertEntry,
    problem::Problem,
    search,
};

/// Hits on a page.
const HITS: usize = 20;
/// Entities of each kind in the column of facets.
const FACETS: usize = 8;
/// Entities that are shown with a hit.
const CHIPS: usize = 8;
/// Alerts in their panel.
const ALERTS: usize = 6;

/// What people may look for; shown while there is nothing to show.
const EXAMPLES: [(&str, &str); 6] = [
    ("company:nvidia", "articles that mention a company"),
    ("\"export controls\" china", "a phrase and a word"),
    ("chip:* published:>now-24h", "any chip, in the last day"),
    ("title:tsmc -earnings", "a word of the title, without another"),
    ("policy:* (huawei OR smic)", "any policy, and one of two words"),
    ("semicond*", "words that begin so"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PageParams {
    q: String,
    sort: String,
    page: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage<'a> {
    query: &'a str,
    newest: bool,
    outcome: Outcome<'a>,
    examples: Vec<(&'static str, String, &'static str)>,
    alerts: Vec<AlertLine>,
    feeds: usize,
    failing: usize,
    rules: usize,
}

/// What came of the search.
enum Outcome<'a> {
    Found(Found<'a>),
    Wrong { caret: Caret<'a>, message: String, suggestion: Option<(String, String)> },
    Failed(Problem),
}

struct Found<'a> {
    total: String,
    is_one: bool,
    took_ms: String,
    hits: Vec<HitLine<'a>>,
    facets: Vec<FacetGroup>,
    active: Vec<ActiveFacet>,
    newer: Option<String>,
    older: Option<String>,
    page: usize,
}

struct HitLine<'a> {
    href: String,
    title: &'a str,
    address: Option<String>,
    source: &'a str,
    when: When,
    snippet: Vec<(&'a str, bool)>,
    chips: Vec<Chip<'a>>,
    more: usize,
}

struct Chip<'a> {
    tone: u32,
    name: &'a str,
    title: String,
    href: String,
}

struct FacetGroup {
    heading: String,
    tone: u32,
    facets: Vec<FacetLine>,
}

struct FacetLine {
    name: String,
    count: String,
    href: String,
    /// Of the largest count of its kind, in tenths: the length of its bar.
    tenths: u64,
}

/// An entity that the query asks for, with the search without it.
struct ActiveFacet {
    text: String,
    tone: u32,
    href: String,
}

/// A query in three parts, the middle one wrong.
struct Caret<'a> {
    before: &'a str,
    wrong: &'a str,
    after: &'a str,
}

struct AlertLine {
    rule: String,
    title: String,
    href: String,
    source: String,
    when: When,
}

/// The page.
pub(crate) async fn page(State(shared): Ctx, Query(params): Query<PageParams>) -> Response {
    let now = (shared.app.now)();
    let text = params.q.trim();
    let asked = match params.sort.as_str() {
        "best" => Some(SortParam::Best),
        "newest" => Some(SortParam::Newest),
        _ => None,
    };
    let sort = SortParam::or_default(asked, text);
    let page = params.page.parse().unwrap_or(1).clamp(1, search::REACH / HITS);
    let offset = (page - 1) * HITS;
    let answer = match search::parse(text) {
        Ok(query) => {
            let request = SearchRequest { query: query.clone(), sort, limit: HITS, offset, facets: FACETS };
            Ok((query, search::search(&shared, request).await))
        }
        Err(error) => Err(error),
    };
    let (status, outcome) = match &answer {
        Ok((query, Ok(response))) => {
            let view = View { text, query, sort, page, now };
            (StatusCode::OK, Outcome::Found(view.found(response)))
        }
        Ok((_, Err(problem))) => (problem.status(), Outcome::Failed(problem.clone())),
        Err(error) => (StatusCode::BAD_REQUEST, wrong(text, error)),
    };
    html(status, &frame(&shared, text, sort, outcome, now))
}

fn frame<'a>(shared: &Shared, text: &'a str, sort: Sort, outcome: Outcome<'a>, now: Timestamp) -> SearchPage<'a> {
    let board = &shared.app.board;
    let (feeds, failing) = board.feed_counts();
    SearchPage {
        query: text,
        newest: sort == Sort::Newest,
        outcome,
        examples: EXAMPLES.iter().map(|(query, what)| (*query, search_href(query), *what)).collect(),
        alerts: board.alerts(ALERTS).into_iter().map(|entry| alert_line(entry, now)).collect(),
        feeds,
        failing,
        rules: board.rules().len(),
    }
}

fn alert_line(entry: AlertEntry, now: Timestamp) -> AlertLine {
    let alert = entry.alert;
    AlertLine {
        rule: alert.rule_name,
        href: article_href(alert.article.as_str()),
        title: alert.title,
        source: alert.source,
        when: When::new(alert.raised, now),
    }
}

fn wrong<'a>(text: &'a str, error: &ParseError) -> Outcome<'a> {
    let (before, rest) = text.split_at_checked(error.offset).unwrap_or((text, ""));
    let (wrong, after) = rest.split_at_checked(error.len).unwrap_or((rest, ""));
    Outcome::Wrong {
        caret: Caret { before, wrong, after },
        message: error.message.clone(),
        suggestion: error.suggestion.as_ref().map(|text| (text.clone(), search_href(text))),
    }
}

/// What the parts of a found page are made from.
struct View<'a> {
    text: &'a str,
    query: &'a SearchQuery,
    sort: Sort,
    page: usize,
    now: Timestamp,
}

impl<'a> View<'a> {
    fn found(&self, response: &'a SearchResponse) -> Found<'a> {
        let end = (self.page - 1) * HITS + response.hits.len();
        let more = !response.hits.is_empty() && search::has_more(end, response.total);
        Found {
            total: thousands(response.total),
            is_one: response.total == 1,
            took_ms: format!("{:.1}", response.took_ms),
            hits: response.hits.iter().map(|hit| self.hit(hit)).collect(),
            facets: self.facets(response),
            active: self.active(),
            newer: (self.page > 1).then(|| self.href(self.text, self.page - 1)),
            older: more.then(|| self.href(self.text, self.page + 1)),
            page: self.page,
        }
    }

    fn hit(&self, hit: &'a Hit) -> HitLine<'a> {
        let document = &hit.document;
        let chips = document.entities.iter().take(CHIPS).map(|entity| {
            let title = format!("{}:{}", entity.kind, entity.entity);
            Chip { tone: tone(&entity.kind), name: &entity.name, href: search_href(&title), title }
        });
        HitLine {
            href: article_href(&document.id),
            title: if document.title.trim().is_empty() { "(no title)" } else { &document.title },
            address: web_address(document.url.as_deref()),
            source: &document.source,
            when: When::new(document.published, self.now),
            snippet: mark::snippet(&hit.snippet.text, &hit.snippet.highlights),
            chips: chips.collect(),
            more: document.entities.len().saturating_sub(CHIPS),
        }
    }

    fn facets(&self, response: &SearchResponse) -> Vec<FacetGroup> {
        let asked = self.query.wanted_entities();
        let group = |(kind, counts): (&String, &Vec<FacetCount>)| {
            let most = counts.iter().map(|facet| facet.count).max().unwrap_or(1).max(1);
            let new = counts.iter().filter(|facet| !asked.contains(&(kind.as_str(), facet.entity.as_str())));
            let facets = new.map(|facet| FacetLine {
                name: facet.name.clone(),
                count: thousands(facet.count),
                href: self.href(&self.narrowed(kind, &facet.entity), 1),
                tenths: (facet.count * 10).div_ceil(most).min(10),
            });
            FacetGroup { heading: heading(kind), tone: tone(kind), facets: facets.collect() }
        };
        response.facets.iter().map(group).filter(|group| !group.facets.is_empty()).collect()
    }

    /// The query that also asks for the entity.
    fn narrowed(&self, kind: &str, id: &str) -> String {
        let entity = Node::Entity { kind: kind.to_owned(), id: id.to_owned() };
        match self.query.root() {
            Node::All => SearchQuery::new(entity).to_string(),
            root => SearchQuery::new(Node::And(vec![root.clone(), entity])).to_string(),
        }
    }

    /// The entities that every hit must mention, each with the query without it.
    fn active(&self) -> Vec<ActiveFacet> {
        let parts = match self.query.root() {
            Node::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let without = |gone: usize| -> String {
            let rest: Vec<Node> =
                parts.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, part)| part.clone()).collect();
            match rest.is_empty() {
                true => "/".to_owned(),
                false => self.href(&SearchQuery::new(Node::And(rest)).to_string(), 1),
            }
        };
        let active = |(n, part): (usize, &Node)| match part {
            Node::Entity { kind, .. } => {
                Some(ActiveFacet { text: part.to_string(), tone: tone(kind), href: without(n) })
            }
            _ => None,
        };
        parts.iter().enumerate().filter_map(active).collect()
    }

    fn href(&self, text: &str, page: usize) -> String {
        let mut href = search_href(text);
        if self.sort != SortParam::or_default(None, text) {
            href.push_str(if self.sort == Sort::Newest { "&sort=newest" } else { "&sort=best" });
        }
        if page > 1 {
            href.push_str(&format!("&page={page}"));
        }
        href
    }
}

fn article_href(id: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/articles/{encoded}")
}

/// `1234567` as `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[track_caller]
    fn check_narrowed(text: &str, expected: &str) {
        let query = search::parse(text).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let view = View { text, query: &query, sort: Sort::Best, page: 1, now };
        assert_eq!(view.narrowed("chip", "nvidia-h20"), expected);
    }

    #[test]
    fn a_facet_narrows_the_whole_query() {
        check_narrowed("", "chip:nvidia-h20");
        check_narrowed("china", "china chip:nvidia-h20");
        check_narrowed("china OR taiwan", "(china OR taiwan) chip:nvidia-h20");
        check_narrowed("-china \"a b\"", "-china \"a b\" chip:nvidia-h20");
    }

    #[test]
    fn an_entity_of_the_query_can_be_taken_away() {
        let query = search::parse("china company:nvidia chip:nvidia-h20").unwrap();
        let view = View { text: "", query: &query, sort: Sort::Best, page: 1, now: Timestamp::UNIX_EPOCH };
        let hrefs: Vec<_> = view.active().into_iter().map(|facet| (facet.text, facet.href)).collect();
        assert_eq!(
            hrefs,
            [
                ("company:nvidia".to_owned(), "/?q=china+chip%3Anvidia-h20".to_owned()),
                ("chip:nvidia-h20".to_owned(), "/?q=china+company%3Anvidia".to_owned()),
            ]
        );
    }
}
