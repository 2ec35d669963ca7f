//! The overlay of the gazetteer: files that are read from a folder, and read again when they have changed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use chipwire_enrich::{Draft, Gazetteer, Tagger};

use crate::{health::Health, runner::chain};

/// How often the folder is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Why there is no tagger.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("failed to read overlay `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What was read makes no sense.
    #[error(transparent)]
    Gazetteer(#[from] chipwire_enrich::Error),
}

/// A file as (name, text).
pub type File = (String, String);

/// The files of an overlay in the order in which they are laid: `path` itself if it is a file, or every `*.toml` in that folder by
/// name, hidden ones left out.
pub fn read(path: &Path) -> Result<Vec<File>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Io { path, source }
    };
    let paths = if fs::metadata(path).map_err(failed(path))?.is_dir() {
        listed(path).map_err(failed(path))?
    } else {
        vec![path.to_owned()]
    };
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // A pipe would never be at its end. What cannot be looked at is said when it is read.
        let is_file = fs::metadata(&path).map_or(true, |found| found.is_file());
        let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if is_file && !is_hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// What is part of the program, under the overlay in `path` if there is one; not checked yet.
pub fn draft(path: Option<&Path>) -> Result<Draft, Error> {
    let files = path.map(read).transpose()?.unwrap_or_default();
    Ok(laid(&files)?)
}

/// The gazetteer that is part of the program, under the overlay in `path` if there is one.
pub fn gazetteer(path: Option<&Path>) -> Result<Gazetteer, Error> {
    Ok(Gazetteer::try_from(draft(path)?)?)
}

fn laid(files: &[File]) -> chipwire_enrich::Result<Draft> {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(Draft::builtin()?.with_overlay(&files))
}

/// The tagger of this process. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Taggers(Arc<Inner>);

#[derive(Default)]
struct Inner {
    overlay: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Tagger>>,
    looked: Option<Instant>,
    /// The files as they were when they were looked at last.
    seen: Option<Stamps>,
    /// They have changed, and are read once they are found the same twice: whoever writes one may be at it still.
    unsettled: bool,
    /// Of what was taken or refused last.
    tried: String,
    broken: bool,
}

/// What a change of the files changes, or why they cannot be looked at.
type Stamps = Result<Vec<Stamp>, String>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    size_bytes: u64,
    modified: Option<SystemTime>,
    /// What tells a file that was put in the place of another with the same time and size.
    #[cfg(unix)]
    inode: (u64, u64, i64, i64),
}

/// What came of a look at the overlay.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another tagger takes over.
    Taken(Arc<Tagger>),
    /// What is there now cannot be used, and the tagger stays.
    Refused(String),
    /// It can be used again, and is what the tagger has.
    Mended,
}

impl Taggers {
    /// With the gazetteer that is part of the program, under the overlay in this file or folder.
    pub fn new(overlay: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { overlay, state: Mutex::default() }))
    }

    /// The tagger; compiled when it is asked for first.
    pub fn get(&self) -> Result<Arc<Tagger>, Error> {
        let state = &mut *self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tagger) = &state.current {
            return Ok(Arc::clone(tagger));
        }
        // Looked at before they are read, so that no change in between is missed.
        state.seen = Some(stamps(self.0.overlay.as_deref()));
        let files = self.0.overlay.as_deref().map(read).transpose()?.unwrap_or_default();
        state.tried = digest(&files);
        let tagger = Arc::new(Tagger::new(Gazetteer::try_from(laid(&files)?)?));
        state.current = Some(Arc::clone(&tagger));
        Ok(tagger)
    }

    /// The tagger of the overlay as it is now, also where nobody looks after it: where the enrich stage is another process's.
    pub fn latest(&self) -> Result<Arc<Tagger>, Error> {
        let is_looked_after = self.0.state.lock().unwrap_or_else(PoisonError::into_inner).looked.is_some();
        if is_looked_after { self.get() } else { Ok(Arc::new(Tagger::new(gazetteer(self.0.overlay.as_deref())?))) }
    }

    /// Looks, now and then, whether the overlay has changed, and takes it over.
    pub fn look(&self, now: Instant) -> Option<Change> {
        let overlay = self.0.overlay.as_deref()?;
        let state = &mut *self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.is_some_and(|looked| now.saturating_duration_since(looked) < INTERVAL) {
            return None;
        }
        state.looked = Some(now);
        let seen = Some(stamps(Some(overlay)));
        if seen != state.seen {
            (state.seen, state.unsettled) = (seen, true);
            return None;
        }
        if !state.unsettled {
            return None;
        }
        state.unsettled = false;
        let files = read(overlay);
        let tried = match &files {
            Ok(files) => digest(files),
            Err(error) => chain(error),
        };
        if tried == state.tried {
            return None;
        }
        state.tried = tried;
        let made = files.and_then(|files| Ok(Gazetteer::try_from(laid(&files)?)?));
        let was_broken = std::mem::replace(&mut state.broken, made.is_err());
        match made {
            Err(error) => Some(Change::Refused(chain(&error))),
            Ok(new) if state.current.as_ref().is_some_and(|tagger| tagger.gazetteer().digest() == new.digest()) => {
                was_broken.then_some(Change::Mended)
            }
            Ok(new) => {
                let tagger = Arc::new(Tagger::new(new));
                state.current = Some(Arc::clone(&tagger));
                Some(Change::Taken(tagger))
            }
        }
    }
}

