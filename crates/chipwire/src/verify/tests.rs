use std::sync::Arc;

use chipwire_events::{
    Alert, AlertId, Article, DeadLetter, ErrorClass, Findings, Rejected, RuleId, TaggedArticle, Timestamp,
};
use chipwire_index::Checkpoint;
use chipwire_log::{Record, Step, Worker, memory::MemoryLog};
use tempfile::TempDir;

use super::*;
use crate::{fixture, stages::index::document};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn article(number: u32, revision: u32) -> Article {
    Article { revision, first_seen: now(), ..fixture::article(number) }
}

fn tagged(article: Article) -> TaggedArticle {
    TaggedArticle {
        article,
        mentions: Vec::new(),
        entities: Vec::new(),
        findings: Findings::default(),
        gazetteer: "test".to_owned(),
    }
}

fn letter(offset: i64) -> DeadLetter {
    DeadLetter {
        stage: "enrich".to_owned(),
        topic: "articles.raw".to_owned(),
        partition: 0,
        offset,
        class: ErrorClass::Decode,
        message: String::new(),
        key: "key".to_owned(),
        headers: Vec::new(),
        value_base64: String::new(),
        version: "0".to_owned(),
        attempts: 1,
        left_out: false,
    }
}

fn alert(id: &str, article: &Article) -> Event {
    Event::AlertRaised(Alert {
        id: AlertId::from_string(id),
        rule: RuleId::from_string("rule"),
        rule_version: 1,
        rule_name: "Rule".to_owned(),
        sinks: Vec::new(),
        article: article.id.clone(),
        revision: article.revision,
        title: String::new(),
        url: None,
        source: String::new(),
        published: now(),
        entities: Vec::new(),
        raised: now(),
    })
}

/// A log and an index that a test fills by hand. Everything is in partition 0.
struct Site {
    log: Log,
    worker: Box<dyn Worker>,
    index: Index,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let log = Log::new(Arc::new(MemoryLog::default()), "test.");
        log.ensure().unwrap();
        let mut worker = log.backend().worker(enrich::STAGE, "test", &[log.name(Topic::ArticlesRaw)]).unwrap();
        assert!(matches!(worker.next(Limit::default(), Duration::ZERO).unwrap(), Step::Assigned(_)));
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open_or_create(folder.path(), &log.backend().genesis().unwrap()).unwrap();
        Self { log, worker, index, _folder: folder }
    }

    fn record(&self, event: &Event, covers: Option<(i64, i64)>) -> Record {
        let covers = covers.map(|(from, to)| Covers { partition: 0, from, to });
        Record { partition: 0, ..self.log.encode(event, now(), covers).unwrap() }
    }

    fn append(&self, event: &Event, covers: Option<(i64, i64)>) {
        let record = self.record(event, covers);
        self.log.backend().writer("test").unwrap().append(&[record]).unwrap();
    }

    fn raw(&self, number: u32, revision: u32) {
        self.append(&Event::ArticleFetched(article(number, revision)), None);
    }

    fn tagged(&self, number: u32, revision: u32, covers: (i64, i64)) {
        self.append(&Event::ArticleTagged(tagged(article(number, revision))), Some(covers));
    }

    /// The enrich stage has come to this raw offset.
    fn passed(&mut self, position: i64) {
        let upto = Positions::from([(self.log.partition(Topic::ArticlesRaw, 0), position)]);
        self.worker.commit(&[], &upto).unwrap();
    }

    /// The index has come to this offset, with documents of these articles.
    fn indexed(&self, position: i64, articles: &[(u32, u32)]) {
        let mut writer = self.index.writer(50_000_000, 1).unwrap();
        for (number, revision) in articles {
            writer.upsert(&document(tagged(article(*number, *revision)))).unwrap();
        }
        let genesis = self.log.backend().genesis().unwrap();
        let positions = BTreeMap::from([(0, position)]);
        writer.commit(&Checkpoint { genesis, positions, ..Checkpoint::default() }).unwrap();
        writer.close().unwrap();
    }

    fn report(&self) -> Report {
        verify(&self.log, Some(&self.index), |_| {}).unwrap()
    }

    /// The kinds of problems, and where the first of each is.
    fn problems(&self) -> Vec<(Kind, String)> {
        let report = self.report();
        assert_eq!(report.ok, report.problems.is_empty());
        report.problems.into_iter().map(|problem| (problem.kind, problem.place)).collect()
    }

    /// Three articles, one of them edited, all tagged and indexed.
    fn healthy() -> Self {
        let mut site = Self::new();
        for (offset, (number, revision)) in (0..).zip([(1, 1), (2, 1), (1, 2), (3, 1)]) {
            site.raw(number, revision);
            site.tagged(number, revision, (offset - 1, offset));
        }
        site.passed(4);
        site.indexed(4, &[(1, 2), (2, 1), (3, 1)]);
        site
    }
}

