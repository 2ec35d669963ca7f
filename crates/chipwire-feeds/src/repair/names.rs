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
            "xhtml" => Ns::Xhtml,
            _ => Ns::Other,
        }
    }
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
