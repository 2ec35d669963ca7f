//! Events of every version ever written can still be read, and what is written today is what was written before.
//!
//! `tests/fixtures/events/TYPE.json` holds one record of each type, `TYPE-with-PART.json` one with what came later. A file is never changed: a payload grows compatibly, or a
//! new type with a new version gets a file of its own. `UPDATE_EXPECT=1` writes the files that are missing, and the generated
//! documents in `docs/events`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::{
    collections::BTreeMap,
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use chipwire_events::{
    Alert, AlertId, Amount, AmountKind, Article, ArticleId, Covers, DeadLetter, Delivery, DeliveryStatus,
    DetectedLanguage, Entity, ErrorClass, Event, EventId, Feed, FeedError, FeedId, FeedItems, FeedList, FeedMove,
    FeedOrigin, FeedPush, FeedState, Field, Findings, Fingerprint, Happening, HeadElement, HubNews, IdentityPolicy,
    ItemPage, ItemState, ListFolder, Markup, Mention, Message, Pair, Rejected, Replayed, Role, Rule, RuleId, Salience,
    Slot, Status, TaggedArticle, Timestamp, schema,
};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn article() -> Article {
    let feed = FeedId::of("https://example.org/feed.xml");
    let (title, body) = ("Nvidia may sell the H20", "<p>Nvidia’s H20 &amp; more</p>");
    let published = Some(time("2026-11-20T08:00:00Z"));
    Article {
        id: ArticleId::of(&feed, "guid:1"),
        revision: 2,
        content_hash: Article::content_hash_of(title, body, Some("https://example.org/1"), published),
        feed,
        source: "Example Wire".to_owned(),
        url: Some("https://example.org/1".to_owned()),
        title: title.to_owned(),
        body: body.to_owned(),
        markup: Markup::Html,
        authors: vec!["A. Writer".to_owned()],
        categories: vec!["chips".to_owned()],
        language: Some("en".to_owned()),
        published,
        published_raw: None,
        updated: Some(time("2026-11-20T09:00:00Z")),
        first_seen: time("2026-11-20T09:00:01.234Z"),
    }
}

fn alert() -> Alert {
    let (rule, article) = (RuleId::from_string("h20"), article());
    Alert {
        id: AlertId::of(&rule, 3, &article.id),
        rule,
        rule_version: 3,
        rule_name: "H20".to_owned(),
        sinks: vec!["terminal".to_owned(), "desk".to_owned()],
        article: article.id,
        revision: 2,
        title: article.title,
        url: article.url,
        source: article.source,
        published: time("2026-11-20T08:00:00Z"),
        entities: vec!["chip:nvidia-h20".to_owned()],
        raised: article.first_seen,
    }
}

fn state(feed: &FeedId) -> FeedState {
    let mut state: FeedState = serde_json::from_value(json!({
        "feed": feed,
        "url": "https://example.org/feed.xml",
        "next_poll": "2026-11-20T09:15:00Z",
    }))
    .unwrap();
    state.title = Some("Example Wire".to_owned());
    state.etag = Some("W/\"1\"".to_owned());
    state.last_modified = Some("Fri, 20 Nov 2026 08:59:00 GMT".to_owned());
    state.last_polled = Some(time("2026-11-20T09:00:01Z"));
    state.last_ok = Some(time("2026-11-20T08:45:00Z"));
    state.http_status = Some(503);
    state.error = Some(FeedError {
        class: "http".to_owned(),
        message: "the server answered 503".to_owned(),
        since: time("2026-11-20T09:00:01Z"),
        count: 1,
        gone: 0,
    });
    state.warnings = vec!["bare & repaired".to_owned()];
    state.identity = IdentityPolicy::Link;
    state.articles = 7;
    state.interval_s = Some(900);
    state.moving =
        Some(FeedMove { to: "https://example.org/new.xml".to_owned(), polls: 1, since: time("2026-11-20T08:45:00Z") });
    state
}