#[test]
fn a_healthy_log_has_no_problems() {
    let site = Site::healthy();
    site.append(&alert("a", &article(1, 1)), None);
    let report = site.report();
    assert!(report.ok, "{report:?}");
    assert_eq!((report.raw, report.tagged, report.rejected, report.articles), (4, 4, 0, 3));
    assert_eq!((report.documents, report.alerts), (Some(3), 1));
    assert_eq!((report.raw_on_their_way, report.tagged_on_their_way), (0, 0));
}

#[test]
fn what_no_stage_has_come_to_is_on_its_way() {
    let site = Site::healthy();
    site.raw(4, 1);
    site.tagged(4, 1, (3, 4));
    site.raw(5, 1);
    let report = site.report();
    assert!(report.ok, "{report:?}");
    assert_eq!((report.raw_on_their_way, report.tagged_on_their_way), (1, 1));
    // An alert may be older than that, where a log was filled from another.
    site.append(&alert("a", &article(5, 1)), None);
    assert!(site.report().ok);
    // The index has an older revision of what it has not come to.
    site.raw(1, 3);
    assert!(site.report().ok);
}

#[test]
fn a_raw_event_that_was_passed_without_outcome_is_lost() {
    let mut site = Site::healthy();
    site.raw(4, 1);
    site.raw(5, 1);
    site.passed(6);
    site.tagged(5, 1, (4, 5));
    assert_eq!(
        site.problems(),
        [
            (Kind::Gap, "articles.tagged/0 offset 4".to_owned()),
            (Kind::RawWithoutOutcome, "articles.raw/0 offset 4".to_owned()),
        ]
    );
}

#[test]
fn what_is_there_twice_is_named() {
    let site = Site::healthy();
    site.tagged(3, 1, (2, 3));
    site.raw(2, 1);
    let twice = alert("a", &article(1, 1));
    site.append(&twice, None);
    site.append(&twice, None);
    let problems = site.problems();
    let places: Vec<&str> = problems.iter().map(|(_, place)| place.as_str()).collect();
    assert!(problems.iter().all(|(kind, _)| *kind == Kind::Duplicate));
    // Once for the interval and once for the article.
    assert_eq!(
        places,
        ["alerts/0 offset 1", "articles.raw/0 offset 4", "articles.tagged/0 offset 4", "articles.tagged/0 offset 4"]
    );
}

#[test]
fn outcomes_need_raw_events_and_rejections_dead_letters() {
    let site = Site::healthy();
    site.tagged(9, 1, (3, 4));
    let rejected = |offset| Rejected { dead_letter: letter(offset).event_id(), reason: String::new() };
    site.append(&Event::ArticleRejected(rejected(5)), Some((4, 5)));
    site.append(&Event::ArticleRejected(rejected(6)), Some((5, 6)));
    site.append(&Event::EventRejected(letter(6)), None);
    assert_eq!(
        site.problems(),
        [
            (Kind::OutcomeWithoutRaw, "articles.raw/0 offset 4".to_owned()),
            (Kind::OutcomeWithoutRaw, "articles.raw/0 offset 5".to_owned()),
            (Kind::OutcomeWithoutRaw, "articles.raw/0 offset 6".to_owned()),
            (Kind::RejectedWithoutDeadLetter, "articles.tagged/0 offset 5".to_owned()),
        ]
    );
    let report = site.report();
    assert_eq!((report.rejected, report.dead_letters), (2, BTreeMap::from([("decode", 1)])));
}

