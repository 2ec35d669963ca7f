//! Many rules against one article.

use chipwire_events::{Rule, RuleId, TaggedArticle, Timestamp};
use chipwire_query::{Fields, ParseError, Query, matches, parse};

use crate::anchor::Anchors;

/// Finds the rules that an article matches. It evaluates only those that are anchored on something that the article has:
/// an entity, a word, its source. What a rule matches is what a search for its query would find.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    rules: Vec<(Rule, Query)>,
    anchors: Anchors,
}

impl Matcher {
    /// A matcher of `rules`, and those whose query cannot be read, with what is wrong with it.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> (Self, Vec<(RuleId, ParseError)>) {
        let mut matcher = Self::default();
        let mut refused = Vec::new();
        for rule in rules {
            match parse(&rule.query) {
                Ok(query) => {
                    matcher.anchors.insert(&query, matcher.rules.len());
                    matcher.rules.push((rule, query));
                }
                Err(error) => refused.push((rule.id, error)),
            }
        }
        (matcher, refused)
    }

    /// The rules that a document with these fields matches at the time `now`, in the order in which they were given.
    pub fn matches(&self, fields: &Fields, now: Timestamp) -> Vec<&Rule> {
        self.anchors
            .candidates(fields)
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .filter(|(_, query)| matches(query, fields, now))
            .map(|(rule, _)| rule)
            .collect()
    }

    /// The rules, in the order in which they were given.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|(rule, _)| rule)
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// The fields of `tagged` as queries see them. `title` and `body` are its plain texts, the same that go into the index.
pub fn fields(tagged: &TaggedArticle, title: &str, body: &str) -> Fields {
    let article = &tagged.article;
    let fields = Fields::new(article.time())
        .with_text(title, body)
        .with_origin(&article.source, article.feed.as_str())
        .with_language(article.language.as_deref());
    tagged.entities.iter().fold(fields, |fields, entity| fields.with_entity(&entity.kind, &entity.entity))
}

#[cfg(test)]
mod tests {
    use chipwire_query::{Node, TextField};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{now, rule, tagged};

    fn matching(queries: &[&str], title: &str, body: &str, entities: &[(&str, &str)]) -> Vec<String> {
        let rules = queries.iter().map(|query| rule(query, query));
        let (matcher, refused) = Matcher::new(rules);
        assert_eq!(refused, []);
        let tagged = tagged(title, body, entities);
        matcher.matches(&fields(&tagged, title, body), now()).into_iter().map(|rule| rule.name.clone()).collect()
    }

    #[test]
    fn rules_match_what_searches_find() {
        let queries = [
            "nvidia",
            "title:h20",
            "company:nvidia -china",
            "company:nvidia china",
            "chip:*",
            r#""export controls""#,
            "source:example",
            "source:other",
            "published:>now-1d",
            "published:<now-1d",
            "*",
        ];
        assert_eq!(
            matching(&queries, "Nvidia's H20", "No export controls in China.", &[("company", "nvidia")]),
            [
                "nvidia",
                "title:h20",
                "company:nvidia china",
                r#""export controls""#,
                "source:example",
                "published:>now-1d",
                "*"
            ]
        );
    }

    #[test]
    fn a_rule_that_cannot_be_read_does_not_stop_the_others() {
        let (matcher, refused) = Matcher::new([rule("bad", "(nvidia"), rule("good", "nvidia")]);
        assert_eq!(matcher.len(), 1);
        assert_eq!(refused[0].0.as_str(), "bad");
        let tagged = tagged("Nvidia", "", &[]);
        assert_eq!(matcher.matches(&fields(&tagged, "Nvidia", ""), now())[0].id.as_str(), "good");
    }

    const WORDS: [&str; 7] = ["nvidia", "chip", "chips", "H20", "export", "华为", "芯片"];
    const IDS: [&str; 3] = ["nvidia", "amd", "bis"];
    const KINDS: [&str; 2] = ["company", "policy"];

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&WORDS[..]), 0..8).prop_map(|words| words.join(" "))
    }

    fn some_words() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&WORDS[..]), 1..3).prop_map(|words| words.join(" "))
    }

    fn node() -> impl Strategy<Value = Node> {
        let field = || prop::sample::select(vec![None, Some(TextField::Title), Some(TextField::Body)]);
        let leaf = prop_oneof![
            Just(Node::All),
            (field(), some_words()).prop_map(|(field, text)| Node::Term { field, text }),
            (field(), some_words()).prop_map(|(field, text)| Node::Prefix { field, text }),
            (field(), some_words(), 0..3u32).prop_map(|(field, text, slop)| Node::Phrase { field, text, slop }),
            (prop::sample::select(&KINDS[..]), prop::sample::select(&IDS[..]))
                .prop_map(|(kind, id)| Node::Entity { kind: kind.to_owned(), id: id.to_owned() }),
            prop::sample::select(&KINDS[..]).prop_map(|kind| Node::AnyEntity { kind: kind.to_owned() }),
            prop::sample::select(vec!["Chip Daily", "Wire"]).prop_map(|text| Node::Source { text: text.to_owned() }),
            prop::sample::select(vec!["f1", "f2"]).prop_map(|id| Node::Feed { id: id.to_owned() }),
            prop::sample::select(vec!["zh", "zh-hant", "en"]).prop_map(|range| Node::Lang { range: range.to_owned() }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Node::And),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Node::Or),
                inner.prop_map(|node| Node::Not(Box::new(node))),
            ]
        })
    }

    prop_compose! {
        fn document()(
            title in text(),
            body in text(),
            source in prop::sample::select(vec!["Chip Daily", "Daily Wire", ""]),
            feed in prop::sample::select(vec!["f1", "f2", ""]),
            language in prop::sample::select(vec![None, Some("zh-Hant-TW"), Some("en")]),
            entities in prop::collection::vec((prop::sample::select(&KINDS[..]), prop::sample::select(&IDS[..])), 0..3),
        ) -> Fields {
            let fields = Fields::new(now()).with_text(&title, &body).with_origin(source, feed).with_language(language);
            entities.into_iter().fold(fields, |fields, (kind, id)| fields.with_entity(kind, id))
        }
    }

    proptest! {
        #[test]
        fn anchors_never_change_the_outcome(nodes in prop::collection::vec(node(), 1..12), document in document()) {
            let queries: Vec<Query> = nodes.into_iter().map(Query::new).collect();
            let (matcher, refused) = Matcher::new(
                queries.iter().enumerate().map(|(n, query)| rule(&n.to_string(), &query.to_string())),
            );
            prop_assert_eq!(refused, []);
            let found: Vec<&str> = matcher.matches(&document, now()).into_iter().map(|rule| rule.id.as_str()).collect();
            let expected: Vec<String> = queries
                .iter()
                .enumerate()
                .filter(|(_, query)| matches(query, &document, now()))
                .map(|(n, _)| n.to_string())
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