fn items(feed: &FeedId) -> FeedItems {
    let item = ItemState {
        id: "0011223344556677".to_owned(),
        revision: 2,
        content_hash: "00112233445566778899aabbccddeeff".to_owned(),
        last_seen: time("2026-11-20T08:45:00Z"),
        link: Some("8899aabbccddeeff".to_owned()),
        alias: None,
        previous: None,
        raw: None,
        title: None,
        number: None,
        published: None,
        page: ItemPage::default(),
    };
    FeedItems { feed: feed.clone(), items: vec![item] }
}

/// One event of every type, with the interval it covers.
fn events() -> Vec<(Event, Option<Covers>)> {
    let feed = Feed {
        title: Some("Wire".to_owned()),
        folder: vec!["Press".to_owned()],
        interval_s: Some(900),
        paused: true,
        ..Feed::new("https://example.org/feed.xml", FeedOrigin::User)
    };
    let covers = Some(Covers { partition: 3, from: -1, to: 7 });
    let tagged = TaggedArticle {
        article: article(),
        mentions: vec![Mention {
            field: Field::Body,
            start: 14,
            end: 17,
            kind: "chip".to_owned(),
            entity: "nvidia-h20".to_owned(),
            name: "NVIDIA H20".to_owned(),
            surface: "H20".to_owned(),
            confidence: 0.93,
            reasons: vec!["alias:cue".to_owned(), "vendor:nvidia".to_owned()],
        }],
        entities: vec![Entity {
            kind: "chip".to_owned(),
            entity: "nvidia-h20".to_owned(),
            name: "NVIDIA H20".to_owned(),
            count: 1,
            salience: Salience::Primary,
            score: 0.8,
        }],
        findings: Findings::default(),
        gazetteer: "00112233445566778899aabbccddeeff".to_owned(),
    };
    let letter = DeadLetter {
        stage: "enrich".to_owned(),
        topic: "articles.raw".to_owned(),
        partition: 3,
        offset: 8,
        class: ErrorClass::Decode,
        message: "not JSON".to_owned(),
        key: "k".to_owned(),
        headers: vec![("ce_id".to_owned(), "x".to_owned())],
        value_base64: "AAEC".to_owned(),
        version: "0.1.0".to_owned(),
        attempts: 1,
        left_out: false,
    };
    let replayed = Replayed {
        dead_letter: letter.event_id(),
        topic: "articles.raw".to_owned(),
        partition: letter.partition,
        attempt: 2,
    };
    let rejected = Rejected { dead_letter: letter.event_id(), reason: "not JSON".to_owned() };
    vec![
        (Event::FeedPolled(state(&feed.id)), None),
        (Event::FeedRead(items(&feed.id)), None),
        (Event::FeedSubscribed(feed), None),
        (Event::ArticleFetched(article()), None),
        (Event::ArticleTagged(tagged), covers),
        (Event::ArticleRejected(rejected), Some(Covers { partition: 3, from: 7, to: 8 })),
        (
            Event::RuleSaved(Rule {
                id: RuleId::from_string("h20"),
                version: 3,
                name: "H20".to_owned(),
                query: "chip:nvidia-h20".to_owned(),
                sinks: vec!["terminal".to_owned()],
                saved: time("2026-11-20T07:00:00Z"),
            }),
            None,
        ),
        (Event::AlertRaised(alert()), None),
        (
            Event::DeliveryChanged(Delivery {
                alert: alert(),
                sink: "desk".to_owned(),
                status: DeliveryStatus::Pending,
                attempts: 1,
                next_attempt: Some(time("2026-11-20T09:00:06Z")),
                error: Some("answered 503".to_owned()),
            }),
            None,
        ),
        (Event::EventRejected(letter), None),
        (Event::EventReplayed(replayed), None),
        (
            Event::ListImported(FeedList {
                origin: FeedOrigin::User,
                head: vec![HeadElement {
                    name: "title".to_owned(),
                    text: "Chips".to_owned(),
                    attributes: BTreeMap::from([("lang".to_owned(), "en".to_owned())]),
                }],
                folders: vec![ListFolder {
                    path: vec!["Trade".to_owned(), "Asia".to_owned()],
                    outline: BTreeMap::from([("title".to_owned(), "Asia and Australia".to_owned())]),
                    position: 3,
                }],
            }),
            None,
        ),
        (
            Event::FeedPushed(FeedPush {
                feed: FeedId::of("https://example.org/feed.xml"),
                received: time("2026-11-20T09:10:00Z"),
                news: HubNews::Content {
                    content_type: Some("application/rss+xml".to_owned()),
                    body_base64: "PHJzcy8+".to_owned(),
                },
            }),
            None,
        ),
    ]
}