#[test]
fn the_index_has_all_that_it_has_passed_and_nothing_else() {
    let mut site = Site::healthy();
    for (offset, number) in [(4, 4), (5, 2)] {
        site.raw(number, 1 + number % 4);
        site.tagged(number, 1 + number % 4, (offset - 1, offset));
    }
    site.passed(6);
    // It lacks article 4, has the first revision of 2, and one of which nobody knows.
    site.indexed(6, &[(2, 1), (8, 1)]);
    let problems = site.problems();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(problems[0], (Kind::TaggedWithoutDocument, "articles.tagged/0 offset 4".to_owned()));
    assert_eq!(problems[1], (Kind::TaggedWithoutDocument, "articles.tagged/0 offset 5".to_owned()));
    assert_eq!(problems[2], (Kind::DocumentWithoutEvent, article(8, 1).id.to_string()));
}

#[test]
fn alerts_are_of_articles_and_events_can_be_read() {
    let site = Site::healthy();
    site.append(&alert("a", &article(7, 1)), None);
    site.append(&alert("b", &article(2, 2)), None);
    let broken = Record { value: Some(b"{".to_vec()), ..site.record(&alert("c", &article(1, 1)), None) };
    site.log.backend().writer("test").unwrap().append(&[broken]).unwrap();
    assert_eq!(
        site.problems(),
        [
            (Kind::AlertWithoutArticle, "alerts/0 offset 0".to_owned()),
            (Kind::AlertWithoutArticle, "alerts/0 offset 1".to_owned()),
            (Kind::Unreadable, "alerts/0 offset 2".to_owned()),
        ]
    );
}

#[test]
fn an_index_of_another_log_is_named_and_left_alone() {
    let site = Site::healthy();
    let other = Site::healthy();
    let report = verify(&site.log, Some(&other.index), |_| {}).unwrap();
    assert_eq!(report.counts, BTreeMap::from([(Kind::ForeignIndex, 1)]));
    assert_eq!(report.documents, None);
}

#[test]
fn of_many_problems_some_are_kept_and_all_are_counted() {
    let mut site = Site::new();
    for number in 0..250 {
        site.raw(number, 1);
    }
    site.passed(250);
    let report = verify(&site.log, None, |_| {}).unwrap();
    assert_eq!(report.counts, BTreeMap::from([(Kind::RawWithoutOutcome, 250)]));
    assert_eq!(report.problems.len(), KEPT);
}

/// On Kafka the mark of a transaction or another event may stand where the chain begins, and nothing was ever removed.
#[test]
fn a_chain_that_does_not_begin_at_the_first_raw_event_has_a_gap_wherever_it_begins() {
    let mut site = Site::new();
    for number in 0..3 {
        site.raw(number, 1);
    }
    site.passed(3);
    // At offset 0 stands what is no link of the chain.
    site.append(&Event::ArticleTagged(tagged(article(0, 1))), None);
    site.tagged(2, 1, (1, 2));
    assert_eq!(
        site.problems(),
        [
            (Kind::Gap, "articles.tagged/0 offset 1".to_owned()),
            (Kind::RawWithoutOutcome, "articles.raw/0 offset 0".to_owned()),
            (Kind::RawWithoutOutcome, "articles.raw/0 offset 1".to_owned()),
        ]
    );
}

