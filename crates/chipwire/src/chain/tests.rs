use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use chipwire_events::{Article, Event, Rule, RuleId, Timestamp};
use chipwire_index::Index;
use chipwire_log::{EventLog, Reader, Record, Result, State, TopicSpec, Worker, Writer, memory::MemoryLog};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::{
    fixture,
    generations::Generations,
    runner::Shutdown,
    stages::{alert, index},
    verify::verify,
    wire,
};

/// A log that refuses whoever wants to fill a gap, until it is told not to.
struct Unwilling {
    log: MemoryLog,
    refuses: AtomicBool,
}

impl EventLog for Unwilling {
    fn genesis(&self) -> Result<String> {
        self.log.genesis()
    }

    fn ensure(&self, topics: &[TopicSpec]) -> Result<()> {
        self.log.ensure(topics)
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>> {
        self.log.bounds(topic)
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> Result<Box<dyn Reader>> {
        self.log.reader(topics, from)
    }

    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> Result<Box<dyn Worker>> {
        self.log.worker(group, member, topics)
    }

    fn writer(&self, name: &str) -> Result<Box<dyn Writer>> {
        if name.starts_with("mend-") && self.refuses.load(Ordering::SeqCst) {
            return Err(Error::Unavailable { target: "log".to_owned(), reason: "it refuses".to_owned() });
        }
        self.log.writer(name)
    }

    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> Result<State> {
        self.log.state(topic, partitions)
    }

    fn committed(&self, group: &str, topics: &[&str]) -> Result<Positions> {
        self.log.committed(group, topics)
    }
}

/// A stage that reads tagged articles, and how much it has made of them.
struct Consumer {
    stage: &'static str,
    run: fn(&Site, &Context) -> std::result::Result<(), StageError>,
    /// Documents or alerts.
    made: fn(&Site) -> u64,
    /// In partition 0 of the tagged articles.
    position: fn(&Site) -> i64,
}

const INDEX: Consumer = Consumer {
    stage: index::STAGE,
    run: |site, context| index::run(context, &site.settings()),
    made: |site| site.index().map_or(0, |index| index.searcher().len()),
    position: |site| site.index().unwrap().checkpoint().unwrap().positions[&0],
};

const ALERT: Consumer = Consumer {
    stage: alert::STAGE,
    run: |_, context| alert::run(context),
    made: |site| {
        site.log().backend().bounds(site.log().name(Topic::Alerts)).unwrap().iter().map(|b| b.high as u64).sum()
    },
    position: |site| {
        let tagged = site.log().name(Topic::ArticlesTagged);
        site.log().backend().committed(alert::STAGE, &[tagged]).unwrap()
            [&site.log().partition(Topic::ArticlesTagged, 0)]
    },
};

struct Site {
    backend: Arc<Unwilling>,
    context: Context,
    generations: Arc<Generations>,
    _folder: TempDir,
    _runtime: Runtime,
}

impl Site {
    /// Five raw articles in partition 0 and two in another, and a rule that all of them match.
    fn new() -> Self {
        let backend = Arc::new(Unwilling { log: MemoryLog::new(), refuses: AtomicBool::new(true) });
        let log = Log::new(Arc::clone(&backend) as Arc<dyn EventLog>, "");
        log.ensure().unwrap();
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let context = Context::of_test(log, || Timestamp::UNIX_EPOCH, &runtime);
        let generations = Arc::new(Generations::new(folder.path().join("index")));
        let site = Self { backend, context, generations, _folder: folder, _runtime: runtime };
        let rule = Rule {
            id: RuleId::from_string("all"),
            version: 1,
            name: "All".to_owned(),
            query: "nvidia".to_owned(),
            sinks: Vec::new(),
            saved: Timestamp::UNIX_EPOCH,
        };
        site.append(vec![site.log().encode(&Event::RuleSaved(rule), Timestamp::UNIX_EPOCH, None).unwrap()]);
        for (partition, number) in [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (1, 6)] {
            let fetched = Event::ArticleFetched(article(number));
            let record = site.log().encode(&fetched, Timestamp::UNIX_EPOCH, None).unwrap();
            site.append(vec![Record { partition, ..record }]);
        }
        site
    }

    fn log(&self) -> &Log {
        &self.context.log
    }

    fn settings(&self) -> index::Settings {
        index::Settings {
            generations: Arc::clone(&self.generations),
            memory_bytes: 50_000_000,
            threads: 1,
            commit_interval_ms: 10,
        }
    }

    fn index(&self) -> Option<Index> {
        self.generations.get().map(|generation| generation.index.clone())
    }

    fn append(&self, records: Vec<Record>) {
        self.log().backend().writer("test").unwrap().append(&records).unwrap();
    }

    /// The outcomes of these raw offsets, as the enrich stage writes them.
    fn enrich(&self, partition: u32, offsets: &[i64]) {
        let tagger = self.context.taggers.get().unwrap();
        let gap = Gap { partition, after: -1, upto: i64::MAX - 1, at: 0 };
        let raw = raw(self.log(), gap, usize::MAX).unwrap();
        for offset in offsets {
            let covers = Covers { partition, from: offset - 1, to: *offset };
            let links = [(&raw[*offset as usize], covers)];
            self.append(enrich::outcomes(self.log(), &tagger, None, &links).unwrap());
        }
    }

    fn tagged(&self) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        each(self.log(), Topic::ArticlesTagged, 0, 0..i64::MAX, |stored| {
            records.push(stored.clone());
            true
        })
        .unwrap();
        records
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}: not in time; {:?}", self.context.health.not_ready(1_000));
            thread::yield_now();
        }
    }

    /// Does `work` while `consumer` runs.
    fn while_running(&self, consumer: &Consumer, work: impl FnOnce(&Context)) {
        let context = Context { shutdown: Shutdown::default(), ..self.context.clone() };
        thread::scope(|scope| {
            let running = scope.spawn(|| (consumer.run)(self, &context));
            // Also when a test fails: or the scope would wait for ever.
            let _stop = StopAtEnd(&context.shutdown);
            work(&context);
            context.shutdown.request();
            running.join().unwrap().unwrap();
        });
    }
}

