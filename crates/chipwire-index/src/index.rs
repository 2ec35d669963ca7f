//! Opening an index.

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{
    IndexReader, ReloadPolicy, TantivyError,
    directory::{
        Directory, META_LOCK, MmapDirectory,
        error::{LockError, OpenReadError},
    },
    tokenizer::TextAnalyzer,
};

use crate::{
    Checkpoint, Document, Error, IndexWriter, Result, Searcher,
    payload::Payload,
    schema::{self, SchemaFields},
    tokenizer,
};

const META: &str = "meta.json";
/// What every segment with our fields consists of, besides its deletions.
const SEGMENT_FILES: [&str; 6] = ["fast", "fieldnorm", "idx", "pos", "store", "term"];
/// Written by the engine before the first commit.
const MANAGED: &str = ".managed.json";

/// An index in a directory. Cheap to clone; the clones share what they have open.
#[derive(Clone)]
pub struct Index {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    engine: tantivy::Index,
    reader: IndexReader,
    fields: SchemaFields,
    /// `None` when the index is only read.
    genesis: Option<String>,
    /// The contents of `meta.json` at the last reload.
    loaded_meta: Mutex<Vec<u8>>,
}

impl Index {
    /// Opens the index in `dir` for reading and writing, or creates an empty one there. `genesis` is the identity of
    /// the log that it is a projection of.
    ///
    /// # Errors
    /// [`Error::Foreign`], [`Error::OtherVersion`] and [`Error::Damaged`] when the index cannot be used and must be
    /// rebuilt; others when the directory cannot be accessed.
    pub fn open_or_create(dir: impl AsRef<Path>, genesis: &str) -> Result<Self> {
        let path = dir.as_ref();
        std::fs::create_dir_all(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::open(path, Some(genesis))
    }

    /// Opens the index in `dir` for searching, also while another process writes it. It shows the last commit at the
    /// time of opening; [`reload`](Self::reload) shows later ones.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none, and those of [`open_or_create`](Self::open_or_create) without `Foreign`.
    pub fn open_read_only(dir: impl AsRef<Path>) -> Result<Self> {
        let path = dir.as_ref();
        if !path.join(META).is_file() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        Self::open(path, None)
    }

    fn open(path: &Path, genesis: Option<&str>) -> Result<Self> {
        // The engine trusts its files and may panic over damaged ones.
        let opened = panic::catch_unwind(AssertUnwindSafe(|| open_engine(path, genesis.is_some())));
        let (engine, fields, reader, meta) = match opened {
            Ok(result) => result?,
            Err(_) => {
                let what = "its files cannot be understood".to_owned();
                return Err(Error::Damaged { path: path.to_owned(), what });
            }
        };
        let inner = Inner {
            path: path.to_owned(),
            engine,
            reader,
            fields,
            genesis: genesis.map(str::to_owned),
            loaded_meta: Mutex::new(meta),
        };
        let index = Self { inner: Arc::new(inner) };
        index.check_payload()?;
        Ok(index)
    }

    fn check_payload(&self) -> Result<()> {
        let path = || self.inner.path.clone();
        let Some(payload) = self.payload()? else {
            if self.inner.reader.searcher().segment_readers().is_empty() {
                return Ok(());
            }
            let what = "it has documents but no checkpoint".to_owned();
            return Err(Error::Damaged { path: path(), what });
        };
        if let Some(what) = payload.difference() {
            return Err(Error::OtherVersion { path: path(), what });
        }
        match &self.inner.genesis {
            Some(expected) if *expected != payload.checkpoint.genesis => {
                Err(Error::Foreign { path: path(), expected: expected.clone(), found: payload.checkpoint.genesis })
            }
            _ => Ok(()),
        }
    }

    fn payload(&self) -> Result<Option<Payload>> {
        let meta = self.inner.engine.load_metas().map_err(|error| of_engine(&self.inner.path, error))?;
        let Some(text) = meta.payload else { return Ok(None) };
        let unreadable = |error: serde_json::Error| Error::OtherVersion {
            path: self.inner.path.clone(),
            what: format!("its checkpoint cannot be read: {error}"),
        };
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    /// How far the index has come: the checkpoint of the last commit, also one by another process. An index without a
    /// commit answers an empty one.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let none = || Checkpoint { genesis: self.inner.genesis.clone().unwrap_or_default(), ..Checkpoint::default() };
        Ok(self.payload()?.map_or_else(none, |payload| payload.checkpoint))
    }

    /// The writer of the index; there can be one at a time, over all processes. `memory_bytes` is for all `threads`
    /// together, at least 15 MB for each.
    ///
    /// # Errors
    /// [`Error::Locked`] when there is another writer, [`Error::ReadOnly`] after [`open_read_only`](Self::open_read_only).
    pub fn writer(&self, memory_bytes: usize, threads: usize) -> Result<IndexWriter> {
        let Some(genesis) = &self.inner.genesis else {
            return Err(Error::ReadOnly { path: self.inner.path.clone() });
        };
        IndexWriter::open(self.clone(), genesis.clone(), memory_bytes, threads)
    }

    /// A view of the last commit that was loaded. It stays as it is, whatever is committed later: take one for every
    /// search.
    pub fn searcher(&self) -> Searcher {
        Searcher::new(self.inner.reader.searcher(), self.inner.fields)
    }

    /// Loads commits of other processes; true if there was one. Commits of this index's own writer are loaded by it.
    /// Cheap when nothing has changed, so that it can be called several times a second.
    pub fn reload(&self) -> Result<bool> {
        let meta = read_meta(&self.inner.engine).map_err(|error| of_engine(&self.inner.path, error))?;
        let mut loaded = self.inner.loaded_meta.lock().unwrap_or_else(PoisonError::into_inner);
        if *loaded == meta {
            return Ok(false);
        }
        self.inner.reader.reload().map_err(|error| of_engine(&self.inner.path, error))?;
        *loaded = meta;
        Ok(true)
    }

    /// Files whose checksums are wrong or that cannot be read. Reads the whole index.
    pub fn damaged_files(&self) -> Result<Vec<PathBuf>> {
        match self.inner.engine.validate_checksum() {
            Ok(files) => {
                let mut files: Vec<PathBuf> = files.into_iter().collect();
                files.sort();
                Ok(files)
            }
            Err(TantivyError::OpenReadError(
                OpenReadError::FileDoesNotExist(file) | OpenReadError::IoError { filepath: file, .. },
            )) => Ok(vec![file]),
            Err(other) => Err(of_engine(&self.inner.path, other)),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Removes the index in `dir`, to be rebuilt from the log. A directory that does not look like an index is left
    /// alone.
    ///
    /// # Errors
    /// [`Error::Missing`] when `dir` holds no index, [`Error::Locked`] when it is being written.
    pub fn remove(dir: impl AsRef<Path>) -> Result<()> {
        let path = dir.as_ref();
        let io = |source| Error::Io { path: path.to_owned(), source };
        if !path.join(META).exists() && !path.join(MANAGED).exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        let directory = MmapDirectory::open(path).map_err(|error| of_engine(path, error.into()))?;
        let lock = directory.acquire_lock(&tantivy::directory::INDEX_WRITER_LOCK);
        let lock = lock.map_err(|error| of_engine(path, TantivyError::LockFailure(error, None)))?;
        std::fs::remove_dir_all(path).map_err(io)?;
        drop(lock);
        Ok(())
    }

    /// The search engine itself, for measuring what lies between it and this crate.
    pub fn engine(&self) -> &tantivy::Index {
        &self.inner.engine
    }

    /// `document` as the search engine takes it, for the same purpose.
    pub fn engine_document(&self, document: &Document) -> Result<tantivy::TantivyDocument> {
        self.inner.fields.fill(document)
    }

    pub(crate) fn fields(&self) -> SchemaFields {
        self.inner.fields
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

type Opened = (tantivy::Index, SchemaFields, IndexReader, Vec<u8>);

fn open_engine(path: &Path, create: bool) -> Result<Opened> {
    let engine_error = |error: TantivyError| of_engine(path, error);
    let (schema, fields) = schema::build();
    let directory = MmapDirectory::open(path).map_err(|error| engine_error(error.into()))?;
    let exists = tantivy::Index::exists(&directory).map_err(|error| engine_error(error.into()))?;
    let engine = if exists || !create {
        tantivy::Index::open(directory).map_err(engine_error)?
    } else {
        tantivy::Index::builder()
            .schema(schema.clone())
            .settings(settings())
            .open_or_create(directory)
            .map_err(engine_error)?
    };
    if engine.schema() != schema {
        return Err(Error::OtherVersion { path: path.to_owned(), what: "its fields are others".to_owned() });
    }
    engine.tokenizers().register(tokenizer::NAME, TextAnalyzer::from(tokenizer::SharedAnalyzer));
    check_files(path, &engine)?;
    // Read before the reader is built: what is committed in between is then loaded by the next reload.
    let meta = read_meta(&engine).map_err(engine_error)?;
    let builder = engine.reader_builder().reload_policy(ReloadPolicy::Manual);
    let reader: IndexReader = builder.try_into().map_err(engine_error)?;
    Ok((engine, fields, reader, meta))
}

/// The engine opens some files only when a query needs them; here it is seen at once when one is missing.
fn check_files(path: &Path, engine: &tantivy::Index) -> Result<()> {
    let engine_error = |error: TantivyError| of_engine(path, error);
    // Under this lock no other process removes files.
    let lock = engine.directory().acquire_lock(&META_LOCK);
    let _lock = lock.map_err(|error| engine_error(TantivyError::LockFailure(error, None)))?;
    for segment in engine.searchable_segment_metas().map_err(engine_error)? {
        for extension in SEGMENT_FILES {
            let file = format!("{}.{extension}", segment.id().uuid_string());
            if !path.join(&file).is_file() {
                return Err(Error::Damaged { path: path.to_owned(), what: format!("`{file}` is missing") });
            }
        }
    }
    Ok(())
}

fn settings() -> tantivy::IndexSettings {
    let docstore_compression = tantivy::store::Compressor::Zstd(tantivy::store::ZstdCompressor::default());
    tantivy::IndexSettings { docstore_compression, ..tantivy::IndexSettings::default() }
}

fn read_meta(engine: &tantivy::Index) -> Result<Vec<u8>, TantivyError> {
    Ok(engine.directory().atomic_read(Path::new(META))?)
}

/// What an error of the engine while opening means for the index.
pub(crate) fn of_engine(path: &Path, error: TantivyError) -> Error {
    let path = path.to_owned();
    match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => Error::Locked { path },
        TantivyError::IncompatibleIndex(what) | TantivyError::OpenReadError(OpenReadError::IncompatibleIndex(what)) => {
            Error::OtherVersion { path, what: format!("{what:?}") }
        }
        TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(file)) => {
            Error::Damaged { path, what: format!("`{}` is missing", file.display()) }
        }
        TantivyError::DataCorruption(_)
        | TantivyError::DeserializeError(_)
        | TantivyError::SchemaError(_)
        | TantivyError::InternalError(_) => Error::Damaged { path, what: error.to_string() },
        TantivyError::IoError(ref source)
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: ref source, .. })
            if matches!(
                source.kind(),
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData | std::io::ErrorKind::Other
            ) =>
        {
            Error::Damaged { path, what: source.to_string() }
        }
        other => Error::Engine(other),
    }
}
