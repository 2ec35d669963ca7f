//! Lists of feeds in OPML 1.0, 1.1 and 2.0 (opml.org/spec2.opml).

use ::opml::{Head, OPML, Outline};
use chipwire_events::{Feed, FeedOrigin};

use crate::{
    error::OpmlError,
    repair::scan::{Scanner, Token},
    text,
};

/// Folders within folders that are followed.
const MAX_DEPTH: usize = 32;

/// Reads a list. Outlines with an `xmlUrl` are feeds, the others folders; an address that is named twice counts once, where
/// it is named first.
pub fn read(text: &str, origin: FeedOrigin) -> Result<Vec<Feed>, OpmlError> {
    // The parser of the crate recurses with the outlines.
    let mut depth = 0_usize;
    for token in Scanner::new(text) {
        match token {
            Token::Start(tag) if !tag.empty => depth += 1,
            Token::End { .. } => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH + 3 {
            return Err(OpmlError::TooDeep(MAX_DEPTH));
        }
    }
    let document = OPML::from_str(text.trim_start_matches('\u{feff}').trim())?;
    let mut feeds: Vec<Feed> = Vec::new();
    collect(&document.body.outlines, &mut Vec::new(), origin, &mut feeds)?;
    let mut seen = std::collections::HashSet::new();
    feeds.retain(|feed| seen.insert(feed.id.clone()));
    if feeds.is_empty() { Err(OpmlError::NoFeeds) } else { Ok(feeds) }
}

fn collect(
    outlines: &[Outline],
    folder: &mut Vec<String>,
    origin: FeedOrigin,
    feeds: &mut Vec<Feed>,
) -> Result<(), OpmlError> {
    for outline in outlines {
        let name = match text::collapse(&outline.text) {
            name if name.is_empty() => text::collapse(outline.title.as_deref().unwrap_or_default()),
            name => name,
        };
        let address = outline.xml_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        if let Some(address) = address {
            let url = normal_address(address).map_err(|reason| OpmlError::Url {
                url: address.to_owned(),
                text: name.clone(),
                reason,
            })?;
            let mut feed = Feed::new(url, origin);
            feed.title = Some(name.clone()).filter(|name| !name.is_empty() && name != address);
            feed.folder.clone_from(folder);
            feeds.push(feed);
        }
        if !outline.outlines.is_empty() {
            folder.push(name);
            collect(&outline.outlines, folder, origin, feeds)?;
            folder.pop();
        }
    }
    Ok(())
}

/// An address as chipwire writes it: `feed:` is an old way to say http, and a missing scheme is https.
fn normal_address(address: &str) -> Result<String, String> {
    let address = match address.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => match rest.starts_with("//") {
            true => format!("http:{rest}"),
            false => rest.to_owned(),
        },
        _ if !address.contains("://") => format!("https://{address}"),
        _ => address.to_owned(),
    };
    match url::Url::parse(&address) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Err("only http and https are fetched".to_owned()),
        Ok(url) => Ok(url.into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Writes a list, with the feeds in their folders, as OPML 2.0.
pub fn write(feeds: &[Feed]) -> String {
    let mut document = OPML {
        head: Some(Head { title: Some("Feeds followed by chipwire".to_owned()), ..Head::default() }),
        ..OPML::default()
    };
    for feed in feeds {
        let title = feed.title.clone().unwrap_or_else(|| feed.url.clone());
        let outline = Outline {
            text: title.clone(),
            title: Some(title),
            r#type: Some("rss".to_owned()),
            xml_url: Some(feed.url.clone()),
            ..Outline::default()
        };
        insert(&mut document.body.outlines, &feed.folder, outline);
    }
    let body = document.to_string().unwrap_or_default();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", body.replace("><", ">\n<"))
}

/// Puts an outline into the folder at `path`, which is made where it is not there.
fn insert(level: &mut Vec<Outline>, path: &[String], outline: Outline) {
    let Some((name, rest)) = path.split_first() else {
        level.push(outline);
        return;
    };
    let is_folder = |outline: &&mut Outline| outline.xml_url.is_none() && outline.text == *name;
    if let Some(folder) = level.iter_mut().find(is_folder) {
        return insert(&mut folder.outlines, rest, outline);
    }
    let mut folder = Outline { text: name.clone(), title: Some(name.clone()), ..Outline::default() };
    insert(&mut folder.outlines, rest, outline);
    level.push(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"<?xml version="1.0"?>
<opml version="1.1"><head><title>x</title></head><body>
  <outline text="Chips &amp; fabs">
    <outline text="Asia" title="Asia"><outline type="rss" text="One" xmlUrl="https://one.example/feed?a=1&amp;b=2"/></outline>
    <outline title="Two" xmlUrl=" http://two.example/rss " htmlUrl="http://two.example/"/>
  </outline>
  <outline text="feed://three.example/x" xmlUrl="feed://three.example/x"/>
  <outline text="again" xmlUrl="https://one.example/feed?a=1&amp;b=2"/>
  <outline text="a note"/>
</body></opml>"#;

    #[test]
    fn lists_are_read_with_folders_and_written_again() {
        let feeds = read(LIST, FeedOrigin::User).unwrap();
        let lines: Vec<String> = feeds
            .iter()
            .map(|feed| format!("{} {} {}", feed.folder.join("/"), feed.title.as_deref().unwrap_or("-"), feed.url))
            .collect();
        expect_test::expect![[r#"
            Chips & fabs/Asia One https://one.example/feed?a=1&b=2
            Chips & fabs Two http://two.example/rss
             - http://three.example/x"#]]
        .assert_eq(&lines.join("\n"));
        let mut again = read(&write(&feeds), FeedOrigin::User).unwrap();
        // A feed without a name is listed under its address.
        for feed in &mut again {
            feed.title = feed.title.take().filter(|title| *title != feed.url);
        }
        assert_eq!(again, feeds);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("", "this is no OPML list of feeds"),
            ("<rss/>", "this is no OPML list of feeds"),
            ("<opml version='2.0'><body><outline text='x'/></body></opml>", "the list has no outline with an `xmlUrl`"),
            (
                "<opml version='2.0'><body><outline text='x' xmlUrl='ftp://a/b'/></body></opml>",
                "`ftp://a/b` in the outline \"x\" is no web address: only http and https are fetched",
            ),
            (
                "<opml version='2.0'><body><outline text='x' xmlUrl='http://'/></body></opml>",
                "`http://` in the outline \"x\" is no web address: empty host",
            ),
            (&"<outline text='x'>".repeat(100_000), "the folders are nested more than 32 deep"),
        ] {
            assert_eq!(read(text, FeedOrigin::User).unwrap_err().to_string(), expected, "{text}");
        }
    }
}