struct StopAtEnd<'a>(&'a Shutdown);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

fn article(number: i64) -> Article {
    Article { content_hash: number.to_string(), title: format!("Nvidia, number {number}"), ..fixture::article(number) }
}

fn check(consumer: &Consumer) {
    let label = StageLabel { stage: consumer.stage };
    let site = Site::new();
    site.enrich(1, &[0]);
    // The second time is dropped; what is between 0 and 3 is missing.
    site.enrich(0, &[0, 0, 3, 4]);
    let health = &site.context.health;
    let count = |family: &prometheus_client::metrics::family::Family<
        StageLabel,
        prometheus_client::metrics::counter::Counter,
    >| { family.get_or_create(&label).get() };
    site.while_running(consumer, |_| {
        // It halts in that partition, says so, and goes on with the others.
        site.until("it halts", || health.metrics.halted.get_or_create(&label).get() == 1);
        site.enrich(1, &[1]);
        site.until("others go on", || (consumer.made)(&site) == 3);
        site.until("it says what it could not do", || {
            let reasons = health.not_ready(1_000).join("\n");
            reasons.contains("partition 0 halts, as no event covers the raw events after offset 0 up to 2")
                && reasons.contains("it refuses")
        });
        assert_eq!((consumer.position)(&site), 2, "the position is that of the event which shows the gap");
        assert_eq!((count(&health.metrics.gaps), count(&health.metrics.duplicates)), (1, 1));

        site.backend.refuses.store(false, Ordering::SeqCst);
        site.until("it is filled", || (consumer.made)(&site) == 7 && health.not_ready(1_000).is_empty());
        site.until("it reads on", || (consumer.position)(&site) == 6);
    });
    assert_eq!(health.metrics.halted.get_or_create(&label).get(), 0);
    // The two that filled it were read once more.
    assert_eq!((count(&health.metrics.gaps), count(&health.metrics.duplicates)), (1, 3));
    let tagged = site.tagged();
    let covers: Vec<_> = tagged.iter().map(|stored| covers_of(stored).unwrap().to).collect();
    assert_eq!(covers, [0, 0, 3, 4, 1, 2]);
    for stored in &tagged {
        let (envelope, event) = wire::decode(stored).unwrap();
        let covers = envelope.covers.unwrap();
        assert_eq!(covers.from, covers.to - 1);
        let Event::ArticleTagged(found) = event else { panic!("{event:?}") };
        assert_eq!((found.article.clone(), found.event_id()), (article(covers.to), envelope.id));
    }

    // A new worker goes on, and takes nothing for new.
    site.while_running(consumer, |_| {
        site.enrich(1, &[]);
        site.until("it is well", || health.not_ready(1_000).is_empty());
        assert_eq!((consumer.made)(&site), 7);
    });
    assert_eq!((count(&health.metrics.gaps), site.tagged().len()), (1, 6));
}

#[test]
fn the_index_drops_halts_mends_and_goes_on() {
    check(&INDEX);
}

