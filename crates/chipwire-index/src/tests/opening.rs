//! What is refused, and how.

use std::fs;

use super::corpus::{GENESIS, articles, checkpoint, document, index_of, now, request, writer};
use crate::{Error, Index, payload::Payload};

#[test]
fn an_index_of_another_log_is_refused() {
    let (dir, index) = index_of(&articles());
    drop(index);
    let error = Index::open_or_create(dir.path(), "log-2").unwrap_err();
    assert!(matches!(&error, Error::Foreign { found, .. } if found == GENESIS) && error.needs_rebuild());
    assert!(
        error.to_string().contains("belongs to the log `log-1`, not to `log-2`; `chipwire index rebuild`"),
        "{error}"
    );
    assert!(Index::open_read_only(dir.path()).is_ok());
    // The way out: remove it and start anew.
    Index::remove(dir.path()).unwrap();
    assert!(Index::open_or_create(dir.path(), "log-2").unwrap().searcher().is_empty());
}

#[test]
fn an_index_of_another_version_is_refused() {
    let (dir, index) = index_of(&articles());
    let mut engine: tantivy::IndexWriter = index.engine().writer(32 << 20).unwrap();
    let mut prepared = engine.prepare_commit().unwrap();
    let other = Payload { analyzer_version: 0, ..Payload::new(checkpoint(1)) };
    prepared.set_payload(&serde_json::to_string(&other).unwrap());
    prepared.commit().unwrap();
    drop((index, engine));
    let error = Index::open_or_create(dir.path(), GENESIS).unwrap_err();
    assert!(matches!(error, Error::OtherVersion { .. }) && error.needs_rebuild());
    assert!(matches!(Index::open_read_only(dir.path()), Err(Error::OtherVersion { .. })));
}

#[test]
fn an_index_with_other_fields_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut schema = tantivy::schema::Schema::builder();
    schema.add_text_field("id", tantivy::schema::STRING);
    tantivy::Index::create_in_dir(dir.path(), schema.build()).unwrap();
    let error = Index::open_or_create(dir.path(), GENESIS).unwrap_err();
    assert!(matches!(error, Error::OtherVersion { .. }) && error.needs_rebuild());
}

#[test]
fn one_writer_at_a_time_and_none_when_reading() {
    let (dir, index) = index_of(&articles());
    let open = writer(&index);
    let other = Index::open_or_create(dir.path(), GENESIS).unwrap();
    assert!(matches!(other.writer(32 << 20, 1), Err(Error::Locked { .. })));
    assert!(matches!(Index::remove(dir.path()), Err(Error::Locked { .. })));
    drop(open);
    assert!(other.writer(32 << 20, 1).is_ok());
    let reading = Index::open_read_only(dir.path()).unwrap();
    assert!(matches!(reading.writer(32 << 20, 1), Err(Error::ReadOnly { .. })));
}

#[test]
fn a_reader_follows_the_writer() {
    let (dir, index) = index_of(&articles());
    let reading = Index::open_read_only(dir.path()).unwrap();
    let before = reading.searcher();
    let mut writer = writer(&index);
    writer.upsert(&document("new", "new", "")).unwrap();
    writer.commit(&checkpoint(2)).unwrap();
    assert_eq!(reading.checkpoint().unwrap(), checkpoint(2));
    assert!(reading.reload().unwrap());
    assert!(!reading.reload().unwrap());
    assert_eq!((before.len(), reading.searcher().len()), (6, 7));
    // A view stays whole while the files under it are merged away.
    for i in 0..20 {
        writer.upsert(&document("new", "new", &i.to_string())).unwrap();
        writer.commit(&checkpoint(i)).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(before.search(&request("*"), now()).unwrap().total, 6);
}

#[test]
fn where_there_is_no_index() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Index::open_read_only(dir.path()), Err(Error::Missing { .. })));
    assert!(matches!(Index::open_read_only(dir.path().join("none")), Err(Error::Missing { .. })));
    fs::write(dir.path().join("precious.txt"), "x").unwrap();
    assert!(matches!(Index::remove(dir.path()), Err(Error::Missing { .. })));
    assert!(dir.path().join("precious.txt").exists());
    // Directories are made as needed.
    assert!(Index::open_or_create(dir.path().join("a/b"), GENESIS).is_ok());
    let file = dir.path().join("precious.txt");
    assert!(matches!(Index::open_or_create(file, GENESIS), Err(Error::Io { .. })));
}

/// Every file of an index is removed, cut short, emptied or overwritten in turn: opening it is then an error that asks
/// for a rebuild, or the damage is where opening does not look and the checksums tell.
#[test]
fn damage_is_told() {
    let (dir, index) = index_of(&articles());
    drop(index);
    let mut files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.to_string_lossy().ends_with(".lock") && !path.ends_with(".managed.json"));
    assert!(files.len() > 5);
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 0x55;
        let damages = [
            None,
            Some(whole[..whole.len() / 2].to_vec()),
            Some(Vec::new()),
            Some(vec![0; whole.len()]),
            Some(flipped),
        ];
        for damage in damages {
            match &damage {
                None => fs::remove_file(&file).unwrap(),
                Some(bytes) => fs::write(&file, bytes).unwrap(),
            }
            let shown = format!("{} {:?}", file.display(), damage.map(|bytes| bytes.len()));
            match Index::open_or_create(dir.path(), GENESIS) {
                Err(error) => assert!(error.needs_rebuild(), "{shown}: {error:?}"),
                // Without `meta.json` there is no index, and an empty one is made.
                Ok(index) if index.searcher().is_empty() => assert!(file.ends_with("meta.json"), "{shown}"),
                Ok(index) => assert!(!index.damaged_files().unwrap().is_empty(), "{shown} is not noticed"),
            }
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(Index::open_or_create(dir.path(), GENESIS).unwrap().searcher().len(), 6);
}

/// As versions wrote it that did not note the topics' prefix and the last events.
#[test]
fn an_older_checkpoint_is_read() {
    let old = r#"{"genesis":"log-1","positions":{"0":7},"covered":{"0":6}}"#;
    let read: crate::Checkpoint = serde_json::from_str(old).unwrap();
    let expected = crate::Checkpoint { positions: [(0, 7)].into(), covered: [(0, 6)].into(), ..checkpoint(7) };
    assert_eq!(read, expected);
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