impl Change {
    /// Says in the log and in the metrics what came of it.
    pub fn report(&self, stage: &'static str, health: &Health) {
        match self {
            Change::Taken(tagger) => {
                let digest = tagger.gazetteer().digest();
                tracing::info!(stage, gazetteer = digest, "the overlay has changed and is in use");
                health.metrics.gazetteer(digest);
                health.metrics.overlay("taken", false);
            }
            Change::Refused(why) => {
                tracing::error!(stage, "the overlay has changed and cannot be used, the one before stays: {why}");
                health.metrics.overlay("refused", true);
            }
            Change::Mended => {
                tracing::info!(stage, "the overlay is again the one in use");
                health.metrics.overlay("taken", false);
            }
        }
    }
}

fn digest(files: &[File]) -> String {
    let parts: Vec<&str> = files.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]).collect();
    chipwire_events::hash_hex(32, &parts)
}

fn stamps(overlay: Option<&Path>) -> Stamps {
    let Some(overlay) = overlay else { return Ok(Vec::new()) };
    let stamps = || {
        let is_folder = fs::metadata(overlay)?.is_dir();
        let paths = if is_folder { listed(overlay)? } else { vec![overlay.to_owned()] };
        paths.into_iter().map(stamp).collect::<io::Result<Vec<_>>>()
    };
    stamps().map_err(|error| error.to_string())
}