#[test]
fn the_alerts_drop_halt_mend_and_go_on() {
    check(&ALERT);
}

#[test]
fn both_fill_the_same_gap_once_and_a_new_index_finds_it_filled() {
    let site = Site::new();
    site.backend.refuses.store(false, Ordering::SeqCst);
    site.enrich(0, &[0, 3, 4]);
    site.enrich(1, &[0, 1]);
    site.while_running(&ALERT, |_| {
        site.while_running(&INDEX, |_| {
            site.until("both have all", || (ALERT.made)(&site) == 7 && (INDEX.made)(&site) == 7);
        });
    });
    let covers: Vec<_> = site.tagged().iter().map(|stored| covers_of(stored).unwrap().to).collect();
    assert_eq!(covers, [0, 3, 4, 1, 2]);
    let index = site.index().unwrap();
    let report = verify(site.log(), Some(&index), |_| {}).unwrap();
    assert!(report.ok, "{report:?}");

    site.backend.refuses.store(true, Ordering::SeqCst);
    let fresh = site.generations.begin(&site.log().backend().genesis().unwrap()).unwrap();
    index::rebuild(&site.context, &site.settings(), &fresh, |_| {}).unwrap();
    assert_eq!(fresh.index.searcher().digest().unwrap(), index.searcher().digest().unwrap());
    assert_eq!(site.tagged().len(), 5);
}

#[test]
fn a_rebuild_that_cannot_fill_a_gap_says_so() {
    let site = Site::new();
    site.enrich(0, &[0, 3]);
    let fresh = site.generations.begin(&site.log().backend().genesis().unwrap()).unwrap();
    let error = index::rebuild(&site.context, &site.settings(), &fresh, |_| {}).err().unwrap();
    assert!(matches!(&error, StageError::Gap(why) if why.contains("it refuses")), "{error:?}");
}

/// A worker that starts in the middle knows from the events before it how far the chain goes, however many are no links of it.
#[test]
fn what_was_covered_before_a_position_is_found() {
    let site = Site::new();
    let before = |position: i64| {
        let bounds = site.log().backend().bounds(site.log().name(Topic::ArticlesTagged)).unwrap();
        covered_before(site.log(), &BTreeMap::from([(0, position), (1, 0)]), &bounds).unwrap()
    };
    assert_eq!(before(0), BTreeMap::from([(0, -1), (1, -1)]));
    site.enrich(0, &[0, 1]);
    let anew: Vec<Record> = site.tagged().iter().map(|stored| without_covers(&stored.record)).collect();
    for _ in 0..600 {
        site.append(anew.clone());
    }
    site.enrich(0, &[2]);
    assert_eq!(before(0)[&0], -1);
    assert_eq!(before(1)[&0], 0);
    assert_eq!(before(2)[&0], 1);
    assert_eq!(before(1_202)[&0], 1);
    assert_eq!(before(1_203)[&0], 2);
}

fn without_covers(record: &Record) -> Record {
    let headers = record.headers.iter().filter(|(name, _)| name != "ce_covers").cloned().collect();
    Record { headers, ..record.clone() }
}

#[test]
fn a_large_gap_is_filled_piece_by_piece_around_what_is_there() {
    let site = Site::new();
    site.backend.refuses.store(false, Ordering::SeqCst);
    site.enrich(0, &[0, 4, 2]);
    let mut chain = Chain { piece: 1, ..Chain::new("test", BTreeMap::from([(0, 0)])) };
    let tagged = site.tagged();
    let covers = |stored: &StoredRecord| covers_of(stored);
    assert_eq!(chain.take(&site.context, &tagged[1], covers(&tagged[1])), Link::Held);
    let mut pieces = Vec::new();
    loop {
        let mended = chain.mend(&site.context).unwrap();
        assert_eq!((mended.partition, mended.position), (0, 1));
        pieces.push(mended.records.iter().map(|stored| covers(stored).unwrap().to).collect::<Vec<_>>());
        let is_whole = chain.resume(&site.context, &mended);
        assert_eq!(is_whole, pieces.len() == 3);
        if is_whole {
            break;
        }
        assert_eq!(chain.take(&site.context, &tagged[1], covers(&tagged[1])), Link::Held, "{pieces:?}");
    }
    assert_eq!(pieces, [[1], [2], [3]]);
    assert_eq!(site.tagged().len(), 5, "what was there was not written again");
    assert_eq!(chain.take(&site.context, &tagged[1], covers(&tagged[1])), Link::New);
    assert_eq!(chain.take(&site.context, &tagged[2], covers(&tagged[2])), Link::Seen);
}