#[test]
fn a_gap_that_was_filled_later_is_none_and_half_of_it_is() {
    let mut site = Site::healthy();
    for number in 4..8 {
        site.raw(number, 1);
    }
    site.passed(8);
    site.tagged(7, 1, (6, 7));
    site.tagged(5, 1, (4, 5));
    let found = |site: &Site| site.report().counts;
    assert_eq!(found(&site), BTreeMap::from([(Kind::Gap, 2), (Kind::RawWithoutOutcome, 2)]));
    site.tagged(4, 1, (3, 4));
    site.tagged(6, 1, (5, 6));
    assert!(site.report().ok, "{:?}", site.report());
    site.tagged(4, 1, (3, 4));
    assert_eq!(found(&site), BTreeMap::from([(Kind::Duplicate, 2)]));
}

#[test]
fn what_the_index_has_made_a_dead_letter_of_is_rejected_and_not_missing() {
    let mut site = Site::healthy();
    site.raw(4, 1);
    site.tagged(4, 1, (3, 4));
    // A later revision of an article whose document is there.
    site.raw(3, 2);
    site.tagged(3, 2, (4, 5));
    let broken =
        Record { value: Some(b"{".to_vec()), ..site.record(&Event::ArticleTagged(tagged(article(9, 1))), None) };
    site.log.backend().writer("test").unwrap().append(&[broken]).unwrap();
    site.passed(6);
    site.indexed(7, &[]);
    assert_eq!(site.report().counts, BTreeMap::from([(Kind::TaggedWithoutDocument, 2), (Kind::Unreadable, 1)]));
    for offset in 4..7 {
        let by_index = DeadLetter { stage: "index".to_owned(), topic: "articles.tagged".to_owned(), ..letter(offset) };
        site.append(&Event::EventRejected(by_index), None);
    }
    let report = site.report();
    assert!(report.ok, "{report:?}");
    assert_eq!((report.rejected_by_index, report.tagged, report.rejected), (3, 6, 0));
}

#[test]
fn an_alert_of_which_there_is_a_dead_letter_is_accounted_for() {
    let site = Site::healthy();
    let broken = Record { value: Some(b"{".to_vec()), ..site.record(&alert("a", &article(1, 1)), None) };
    site.log.backend().writer("test").unwrap().append(&[broken]).unwrap();
    assert_eq!(site.report().counts, BTreeMap::from([(Kind::Unreadable, 1)]));
    let by_deliver = DeadLetter { stage: "deliver".to_owned(), topic: "alerts".to_owned(), ..letter(0) };
    site.append(&Event::EventRejected(by_deliver), None);
    assert!(site.report().ok, "{:?}", site.report());
}

#[test]
fn an_id_that_is_not_that_of_what_the_event_says_is_named() {
    let mut site = Site::healthy();
    let renamed = |record: Record| {
        let rename = |(name, value): (String, String)| {
            let value = if name == "ce_id" { "0123".to_owned() } else { value };
            (name, value)
        };
        Record { headers: record.headers.into_iter().map(rename).collect(), ..record }
    };
    let records = [
        site.record(&Event::ArticleFetched(article(4, 1)), None),
        site.record(&Event::ArticleTagged(tagged(article(4, 1))), Some((3, 4))),
        site.record(&alert("a", &article(1, 1)), None),
        site.record(&Event::EventRejected(letter(9)), None),
    ];
    site.log.backend().writer("test").unwrap().append(&records.map(renamed)).unwrap();
    site.passed(5);
    let places =
        ["alerts/0 offset 0", "articles.raw/0 offset 4", "articles.tagged/0 offset 4", "dead-letters/0 offset 0"];
    assert_eq!(site.problems(), places.map(|place| (Kind::WrongId, place.to_owned())));
}

#[test]
fn an_index_of_a_log_that_went_back_is_named() {
    let site = Site::healthy();
    site.indexed(9, &[]);
    let report = site.report();
    assert_eq!(report.counts, BTreeMap::from([(Kind::ForeignIndex, 1)]));
    assert!(report.problems[0].what.contains("has come to offset 9 of test.articles.tagged/0, which ends at 4"));
}
