use std::{path::Path, sync::Arc};

use chipwire_events::{Covers, Findings};
use chipwire_log::{
    EventLog, Expiry, Record,
    sqlite::{Access, SqliteLog},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::fixture::article;

const PREFIX: &str = "test.";

/// A log and an index in a folder, and all that the stage needs. Everything is in partition 0.
struct Site {
    context: Context,
    settings: Settings,
    folder: TempDir,
    _runtime: Runtime,
}

impl Site {
    fn new(backend: Arc<dyn EventLog>, folder: TempDir) -> Self {
        let log = Log::new(backend, PREFIX).with_retention(Some(Duration::from_secs(60)));
        log.ensure().unwrap();
        let runtime = Runtime::new().unwrap();
        let context = Context::of_test(log, || Timestamp::UNIX_EPOCH, &runtime);
        let settings = Settings {
            generations: Arc::new(Generations::new(folder.path().join("index"))),
            memory_bytes: 50_000_000,
            threads: 1,
            commit_interval_ms: 10,
        };
        Self { context, settings, folder, _runtime: runtime }
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::new(Arc::new(open(folder.path())), folder)
    }

    fn log(&self) -> &Log {
        &self.context.log
    }

    fn append(&self, events: impl IntoIterator<Item = (i64, Option<(i64, i64)>)>) {
        let record = |(number, covers): (i64, Option<(i64, i64)>)| {
            let covers = covers.map(|(from, to)| Covers { partition: 0, from, to });
            let tagged = TaggedArticle {
                article: article(number),
                mentions: Vec::new(),
                entities: Vec::new(),
                findings: Findings::default(),
                gazetteer: "test".to_owned(),
            };
            let record = self.log().encode(&Event::ArticleTagged(tagged), Timestamp::UNIX_EPOCH, covers).unwrap();
            Record { partition: 0, ..record }
        };
        let records: Vec<_> = events.into_iter().map(record).collect();
        self.log().backend().writer("test").unwrap().append(&records).unwrap();
    }

    fn outcomes(&self, offsets: std::ops::Range<i64>) {
        for offset in offsets {
            self.append([(offset, Some((offset - 1, offset)))]);
        }
    }

    fn index(&self, name: &str) -> Index {
        Index::open_or_create(self.folder.path().join(name), &self.log().backend().genesis().unwrap()).unwrap()
    }

    /// The checkpoint and the number of documents after `index` has caught up; fails if it does not.
    fn catch_up(&self, index: &Index) -> (Checkpoint, u64) {
        let end = self.log().end_of(Topic::ArticlesTagged).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        catch_up(&self.context, &self.settings, index, &end, |_| {
            assert!(Instant::now() < deadline, "it never ends");
        })
        .unwrap();
        (index.checkpoint().unwrap(), index.searcher().len())
    }

    fn gaps(&self) -> u64 {
        self.context.health.metrics.gaps.get_or_create(&StageLabel { stage: STAGE }).get()
    }
}

fn open(folder: &Path) -> SqliteLog {
    SqliteLog::open(&folder.join("log.db"), Access::Create).unwrap()
}

#[test]
fn a_rebuild_ends_after_retention_and_finds_no_gap_and_no_lag() {
    let site = Site::sqlite();
    site.outcomes(0..6);
    let bound = |log: &Log| log.backend().bounds(log.name(Topic::ArticlesTagged)).unwrap()[0];
    // Half of what is in one partition, then all of it.
    let half = Positions::from([(site.log().partition(Topic::ArticlesTagged, 0), 3)]);
    for (needed, low, documents) in [(half, 3, 3), (Positions::new(), 6, 0)] {
        site.log().backend().expire(&Expiry { max_bytes: Some(0), needed, ..Expiry::default() }).unwrap();
        assert_eq!(bound(site.log()), Bounds { low, high: 6 });
        let fresh = site.index(&format!("fresh {low}"));
        assert_eq!(lag(site.log(), &fresh.checkpoint().unwrap()).unwrap(), 6 - low.unsigned_abs());
        let (checkpoint, count) = site.catch_up(&fresh);
        assert_eq!((count, site.gaps()), (documents, 0));
        assert_eq!(lag(site.log(), &checkpoint).unwrap(), 0);
    }
    // What comes now is no gap either.
    let fresh = site.index("later");
    site.outcomes(6..8);
    let (checkpoint, count) = site.catch_up(&fresh);
    assert_eq!((count, site.gaps(), checkpoint.positions[&0], checkpoint.covered[&0]), (2, 0, 8, 7));
}

/// What a catch-up of `index` says instead of catching up.
fn refused(site: &Site, index: &Index) -> String {
    let end = site.log().end_of(Topic::ArticlesTagged).unwrap();
    let error = catch_up(&site.context, &site.settings, index, &end, |_| {}).unwrap_err();
    assert!(matches!(error, StageError::OtherLog { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("`chipwire index rebuild` makes a new one"), "{text}");
    text
}

#[test]
fn a_log_that_went_back_is_noticed_before_and_after_it_has_grown_anew() {
    let site = Site::sqlite();
    let log_at = |name: &str| site.folder.path().join(name);
    site.outcomes(0..4);
    open(site.folder.path()).backup(&log_at("backup.db")).unwrap();
    site.outcomes(4..6);
    let index = site.index("index");
    let (checkpoint, _) = site.catch_up(&index);
    assert_eq!((checkpoint.positions[&0], checkpoint.last[&0].offset), (6, 5));

    // The backup takes the log's place, and grows past where the index is, by other events and at the end by the same.
    let restored = SqliteLog::open(&log_at("backup.db"), Access::Write).unwrap();
    let site = Site { context: Context { log: Log::new(Arc::new(restored), PREFIX), ..site.context.clone() }, ..site };
    assert!(refused(&site, &index).contains("has come to offset 6 of test.articles.tagged/0, which ends at 4"));
    site.append([(14, Some((3, 4))), (5, Some((4, 5)))]);
    assert!(refused(&site, &index).contains("at offset 5 of test.articles.tagged/0 is another event"));
    site.append([(16, Some((5, 6)))]);
    assert!(refused(&site, &index).contains("at offset 5 of test.articles.tagged/0 is another event"));
    assert_eq!(index.checkpoint().unwrap(), checkpoint, "nothing was dropped or taken in");

    // A new index has all.
    let (_, count) = site.catch_up(&site.index("rebuilt"));
    assert_eq!(count, 7);
}

#[test]
fn an_index_of_other_topics_of_the_same_log_is_refused_and_an_old_checkpoint_is_read() {
    let site = Site::sqlite();
    site.outcomes(0..3);
    let index = site.index("index");
    let (checkpoint, _) = site.catch_up(&index);
    assert_eq!(checkpoint.prefix.as_deref(), Some(PREFIX));

    let backend = Arc::new(open(site.folder.path()));
    let other = Log::new(backend, "other.");
    other.ensure().unwrap();
    let other = Site { context: Context { log: other, ..site.context.clone() }, ..site };
    let text = refused(&other, &index);
    assert!(text.contains("topics that begin with `test.`, and `log.prefix` is `other.`"), "{text}");

    // As older versions wrote it: what is not said is taken over.
    let site = Site {
        context: Context { log: Log::new(Arc::new(open(other.folder.path())), PREFIX), ..other.context.clone() },
        ..other
    };
    let old = Checkpoint { prefix: None, last: Default::default(), ..checkpoint.clone() };
    let mut writer = index.writer(50_000_000, 1).unwrap();
    writer.commit(&old).unwrap();
    writer.close().unwrap();
    site.outcomes(3..4);
    let (read_on, count) = site.catch_up(&index);
    assert_eq!((read_on.prefix, read_on.last[&0].offset, count), (checkpoint.prefix, 3, 4));
}

/// A daemon goes on while a new index is built: what it has made searchable is in the new one when that takes its place.
#[test]
fn a_rebuild_ends_with_all_that_the_live_index_has() {
    let site = Site::sqlite();
    site.outcomes(0..50);
    let genesis = site.log().backend().genesis().unwrap();
    let live = site.settings.generations.open(&genesis).unwrap();
    site.catch_up(&live.index);
    let new = site.settings.generations.begin(&genesis).unwrap();
    let mut more = 50;
    rebuild(&site.context, &site.settings, &new, |_| {
        // Behind the end that the rebuild has set out for, three times, and at once in the live index.
        if more < 56 {
            site.outcomes(more..more + 2);
            site.catch_up(&live.index);
            more += 2;
        }
    })
    .unwrap();
    site.settings.generations.swap(&new).unwrap();
    let (new, old) = (new.index.checkpoint().unwrap(), live.index.checkpoint().unwrap());
    assert_eq!((more, new.positions[&0], new.positions), (56, 56, old.positions));
}

/// Retention passes the enrich stage by force only; then the rest of the interval is made again, and the index goes on.
#[test]
fn of_a_gap_whose_raw_events_are_gone_in_part_the_rest_is_filled() {
    for (kept_from, documents, outcomes) in [(3, 4, 4), (4, 3, 3)] {
        let site = Site::sqlite();
        for number in 0..6 {
            let fetched = Event::ArticleFetched(article(number));
            let record = site.log().encode(&fetched, Timestamp::UNIX_EPOCH, None).unwrap();
            site.log().backend().writer("test").unwrap().append(&[Record { partition: 0, ..record }]).unwrap();
        }
        site.append([(0, Some((-1, 0)))]);
        site.append([(4, Some((3, 4))), (5, Some((4, 5)))]);
        let partition = |topic| site.log().partition(topic, 0);
        let needed =
            Positions::from([(partition(Topic::ArticlesRaw), kept_from), (partition(Topic::ArticlesTagged), 0)]);
        site.log().backend().expire(&Expiry { max_bytes: Some(0), needed, ..Expiry::default() }).unwrap();

        let index = site.index("index");
        let (checkpoint, count) = site.catch_up(&index);
        assert_eq!((count, site.gaps(), checkpoint.covered[&0]), (documents, 1, 5));
        let tagged = site.log().end_of(Topic::ArticlesTagged).unwrap()[&partition(Topic::ArticlesTagged)];
        assert_eq!(tagged, outcomes, "one was made again, or none");
    }
}

#[test]
fn what_is_read_again_is_no_second_dead_letter() {
    let site = Site::sqlite();
    let topic = site.log().name(Topic::ArticlesTagged).clone();
    let record = Record { topic, partition: 0, key: b"1".to_vec(), headers: Vec::new(), value: Some(b"{".to_vec()) };
    site.log().backend().writer("test").unwrap().append(&[record]).unwrap();
    for name in ["first", "second"] {
        site.catch_up(&site.index(name));
        assert_eq!(site.log().end_of(Topic::DeadLetters).unwrap().values().sum::<i64>(), 1, "{name}");
    }
}
