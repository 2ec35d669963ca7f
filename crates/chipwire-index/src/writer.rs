//! Putting documents in.

use std::{collections::HashMap, fs::File, sync::Arc};

use tantivy::{
    IndexWriter as Engine, InvertedIndexReader, Term,
    index::SegmentId,
    indexer::{IndexWriterOptions, LogMergePolicy},
};

use crate::{Checkpoint, Document, Error, Index, Result, index::of_engine, payload::Payload, schema::SchemaFields};

/// Segments are rewritten when more of their documents than this have been replaced.
const DELETED_BEFORE_MERGE: f32 = 0.25;
/// More segments than this when a writer is opened come from many crashes, and are merged at once.
const TOO_MANY_SEGMENTS: usize = 40;
/// Segments with more documents are left alone then.
const LARGE_SEGMENT_DOCS: u32 = 100_000;

/// The one writer of an index.
pub struct IndexWriter {
    index: Index,
    genesis: String,
    engine: Engine,
    fields: SchemaFields,
    /// The ids of the last commit, by segment.
    committed: Vec<Arc<InvertedIndexReader>>,
    /// The ids that were added since with their revisions, and those that were removed.
    pending: HashMap<String, Option<u32>>,
}

impl IndexWriter {
    pub(crate) fn open(index: Index, genesis: String, memory_bytes: usize, threads: usize) -> Result<Self> {
        let threads = threads.max(1);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(threads)
            .memory_budget_per_thread(memory_bytes / threads)
            .num_merge_threads(2)
            .build();
        let engine: Engine =
            index.engine().writer_with_options(options).map_err(|error| of_engine(index.path(), error))?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_BEFORE_MERGE);
        engine.set_merge_policy(Box::new(policy));
        let fields = index.fields();
        let mut writer = Self { index, genesis, engine, fields, committed: Vec::new(), pending: HashMap::new() };
        writer.merge_after_crashes()?;
        writer.load_committed()?;
        Ok(writer)
    }

    /// Adds a document, in place of one with the same id, unless that has a later revision: then nothing happens, and the
    /// answer is false.
    pub fn upsert(&mut self, document: &Document) -> Result<bool> {
        if self.revision(&document.id)?.is_some_and(|revision| revision > document.revision) {
            return Ok(false);
        }
        let filled = self.fields.fill(document)?;
        // Every deletion is looked up in every segment when it is committed: most articles are new and need none.
        if self.may_exist(&document.id)? {
            self.engine.delete_term(Term::from_field_text(self.fields.id, &document.id));
        }
        self.engine.add_document(filled)?;
        self.pending.insert(document.id.clone(), Some(document.revision));
        Ok(true)
    }

    /// The revision of the document with this id, if there is one.
    fn revision(&self, id: &str) -> Result<Option<u32>> {
        match self.pending.get(id) {
            Some(revision) => Ok(*revision),
            None if self.may_exist(id)? => Ok(self.index.searcher().get(id)?.map(|document| document.revision)),
            None => Ok(None),
        }
    }

    /// Removes a document, if it is there.
    pub fn delete(&mut self, id: &str) -> Result<()> {
        if self.may_exist(id)? {
            self.engine.delete_term(Term::from_field_text(self.fields.id, id));
            self.pending.insert(id.to_owned(), None);
        }
        Ok(())
    }

    /// Makes everything so far durable together with `checkpoint`, in one step, and visible to searches. A checkpoint
    /// may be committed without any document.
    ///
    /// # Errors
    /// After an error it is not known whether the commit happened: drop the writer, open a new one, and go on from
    /// [`Index::checkpoint`].
    pub fn commit(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if checkpoint.genesis != self.genesis {
            let (expected, found) = (self.genesis.clone(), checkpoint.genesis.clone());
            return Err(Error::Checkpoint { expected, found });
        }
        let payload = serde_json::to_string(&Payload::new(checkpoint.clone()))?;
        fail::fail_point!("before-prepare-commit");
        let mut prepared = self.engine.prepare_commit()?;
        prepared.set_payload(&payload);
        fail::fail_point!("before-meta-rename");
        prepared.commit()?;
        fail::fail_point!("after-meta-rename");
        // The engine syncs its files and then renames `meta.json`; the rename itself is durable only after this.
        let io = |source| Error::Io { path: self.index.path().to_owned(), source };
        File::open(self.index.path()).and_then(|dir| dir.sync_all()).map_err(io)?;
        self.pending.clear();
        self.load_committed()
    }

    /// The segments of the last commit: a dozen or two is normal, a number that only grows means that merging does not
    /// keep up.
    pub fn segments(&self) -> usize {
        self.committed.len()
    }

    /// Waits for merges that are under way and closes the writer. What is not committed is lost.
    pub fn close(self) -> Result<()> {
        self.engine.wait_merging_threads()?;
        Ok(())
    }

    fn may_exist(&self, id: &str) -> Result<bool> {
        if self.pending.contains_key(id) {
            return Ok(true);
        }
        for ids in &self.committed {
            if ids.terms().get(id).map_err(tantivy::TantivyError::from)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn load_committed(&mut self) -> Result<()> {
        self.index.reload()?;
        let searcher = self.index.searcher();
        let segments = searcher.engine().segment_readers().iter();
        self.committed = segments.map(|segment| segment.inverted_index(self.fields.id)).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn merge_after_crashes(&mut self) -> Result<()> {
        let segments = self.index.engine().searchable_segment_metas()?;
        if segments.len() <= TOO_MANY_SEGMENTS {
            return Ok(());
        }
        let small: Vec<SegmentId> =
            segments.iter().filter(|meta| meta.max_doc() < LARGE_SEGMENT_DOCS).map(|meta| meta.id()).collect();
        tracing::info!(segments = segments.len(), merged = small.len(), "merging the segments that crashes left");
        self.engine.merge(&small).wait()?;
        Ok(())
    }
}

impl std::fmt::Debug for IndexWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexWriter")
            .field("index", &self.index)
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}
