//! Upserts, deletions, commits.

use super::corpus::{GENESIS, articles, checkpoint, document, ids, index_of, now, request, writer};
use crate::{Checkpoint, Document, Error, Index};

#[test]
fn the_latest_arrival_of_an_id_stays() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
    let mut writer = writer(&index);
    let revision = |revision: u32, title: &str| Document { revision, ..document("x", title, "body") };
    // Twice in one commit, then again in later ones, and the same one twice.
    writer.upsert(&revision(1, "first")).unwrap();
    writer.upsert(&revision(2, "second")).unwrap();
    writer.upsert(&document("y", "other", "body")).unwrap();
    writer.commit(&checkpoint(1)).unwrap();
    let titles = |query: &str| {
        let response = index.searcher().search(&request(query), now()).unwrap();
        response.hits.into_iter().map(|hit| hit.document.title).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(titles("body"), "second other");
    assert_eq!(titles("first"), "");
    writer.upsert(&revision(3, "third")).unwrap();
    assert_eq!(titles("body"), "second other", "not committed yet");
    writer.commit(&checkpoint(2)).unwrap();
    assert_eq!(titles("body"), "third other");
    writer.upsert(&revision(3, "third")).unwrap();
    writer.commit(&checkpoint(3)).unwrap();
    assert_eq!(index.searcher().len(), 2);
    // An older revision that comes late, whether the later one is committed or not.
    assert!(!writer.upsert(&revision(2, "second")).unwrap());
    assert!(writer.upsert(&revision(4, "fourth")).unwrap());
    assert!(!writer.upsert(&revision(3, "third")).unwrap());
    writer.commit(&checkpoint(4)).unwrap();
    assert_eq!(titles("body"), "fourth other");
    writer.delete("x").unwrap();
    writer.delete("z").unwrap();
    assert!(writer.upsert(&revision(1, "first")).unwrap(), "nothing is later than what was removed");
    writer.delete("x").unwrap();
    writer.commit(&checkpoint(5)).unwrap();
    assert_eq!(titles("*"), "other");
}

#[test]
fn an_upsert_finds_documents_of_earlier_writers() {
    let (_dir, index) = index_of(&articles());
    let mut writer = writer(&index);
    writer.upsert(&document("a3", "replaced", "")).unwrap();
    writer.commit(&checkpoint(2)).unwrap();
    assert_eq!(index.searcher().len(), 6);
    assert_eq!(ids(&index.searcher().search(&request("replaced"), now()).unwrap()), ["a3"]);
    assert_eq!(ids(&index.searcher().search(&request("华为"), now()).unwrap()), [""; 0]);
}

#[test]
fn every_commit_carries_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
    assert_eq!(index.checkpoint().unwrap(), Checkpoint { genesis: GENESIS.to_owned(), ..Checkpoint::default() });
    let mut writer = writer(&index);
    for position in 1..40 {
        if position % 3 > 0 {
            writer.upsert(&document(&position.to_string(), "t", "b")).unwrap();
        }
        writer.commit(&checkpoint(position)).unwrap();
        assert_eq!(index.checkpoint().unwrap(), checkpoint(position));
    }
    // Merges rewrite the list of segments and must keep the payload.
    writer.close().unwrap();
    assert_eq!(index.checkpoint().unwrap(), checkpoint(39));
    assert!(index.searcher().engine().segment_readers().len() < 30);
    assert_eq!(Index::open_or_create(dir.path(), GENESIS).unwrap().checkpoint().unwrap(), checkpoint(39));
}

#[test]
fn a_checkpoint_of_another_log_is_not_stored() {
    let (_dir, index) = index_of(&[]);
    let mut writer = writer(&index);
    let foreign = Checkpoint { genesis: "log-2".to_owned(), ..checkpoint(5) };
    assert!(matches!(writer.commit(&foreign), Err(Error::Checkpoint { .. })));
    assert_eq!(index.checkpoint().unwrap(), checkpoint(1));
}

#[test]
fn what_is_not_committed_is_gone() {
    let (dir, index) = index_of(&articles());
    let mut writer = writer(&index);
    writer.upsert(&document("lost", "lost", "")).unwrap();
    writer.delete("a1").unwrap();
    drop(writer);
    let again = Index::open_or_create(dir.path(), GENESIS).unwrap();
    assert_eq!(again.searcher().len(), 6);
    assert_eq!(again.checkpoint().unwrap(), checkpoint(1));
}

#[test]
fn the_digest_is_of_the_documents_and_nothing_else() {
    let articles = articles();
    let (_one, one) = index_of(&articles);
    let digest = one.searcher().digest().unwrap();
    // In another order, with older revisions in between, in several segments.
    let dir = tempfile::tempdir().unwrap();
    let other = Index::open_or_create(dir.path(), GENESIS).unwrap();
    let mut writer = writer(&other);
    for (i, article) in articles.iter().rev().enumerate() {
        writer.upsert(&document(&article.id, "older", "")).unwrap();
        writer.commit(&checkpoint(i as i64)).unwrap();
        writer.upsert(article).unwrap();
    }
    writer.upsert(&document("gone", "gone", "")).unwrap();
    writer.commit(&checkpoint(7)).unwrap();
    assert_ne!(other.searcher().digest().unwrap(), digest);
    writer.delete("gone").unwrap();
    writer.commit(&checkpoint(8)).unwrap();
    assert_eq!(other.searcher().digest().unwrap(), digest);
    writer.upsert(&Document { revision: 2, ..articles[0].clone() }).unwrap();
    writer.commit(&checkpoint(9)).unwrap();
    assert_ne!(other.searcher().digest().unwrap(), digest);
}

#[test]
fn replaced_documents_do_not_pile_up() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
    let mut writer = writer(&index);
    for round in 0..60 {
        for id in 0..20 {
            writer.upsert(&document(&id.to_string(), "t", &format!("round {round}"))).unwrap();
        }
        writer.commit(&checkpoint(round)).unwrap();
    }
    writer.close().unwrap();
    index.reload().unwrap();
    let searcher = index.searcher();
    assert_eq!(searcher.len(), 20);
    let with_deleted: u32 = searcher.engine().segment_readers().iter().map(|segment| segment.max_doc()).sum();
    assert!(with_deleted < 400, "{with_deleted} documents are kept for 20");
}
