use axum::http::header;

use super::{HOSTILE, Server};

/// What a page must never hold, whatever it was given.
#[track_caller]
fn check_harmless(page: &str) {
    // The one script of the page, by its address.
    let scripts = page.matches("<script").count();
    assert_eq!(scripts, page.matches("<script src=\"/static/chipwire.js\" defer>").count(), "{page}");
    for evil in ["<img src=x", "onerror=alert(2)>", "href=\"javascript:", "style=\"", "<script>alert"] {
        assert!(!page.contains(evil), "{evil} in {page}");
    }
}

#[tokio::test]
async fn results_are_shown() {
    let page = Server::new().browse("/?q=company%3Anvidia").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    for part in [
        "<title>company:nvidia · chipwire</title>",
        "value=\"company:nvidia\"",
        "<strong>2</strong> articles",
        "<a href=\"https://example.org/a1\" rel=\"noopener noreferrer\">Nvidia resumes H20 sales</a>",
        "<time datetime=\"2026-11-20T12:30:00Z\" title=\"2026-11-20 12:30 UTC\">2 h ago</time>",
        "href=\"/?q=chip%3Ah20\" title=\"chip:h20\">H20</a>",
        "<a href=\"/?q=company%3Anvidia+company%3Atsmc\"><span class=\"name\">TSMC</span>",
        "href=\"/\" title=\"Search without it\"",
        "Alert 2",
        "2 feeds, <a class=\"failing\" href=\"/v1/feeds\">1 failing</a> · 1 rule<",
    ] {
        assert!(page.body.contains(part), "{part} not in {}", page.body);
    }
    check_harmless(&page.body);
}

#[tokio::test]
async fn matching_words_are_marked() {
    let page = Server::new().browse("/?q=memory").await.body;
    assert!(page.contains("<mark>memory</mark>"), "{page}");
}

#[tokio::test]
async fn without_a_query_the_latest_articles_are_shown() {
    let page = Server::new().browse("/").await.body;
    let (first, second) = (page.find("Nvidia resumes").unwrap(), page.find("New export controls").unwrap());
    assert!(first < second);
    assert!(page.contains("<option value=\"newest\" selected>"));
}

#[tokio::test]
async fn nothing_found_gives_examples() {
    let page = Server::new().browse("/?q=unobtainium").await.body;
    assert!(page.contains("No article matches") && page.contains("chip:* published:&#62;now-24h"), "{page}");
}

#[tokio::test]
async fn a_wrong_query_is_shown_with_its_place() {
    let page = Server::new().browse("/?q=nvidia+(china").await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("nvidia <span class=\"at\">(china</span>"), "{}", page.body);
    assert!(page.body.contains("<a href=\"/?q=nvidia+%28china%29\"><code>nvidia (china)</code></a>"), "{}", page.body);
}

#[tokio::test]
async fn an_article_is_shown_with_its_mentions() {
    let page = Server::new().browse("/articles/a1").await;
    assert_eq!(page.status, 200);
    assert!(page.headers.contains_key(header::ETAG));
    for part in [
        "<a class=\"original\" href=\"https://example.org/a1\" rel=\"noopener noreferrer\">",
        "title=\"company:nvidia\">Nvidia</a> will sell the ",
        "title=\"company:tsmc\">TSMC</a> makes the chip.</p>",
        "Friday 20 November 2026, 12:30 UTC",
    ] {
        assert!(page.body.contains(part), "{part} not in {}", page.body);
    }
    check_harmless(&page.body);
}

#[tokio::test]
async fn hostile_articles_and_queries_stay_text() {
    let server = Server::new();
    let query: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let mut alert = crate::testing::alert(9);
    (alert.title, alert.rule_name) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    server.app.board.apply(&chipwire_events::Event::AlertRaised(alert));
    for uri in [
        "/?q=hostile".to_owned(),
        "/articles/x1".to_owned(),
        format!("/?q={query}"),
        format!("/?q=%22{query}"),
        format!("/{query}"),
    ] {
        let page = server.browse(&uri).await.body;
        check_harmless(&page);
    }
    // A title whose address cannot be linked leads to its text.
    let page = server.browse("/?q=hostile").await.body;
    assert!(page.contains("<h2><a href=\"/articles/x1\">&#60;script&#62;"), "{page}");
}

#[tokio::test]
async fn pages_turn() {
    let server = Server::new();
    let beyond = server.browse("/?q=nvidia&page=2").await;
    assert!(beyond.body.contains("rel=\"prev\"") && !beyond.body.contains("rel=\"next\""));
    for odd in ["/?page=0", "/?page=-1", "/?page=99999999999", "/?page=x&sort=odd&unknown=1"] {
        assert_eq!(server.browse(odd).await.status, 200, "{odd}");
    }
}

#[tokio::test]
async fn files_are_served_with_a_tag() {
    let server = Server::new();
    for (file, content_type) in [
        ("style.css", "text/css; charset=utf-8"),
        ("chipwire.js", "text/javascript; charset=utf-8"),
        ("mark.svg", "image/svg+xml"),
    ] {
        let answer = server.get(&format!("/static/{file}")).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], content_type);
        assert!(answer.headers.contains_key(header::ETAG));
    }
    server.get("/static/..%2f..%2fCargo.toml").await.problem(404);
}
