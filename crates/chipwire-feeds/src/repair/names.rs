//! The namespaces and element names of feeds, and what each element is for.

/// A namespace that feeds use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ns {
    Rss,
    Atom,
    Content,
    Dc,
    DcTerms,
    Syndication,
    Rdf,
    Media,
    Itunes,
    Xhtml,
    Other,
}

impl Ns {
    /// The namespace that a URI means, with the spellings that are in use.
    pub(crate) fn of_uri(uri: &str) -> Self {
        let lower = uri.trim().to_ascii_lowercase();
        let bare = lower.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches(['/', '#']);
        match bare {
            "purl.org/rss/1.0"
            | "purl.org/net/rss1.1"
            | "my.netscape.com/rdf/simple/0.9"
            | "channel.netscape.com/rdf/simple/0.9"
            | "blogs.law.harvard.edu/tech/rss" => Ns::Rss,
            "www.w3.org/2005/atom" | "purl.org/atom/ns" | "purl.org/atom" => Ns::Atom,
            "purl.org/rss/1.0/modules/content" => Ns::Content,
            "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" | "purl.org/metadata/dublin_core" => Ns::Dc,
            "purl.org/dc/terms" => Ns::DcTerms,
            "purl.org/rss/1.0/modules/syndication" => Ns::Syndication,
            "www.w3.org/1999/02/22-rdf-syntax-ns" => Ns::Rdf,
            "search.yahoo.com/mrss" => Ns::Media,
            "www.itunes.com/dtds/podcast-1.0.dtd" => Ns::Itunes,
            "www.w3.org/1999/xhtml" => Ns::Xhtml,
            _ if bare.starts_with("backend.userland.com/rss")
                || bare.starts_with("my.netscape.com/publish/formats/rss") =>
            {
                Ns::Rss
            }
            _ => Ns::Other,
        }
    }

    /// The namespace that a prefix means where nothing declares it.
    pub(crate) fn of_prefix(prefix: &str) -> Self {
        match prefix.to_ascii_lowercase().as_str() {
            "rss" => Ns::Rss,
            "atom" | "atom10" | "atom03" | "a10" => Ns::Atom,
            "content" => Ns::Content,
            "dc" => Ns::Dc,
            "dcterms" => Ns::DcTerms,
            "sy" => Ns::Syndication,
            "rdf" => Ns::Rdf,
            "media" => Ns::Media,
            "itunes" => Ns::Itunes,
            "xhtml" => Ns::Xhtml,
            _ => Ns::Other,
        }
    }
}

/// The name of a relation between pages, which may be written as the address of its definition (RFC 4287 section 4.2.7.2).
pub(crate) fn relation(rel: &str) -> &str {
    rel.strip_prefix("http://www.iana.org/assignments/relation/").unwrap_or(rel)
}

/// What a date is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Published,
    Updated,
}

