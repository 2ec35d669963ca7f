//! Generations of the index: a rebuild makes a new one beside the live one and then swaps the two.
//!
//! `index/CURRENT` names the folder of the live generation. It is replaced by a rename, so that every process sees the old
//! one or the new one; whoever has the old one open goes on with it until it looks again.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwapOption;
use chipwire_index::{Checkpoint, Index};

use crate::runner::StageError;

const CURRENT: &str = "CURRENT";
const FIRST: &str = "0001";

/// The index of a data directory.
pub struct Generations {
    folder: PathBuf,
    opened: ArcSwapOption<Generation>,
}

/// A generation of the index.
pub struct Generation {
    name: String,
    /// The index.
    pub index: Index,
}

impl Generations {
    /// The index in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, opened: ArcSwapOption::empty() }
    }

    /// The name of the live generation.
    fn current(&self) -> io::Result<String> {
        match fs::read_to_string(self.folder.join(CURRENT)) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FIRST.to_owned()),
            Err(error) => Err(error),
        }
    }

    fn current_or_error(&self) -> Result<String, StageError> {
        self.current().map_err(|source| StageError::Io {
            action: format!("failed to read `{}`", self.folder.join(CURRENT).display()),
            source,
        })
    }

    /// Opens the live generation for reading and writing, and makes the first one if there is none.
    pub fn open(&self, genesis: &str) -> Result<Arc<Generation>, StageError> {
        let name = self.current_or_error()?;
        let path = self.folder.join(&name);
        make_folder(&path)?;
        let index = Index::open_or_create(&path, genesis)?;
        self.remove_before(&name);
        Ok(self.keep(name, index))
    }

    /// Opens the live generation for reading; `None` when there is no index yet.
    pub fn open_read_only(&self) -> Result<Option<Arc<Generation>>, StageError> {
        let name = self.current_or_error()?;
        match Index::open_read_only(self.folder.join(&name)) {
            Ok(index) => Ok(Some(self.keep(name, index))),
            Err(chipwire_index::Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How far the live index has come; `None` when there is none yet. Nothing is opened for searching, so that it costs those
    /// who serve nothing.
    pub fn live_checkpoint(&self) -> Result<Option<Checkpoint>, StageError> {
        let name = self.current_or_error()?;
        match self.get() {
            Some(opened) if opened.name == name => Ok(Some(opened.index.checkpoint()?)),
            _ => self.checkpoint_of(&name),
        }
    }

    /// How far the indexes have come that are being built to take the live one's place.
    pub fn coming_checkpoints(&self) -> Result<Vec<Checkpoint>, StageError> {
        let current = self.current_or_error()?;
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let names = entries.flatten().filter(|entry| entry.path().is_dir());
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        // One that has no commit yet has come nowhere.
        let checkpoint = |name: String| Ok(self.checkpoint_of(&name)?.unwrap_or_default());
        names.filter(|name| *name > current).map(checkpoint).collect()
    }

    fn checkpoint_of(&self, name: &str) -> Result<Option<Checkpoint>, StageError> {
        match Index::open_read_only(self.folder.join(name)) {
            Ok(index) => Ok(Some(index.checkpoint()?)),
            Err(chipwire_index::Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&self, name: String, index: Index) -> Arc<Generation> {
        let generation = Arc::new(Generation { name, index });
        self.opened.store(Some(Arc::clone(&generation)));
        generation
    }

    /// The generation that was opened last, by whomever in this process.
    pub fn get(&self) -> Option<Arc<Generation>> {
        self.opened.load_full()
    }

    /// Whether `generation` is still the live one.
    pub fn is_live(&self, generation: &Generation) -> bool {
        self.current().is_ok_and(|current| current == generation.name)
    }

    /// Makes an empty generation beside the live one.
    pub fn begin(&self, genesis: &str) -> Result<Generation, StageError> {
        let number: u32 = self.current_or_error()?.parse().unwrap_or(0);
        let name = format!("{:04}", number + 1);
        let path = self.folder.join(&name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|source| StageError::Io {
                action: format!("failed to remove the unfinished index `{}`", path.display()),
                source,
            })?;
        }
        make_folder(&path)?;
        let index = Index::open_or_create(&path, genesis)?;
        Ok(Generation { name, index })
    }

    /// Makes `generation` the live one.
    pub fn swap(&self, generation: &Generation) -> Result<(), StageError> {
        let name = &generation.name;
        let write = || -> io::Result<()> {
            let path = self.folder.join(CURRENT);
            let new = self.folder.join("CURRENT.new");
            let mut file = File::create(&new)?;
            writeln!(file, "{name}")?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|source| StageError::Io {
            action: format!("failed to make index `{}` the live one", self.folder.join(name).display()),
            source,
        })
    }

    /// Removes the generations before `name`: a process that still has one open keeps its files until it closes them.
    fn remove_before(&self, name: &str) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.path().is_dir() && entry.file_name().to_string_lossy().as_ref() < name {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn make_folder(path: &Path) -> Result<(), StageError> {
    fs::create_dir_all(path)
        .map_err(|source| StageError::Io { action: format!("failed to create `{}`", path.display()), source })
}