fn stamp(path: PathBuf) -> io::Result<Stamp> {
    // A link is followed: what it leads to is what is read.
    let found = fs::metadata(&path)?;
    #[cfg(unix)]
    let inode = {
        use std::os::unix::fs::MetadataExt;
        (found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
    };
    Ok(Stamp {
        path,
        size_bytes: found.len(),
        modified: found.modified().ok(),
        #[cfg(unix)]
        inode,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: &str = "kind = \"company\"\n[[entity]]\nid = \"acme-photonics\"\nname = \"Acme Photonics\"\n\
                       aliases = [{ text = \"Acme Photonics\", mode = \"free\" }]\n";

    /// A folder with an overlay, and a clock that is set.
    struct Site {
        folder: tempfile::TempDir,
        taggers: Taggers,
        now: Instant,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let taggers = Taggers::new(Some(folder.path().to_owned()));
            taggers.get().unwrap();
            Self { folder, taggers, now: Instant::now() }
        }

        /// Puts a file into its place as a whole.
        fn put(&self, name: &str, text: &str) {
            let fresh = self.folder.path().join("fresh");
            fs::write(&fresh, text).unwrap();
            fs::rename(fresh, self.folder.path().join(name)).unwrap();
        }

        /// What comes of so many looks, an interval between them.
        fn looks(&mut self, count: usize) -> Vec<Change> {
            let look = |_| {
                self.now += INTERVAL;
                self.taggers.look(self.now)
            };
            (0..count).filter_map(look).collect()
        }

        fn finds(&self) -> bool {
            !self.taggers.get().unwrap().tag_text("Acme Photonics rose").is_empty()
        }
    }

    #[test]
    fn what_changes_is_taken_over_once() {
        let mut site = Site::new();
        assert!(site.looks(3).is_empty() && !site.finds());
        site.put("a.toml", ADD);
        assert!(site.looks(1).is_empty(), "a file may be written to while it is looked at first");
        assert!(matches!(site.looks(5).as_slice(), [Change::Taken(_)]) && site.finds());
        // Another file of the same length, put in its place.
        site.put("a.toml", &ADD.replace("Acme", "Acne"));
        assert!(matches!(site.looks(5).as_slice(), [Change::Taken(_)]) && !site.finds());
        // Not in the form of an overlay's file, or of none.
        site.put("notes.txt", "x");
        site.put(".a.toml", "x");
        fs::create_dir(site.folder.path().join("old.toml")).unwrap();
        assert!(site.looks(5).is_empty());
        fs::remove_file(site.folder.path().join("a.toml")).unwrap();
        assert!(matches!(site.looks(5).as_slice(), [Change::Taken(_)]));
        let ours = Gazetteer::builtin().unwrap();
        assert_eq!(site.taggers.get().unwrap().gazetteer().digest(), ours.digest());
    }

    #[test]
    fn what_is_broken_is_said_once_and_what_was_goes_on() {
        let mut site = Site::new();
        site.put("a.toml", ADD);
        assert_eq!(site.looks(5).len(), 1);
        site.put("b.toml", "kind = \"company\"\n[[change]]\nid = \"nobody\"\n");
        let refused = site.looks(9);
        assert!(
            matches!(refused.as_slice(), [Change::Refused(why)] if why.contains("b.toml`, line 3, entity `company:nobody`")),
            "{refused:?}"
        );
        assert!(site.finds());
        site.put("b.toml", "kind = ");
        assert!(matches!(site.looks(9).as_slice(), [Change::Refused(_)]));
        fs::remove_file(site.folder.path().join("b.toml")).unwrap();
        assert!(matches!(site.looks(9).as_slice(), [Change::Mended]));
        let folder = site.folder.path().to_owned();
        fs::rename(&folder, folder.with_extension("away")).unwrap();
        assert!(matches!(site.looks(9).as_slice(), [Change::Refused(_)]) && site.finds());
        fs::rename(folder.with_extension("away"), &folder).unwrap();
        assert!(matches!(site.looks(9).as_slice(), [Change::Mended]));
    }

    /// Where the enrich stage is another process's, nobody looks at the overlay, and a gap is filled with what is there.
    #[test]
    fn the_latest_is_read_anew_where_nobody_looks() {
        let mut site = Site::new();
        let finds = |taggers: &Taggers| !taggers.latest().unwrap().tag_text("Acme Photonics rose").is_empty();
        site.put("a.toml", ADD);
        assert!(finds(&site.taggers) && !site.finds());
        site.put("b.toml", "kind = ");
        assert!(site.taggers.latest().is_err());
        site.looks(5);
        assert!(!finds(&site.taggers), "the one in use, where somebody looks");
    }

    #[test]
    fn a_broken_overlay_is_an_error_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let start = |path: &Path| Taggers::new(Some(path.to_owned())).get().map(|_| ()).map_err(|error| chain(&error));
        assert!(start(&folder.path().join("none")).unwrap_err().starts_with("failed to read overlay `"));
        fs::write(folder.path().join("a.toml"), "kind = 1").unwrap();
        assert!(start(folder.path()).unwrap_err().contains("a.toml`, line 1, key `kind`: invalid type"));
        #[cfg(unix)]
        {
            let link = folder.path().join("link.toml");
            std::os::unix::fs::symlink("nowhere", &link).unwrap();
            fs::write(folder.path().join("a.toml"), "kind = \"company\"").unwrap();
            assert!(start(folder.path()).unwrap_err().contains("link.toml`: No such file"));
            fs::remove_file(link).unwrap();
        }
        fs::write(folder.path().join("a.toml"), b"\xff").unwrap();
        assert!(start(folder.path()).unwrap_err().contains("a.toml`: stream did not contain valid UTF-8"));
    }
}