/// What is done with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An item or entry.
    Item,
    /// The tags go, the children stay.
    Transparent,
    /// Written under this name; its children are elements.
    Structure(&'static str),
    /// Written under this name; everything in it is text.
    Text(&'static str),
    /// As `Text`, unless the item has an element of this name already.
    Fallback(&'static str),
    /// A text of Atom, which has a type (RFC 4287 section 3.1).
    Construct(&'static str),
    /// A date, and how well the element is meant for it: the higher the better.
    Date(When, u8),
    /// Written with its attributes only.
    Empty(&'static str),
    /// Left out with all that is in it.
    Ignored,
}

/// The role of an element in RSS. `local` is in lower case.
pub(crate) fn rss_role(ns: Ns, local: &str, in_item: bool) -> Role {
    match (ns, local, in_item) {
        (Ns::Rss, "channel" | "rss" | "rdf", _) | (Ns::Rdf, "rdf", _) => Role::Transparent,
        (Ns::Rss, "item", _) => Role::Item,
        (Ns::Rss, "title", _) => Role::Text("title"),
        (Ns::Rss, "link", _) => Role::Text("link"),
        (Ns::Rss, "description", _) => Role::Text("description"),
        (Ns::Rss, "language", false) => Role::Text("language"),
        (Ns::Dc, "language", false) => Role::Fallback("language"),
        (Ns::Dc, "title", false) => Role::Fallback("title"),
        (Ns::Rss, "author", true) => Role::Text("author"),
        (Ns::Rss, "managingeditor" | "author", false) => Role::Text("managingEditor"),
        (Ns::Dc, "creator" | "author", false) => Role::Fallback("managingEditor"),
        (Ns::Rss, "category", true) | (Ns::Dc, "subject", true) => Role::Text("category"),
        (Ns::Rss, "guid", true) => Role::Text("guid"),
        (Ns::Rss, "pubdate", _) => Role::Date(When::Published, 4),
        (Ns::Atom, "published" | "issued", _) => Role::Date(When::Published, 3),
        (Ns::DcTerms, "issued" | "created" | "available", _) => Role::Date(When::Published, 2),
        (Ns::Rss | Ns::Dc, "date", _) => Role::Date(When::Published, 1),
        (Ns::Rss, "lastbuilddate" | "updated", _) => Role::Date(When::Updated, 3),
        (Ns::Atom, "updated" | "modified", _) => Role::Date(When::Updated, 2),
        (Ns::DcTerms, "modified", _) => Role::Date(When::Updated, 1),
        (Ns::Content, "encoded", true) => Role::Text("content:encoded"),
        (Ns::Rss, "body" | "content" | "fulltext" | "fullitem", true)
        | (Ns::Atom, "content", true)
        | (Ns::Xhtml, "body", true) => Role::Fallback("content:encoded"),
        (Ns::Dc, "creator" | "author", true) => Role::Text("dc:creator"),
        // `abstract` is CDF's.
        (Ns::Dc, "description", true) | (Ns::Rss | Ns::Atom, "summary", true) | (Ns::Rss, "abstract", true) => {
            Role::Fallback("description")
        }
        (Ns::Dc | Ns::Atom | Ns::Media, "title", true) => Role::Fallback("title"),
        (Ns::Atom, "id", true) => Role::Fallback("guid"),
        (Ns::Atom, "link", true) => Role::Fallback("link"),
        _ => Role::Ignored,
    }
}

/// The role of an element in Atom, version 0.3 included. `local` is in lower case.
pub(crate) fn atom_role(ns: Ns, local: &str) -> Role {
    match (ns, local) {
        (Ns::Atom, "feed") => Role::Transparent,
        (Ns::Atom, "entry") => Role::Item,
        (Ns::Atom, "title") => Role::Construct("title"),
        (Ns::Atom, "subtitle" | "tagline") => Role::Construct("subtitle"),
        (Ns::Atom, "summary") => Role::Construct("summary"),
        (Ns::Atom, "content") => Role::Construct("content"),
        (Ns::Atom, "id") => Role::Text("id"),
        (Ns::Atom, "name") => Role::Text("name"),
        (Ns::Atom, "uri" | "url") => Role::Text("uri"),
        (Ns::Atom, "email") => Role::Text("email"),
        (Ns::Atom, "updated") => Role::Date(When::Updated, 3),
        (Ns::Atom, "modified") => Role::Date(When::Updated, 2),
        (Ns::DcTerms, "modified") => Role::Date(When::Updated, 1),
        (Ns::Atom, "published") => Role::Date(When::Published, 5),
        (Ns::Atom, "issued") => Role::Date(When::Published, 4),
        (Ns::Atom, "created" | "pubdate") => Role::Date(When::Published, 3),
        (Ns::DcTerms, "created" | "issued") => Role::Date(When::Published, 2),
        (Ns::Dc, "date") => Role::Date(When::Published, 1),
        (Ns::Atom, "author") => Role::Structure("author"),
        (Ns::Atom, "link") => Role::Empty("link"),
        (Ns::Atom, "category") => Role::Empty("category"),
        _ => Role::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_known_in_their_spellings() {
        for (uri, ns) in [
            ("http://www.w3.org/2005/Atom", Ns::Atom),
            ("https://www.w3.org/2005/atom/", Ns::Atom),
            ("http://purl.org/atom/ns#", Ns::Atom),
            ("http://purl.org/rss/1.0/", Ns::Rss),
            ("http://backend.userland.com/rss2", Ns::Rss),
            ("http://my.netscape.com/publish/formats/rss-0.91.dtd", Ns::Rss),
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", Ns::Rdf),
            ("http://search.yahoo.com/mrss/", Ns::Media),
            ("http://www.itunes.com/DTDs/Podcast-1.0.dtd", Ns::Itunes),
            (" http://purl.org/dc/terms/ ", Ns::DcTerms),
            ("urn:x", Ns::Other),
            ("", Ns::Other),
        ] {
            assert_eq!(Ns::of_uri(uri), ns, "{uri}");
        }
        for (prefix, ns) in [("DC", Ns::Dc), ("a10", Ns::Atom), ("content", Ns::Content), ("x", Ns::Other)] {
            assert_eq!(Ns::of_prefix(prefix), ns, "{prefix}");
        }
    }

    #[test]
    fn elements_have_roles() {
        for (ns, local, in_item, role) in [
            (Ns::Rss, "item", true, Role::Item),
            (Ns::Rdf, "rdf", false, Role::Transparent),
            (Ns::Rss, "title", false, Role::Text("title")),
            (Ns::Media, "title", true, Role::Fallback("title")),
            (Ns::Media, "title", false, Role::Ignored),
            (Ns::Rss, "guid", false, Role::Ignored),
            (Ns::Xhtml, "body", true, Role::Fallback("content:encoded")),
            (Ns::Rss, "pubdate", true, Role::Date(When::Published, 4)),
            (Ns::Dc, "date", true, Role::Date(When::Published, 1)),
            (Ns::Other, "title", true, Role::Ignored),
        ] {
            assert_eq!(rss_role(ns, local, in_item), role, "{ns:?} {local}");
        }
        for (ns, local, role) in [
            (Ns::Atom, "entry", Role::Item),
            (Ns::Atom, "tagline", Role::Construct("subtitle")),
            (Ns::Atom, "link", Role::Empty("link")),
            (Ns::Atom, "issued", Role::Date(When::Published, 4)),
            (Ns::Atom, "source", Role::Ignored),
            (Ns::Rss, "title", Role::Ignored),
        ] {
            assert_eq!(atom_role(ns, local), role, "{ns:?} {local}");
        }
    }

    #[test]
    fn relations_may_be_addresses() {
        for (rel, name) in [
            ("alternate", "alternate"),
            ("http://www.iana.org/assignments/relation/alternate", "alternate"),
            ("http://example.org/alternate", "http://example.org/alternate"),
        ] {
            assert_eq!(relation(rel), name);
        }
    }
}