/// Events with parts that their first golden file does not have, each with the name of the part.
fn grown() -> Vec<(&'static str, Event, Option<Covers>)> {
    let mut grown = Vec::new();
    for (event, covers) in events() {
        let Event::ArticleTagged(tagged) = event else { continue };
        for (part, findings) in findings() {
            grown.push((part, Event::ArticleTagged(TaggedArticle { findings, ..tagged.clone() }), covers));
        }
    }
    grown
}

fn findings() -> Vec<(&'static str, Findings)> {
    let amount = Amount {
        field: Field::Body,
        start: 21,
        end: 32,
        surface: "$12 billion".to_owned(),
        kind: AmountKind::Money,
        unit: "USD".to_owned(),
        low: Some("12000000000".to_owned()),
        high: Some("12000000000".to_owned()),
        about: true,
        per: Some("year".to_owned()),
        of: Some("company:nvidia".to_owned()),
        assumed: true,
    };
    let slot = |role, start: usize, surface: &str, value: &str| Slot {
        role,
        field: None,
        start,
        end: start + surface.len(),
        surface: surface.to_owned(),
        value: value.to_owned(),
    };
    let happening = Happening {
        kind: "export_restriction".to_owned(),
        status: Status::Eased,
        field: Field::Title,
        start: 11,
        end: 15,
        surface: "sell".to_owned(),
        slots: vec![slot(Role::Whom, 0, "Nvidia", "company:nvidia"), slot(Role::What, 20, "H20", "chip:nvidia-h20")],
        confidence: 0.7,
        reason: "'sell' about nvidia, nvidia-h20, with 'may'".to_owned(),
    };
    let language = DetectedLanguage { tag: "zh-Hans".to_owned(), confidence: 0.97 };
    let fingerprint = Fingerprint { text: Some("00112233445566ff".to_owned()), url: Some("example.org/1".to_owned()) };
    let pair = Pair {
        a: "chip:nvidia-h20".to_owned(),
        b: "company:nvidia".to_owned(),
        count: 2,
        field: Field::Title,
        start: 0,
        end: 23,
    };
    vec![
        ("amounts", Findings { amounts: vec![amount], ..Findings::default() }),
        ("happenings", Findings { happenings: vec![happening], ..Findings::default() }),
        ("together", Findings { together: vec![pair], ..Findings::default() }),
        ("language", Findings { language: Some(language), ..Findings::default() }),
        ("fingerprint", Findings { fingerprint, ..Findings::default() }),
    ]
}

fn to_file(message: &Message) -> Value {
    json!({
        "topic": message.topic.name(),
        "partition": message.partition,
        "key": message.key,
        "headers": message.headers,
        "value": serde_json::from_slice::<Value>(message.value.as_deref().unwrap()).unwrap(),
    })
}

/// Indented JSON with sorted keys, whatever order serde_json keeps in this build.
fn pretty(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let keys: BTreeSet<&String> = map.keys().collect();
                Value::Object(keys.into_iter().map(|key| (key.clone(), sorted(&map[key]))).collect())
            }
            Value::Array(values) => values.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    serde_json::to_string_pretty(&sorted(value)).unwrap() + "\n"
}

