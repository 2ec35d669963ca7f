//! The two libraries, and the page as both are given it.

use dom_query::{Document, NodeRef};

/// Deeper elements are flattened to their text: the libraries go down by recursion.
const MAX_DEPTH: usize = 200;

/// Parses a page.
pub(super) fn document(html: &str) -> Document {
    let document = Document::from(html);
    flatten(&document);
    document
}

/// Replaces what is nested too deep by its text.
fn flatten(document: &Document) {
    let mut level: Vec<NodeRef<'_>> = vec![document.root()];
    for _ in 0..MAX_DEPTH {
        level = level.iter().flat_map(|node| node.children_it(false)).filter(NodeRef::is_element).collect();
        if level.is_empty() {
            return;
        }
    }
    for node in level {
        let text = node.text();
        node.set_text(text.as_ref());
    }
}

/// What is never part of an article, whatever its size.
const NEVER: &str = "nav, dialog, figcaption, [role='navigation'], [role='search'], [role='dialog'], [role='alertdialog'], \
    [id='disqus_thread'], [id='comments'], [id='respond'], [class*='comment-list'], [class*='comments-area'], \
    [class*='comments-section'], [class*='commentlist'], [id*='onetrust'], [class*='taboola'], [id*='taboola'], \
    [class*='outbrain'], [class*='OUTBRAIN']";

/// What is hardly ever part of one, but may be where it is large.
const RARELY: &str = "[role='banner'], [hidden], [aria-hidden='true'], \
    [id*='cookie'], [class*='cookie-'], [class*='cookie_'], [class*='cookie-consent'], [id*='gdpr'], [class*='gdpr'], \
    [id*='consent-'], [class*='consent-banner'], \
    [class*='newsletter'], [class*='signup-form'], [class*='sign-up'], \
    [class*='related-articles'], [class*='related-posts'], [class*='related-stories'], [class*='related-links'], \
    [class*='related_'], [class*='relatedposts'], [id*='related-'], [class*='recommended-'], [class*='read-more-'], \
    [class*='more-stories'], [class*='most-read'], [class*='most-popular'], [class*='trending-'], \
    [class*='share-buttons'], [class*='social-share'], [class*='sharedaddy'], [class*='addtoany'], [class*='breadcrumb'], \
    [class*='skip-link'], [class*='screen-reader-text'], [class*='visually-hidden'], [class*='sr-only'], \
    [class*='advertisement'], [class*='ad-slot'], [class*='ad-container'], [class*='promo-box'], \
    [class*='caption'], [class*='photo-credit'], [class*='image-credit']";

/// The page without what is never part of an article, as HTML.
pub(super) fn prepared(document: &Document) -> String {
    let whole = document.body().map_or(0, |body| body.normalized_char_count());
    for (what, most) in [(NEVER, 9), (RARELY, 4)] {
        for node in document.select(what).nodes() {
            // A class of the page's frame may sound like one of a box in it.
            let is_frame = ["html", "body", "article", "main"].iter().any(|name| node.has_name(name))
                || !node.find(&["h1"]).is_empty()
                || !node.find(&["article"]).is_empty() && what == RARELY;
            if !is_frame && node.normalized_char_count() * 10 < whole * most {
                node.remove_from_parent();
            }
        }
    }
    for node in document.select("td, ul, ol").nodes() {
        if is_menu(node) {
            node.remove_from_parent();
        }
    }
    document.html().to_string()
}

/// Whether a list or cell has nothing but short links, and several of them.
fn is_menu(node: &NodeRef<'_>) -> bool {
    let links = node.find(&["a"]);
    if links.len() < 4 || links.len() > 200 {
        return false;
    }
    let linked: usize = links.iter().map(NodeRef::normalized_char_count).sum();
    linked * 10 >= node.normalized_char_count() * 9 && linked < links.len() * 40
}

/// The main text as dom_smoothie sees it.
pub(super) fn dom_smoothie(html: &str) -> Option<String> {
    let config = dom_smoothie::Config {
        text_mode: dom_smoothie::TextMode::Formatted,
        disable_json_ld: true,
        max_elements_to_parse: 0,
        ..dom_smoothie::Config::default()
    };
    let mut readability = dom_smoothie::Readability::new(html, None, Some(config)).ok()?;
    let article = readability.parse().ok()?;
    Some(article.text_content.to_string()).filter(|text| !text.trim().is_empty())
}

/// The main text as trafilatura sees it.
pub(super) fn trafilatura(html: &str) -> Option<String> {
    let options = trafilatura::Options::default()
        .with_fallback(true)
        .with_exclude_comments(true)
        .with_html_date_mode(trafilatura::HtmlDateMode::Disabled);
    let result = trafilatura::extract(html, &options).ok()?;
    // Its own plain text has no paragraphs.
    let text = Document::from(result.content_html).formatted_text().to_string();
    Some(text).filter(|text| !text.trim().is_empty())
}