fn check_file(path: &Path, actual: &str) {
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(
        actual == expected,
        "{} is not up to date: write it with UPDATE_EXPECT=1 and look at what changed",
        path.display()
    );
}

#[test]
fn events_are_written_as_before_and_read_again() {
    let folder = root().join("tests/fixtures/events");
    for (event, covers) in events() {
        let message = event.encode(time("2026-11-20T09:00:01.234Z"), covers).unwrap();
        let path = folder.join(format!("{}.json", event.event_type()));
        check_file(&path, &pretty(&to_file(&message)));
    }
    for (part, event, covers) in grown() {
        let message = event.encode(time("2026-11-20T09:00:01.234Z"), covers).unwrap();
        let path = folder.join(format!("{}-with-{part}.json", event.event_type()));
        check_file(&path, &pretty(&to_file(&message)));
    }
}

#[test]
fn every_event_ever_written_is_read() {
    let mut types = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/fixtures/events")).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let headers: Vec<(String, String)> = serde_json::from_value(file["headers"].clone()).unwrap();
        let value = serde_json::to_vec(&file["value"]).unwrap();
        let (envelope, mut event) =
            Event::decode(&headers, Some(&value)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if let Some(id) = event.id() {
            assert_eq!(id, envelope.id, "{}: an id never changes", path.display());
        }
        // Before they had an event of their own, the items that were seen stood in the state: read there, and not written.
        if let Event::FeedPolled(state) = &mut event {
            let items = std::mem::take(&mut state.items);
            assert_eq!(items.len(), usize::from(path.ends_with("chipwire.feed.polled.v1-with-items.json")));
        }
        let again = event.encode(envelope.time, envelope.covers).unwrap();
        let (_, read_again) = Event::decode(&again.headers, again.value.as_deref()).unwrap();
        assert_eq!(event, read_again);
        types.insert(envelope.event_type);
    }
    let known: BTreeSet<String> = schema::schemas().into_iter().map(|(name, _, _)| name.to_owned()).collect();
    assert!(types.is_superset(&known), "types without a golden file: {:?}", known.difference(&types));
}

#[test]
fn schemas_and_asyncapi_are_up_to_date() {
    let folder = root().join("docs/events");
    for (name, _, schema) in schema::schemas() {
        check_file(&folder.join(format!("{name}.schema.json")), &pretty(&schema));
    }
    check_file(&folder.join("asyncapi.json"), &pretty(&schema::asyncapi()));
}

#[test]
fn what_is_no_event_is_an_error_that_names_it() {
    let message = events().remove(3).0.encode(time("2026-11-20T09:00:00Z"), None).unwrap();
    type Headers = Vec<(String, String)>;
    let check = |change: &dyn Fn(&mut Headers), value: Option<&[u8]>, expected: &str| {
        let mut headers = message.headers.clone();
        change(&mut headers);
        let error = Event::decode(&headers, value).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    let value = message.value.as_deref();
    check(
        &|headers| headers.retain(|(name, _)| name != "ce_id"),
        value,
        "record has no header `ce_id`: it is no CloudEvent in binary content mode",
    );
    check(
        &|headers| {
            headers.iter_mut().filter(|(name, _)| name == "ce_type").for_each(|(_, value)| *value = "x.v9".into())
        },
        value,
        "event type `x.v9` is not known to this version of chipwire",
    );
    check(
        &|headers| headers.push(("ce_covers".into(), "1:5:5".into())),
        value,
        "header `ce_covers` is `1:5:5`, expected partition:from:to with from < to",
    );
    check(&|_| {}, None, "record of type `chipwire.article.fetched.v1` has no value");
    check(&|_| {}, Some(b"{}"), "payload of `chipwire.article.fetched.v1` does not fit its schema");
    assert_eq!(EventId::from_string("x").to_string(), "x");
}
