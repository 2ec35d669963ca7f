//! Hubs that push feeds: the key of the subscriptions, and what happens to what a hub says.

use std::{
    env, fs,
    io::{ErrorKind, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Event, FeedPush};
use chipwire_feeds::{
    FetchConfig,
    websub::callback::{Answer, Key},
};
use chipwire_log::Writer;
use chipwire_server::{Board, HubAnswer, HubAsk, HubDesk, HubRequest};

use crate::runner::{Context, StageError, chain};

/// The file of the key in the data directory.
const KEY_FILE: &str = "websub.key";

/// The shortest key that an environment variable may hold, in characters.
const KEY_MIN_CHARS: usize = 32;

/// The key of the subscriptions: from the environment, or from the data directory, where it is made if it is missing. `None`
/// when hubs cannot reach this chipwire.
pub fn key(config: &FetchConfig, data_dir: &Path) -> Result<Option<Key>> {
    if config.websub_callback.is_none() {
        return Ok(None);
    }
    if let Some(key) = check_env(config)? {
        return Ok(Some(key));
    }
    let path = data_dir.join(KEY_FILE);
    loop {
        match fs::read(&path) {
            Ok(bytes) => {
                let bytes = bytes
                    .try_into()
                    .ok()
                    .with_context(|| format!("`{}` is damaged: remove it, and hubs are asked anew", path.display()))?;
                return Ok(Some(Key::new(bytes)));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => make(&path)?,
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", path.display())),
        }
    }
}

/// The key in the environment, where the configuration names a variable for it.
pub fn check_env(config: &FetchConfig) -> Result<Option<Key>> {
    let Some(name) = config.websub_key_env.as_ref().filter(|_| config.websub_callback.is_some()) else {
        return Ok(None);
    };
    let key = env::var(name).with_context(|| format!("environment variable `{name}` is not set"))?;
    if key.chars().count() < KEY_MIN_CHARS {
        bail!(
            "the key in `{name}` must have at least {KEY_MIN_CHARS} characters; make one with `openssl rand -hex 32`"
        );
    }
    Ok(Some(Key::from_text(&key)))
}

/// Makes a key, unless another process is just doing so.
fn make(path: &Path) -> Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    // Written under another name first: who finds the file finds all of it.
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).with_context(failed)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).with_context(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error).with_context(failed),
    }
}

/// Answers hubs, and writes what they say about feeds that are followed to the log before it is acknowledged.
pub fn desk(key: Key, board: Arc<Board>, context: &Context) -> HubDesk {
    let desk = Arc::new(Desk { key, board, context: context.clone(), writer: Mutex::new(None) });
    Arc::new(move |request| {
        let desk = Arc::clone(&desk);
        Box::pin(async move {
            let answered = tokio::task::spawn_blocking(move || desk.answer(&request)).await;
            match answered {
                Ok(Ok(answer)) => answer,
                Ok(Err(error)) => {
                    tracing::warn!("what a hub sent cannot be written: {}", chain(&error));
                    unavailable()
                }
                Err(_) => unavailable(),
            }
        })
    })
}

fn unavailable() -> HubAnswer {
    HubAnswer { status: 503, body: String::new() }
}

struct Desk {
    key: Key,
    board: Arc<Board>,
    context: Context,
    /// One for all that is written: opening another of the same name would end it.
    writer: Mutex<Option<Box<dyn Writer>>>,
}

impl Desk {
    fn answer(&self, request: &HubRequest) -> Result<HubAnswer, StageError> {
        let (feed, token, now) = (&request.feed, request.token.as_str(), (self.context.now)());
        let Answer { status, body, push } = match &request.ask {
            HubAsk::Intent(query) => self.key.asked(feed, token, query, now),
            HubAsk::Content { signature, content_type, body } => {
                self.key.sent(feed, token, signature.as_deref(), content_type.as_deref(), body, now)
            }
        };
        if let Some(push) = push {
            // Only the hub itself gets to know that: it may forget the subscription (section 7).
            // As long as nobody knows, it is written: who takes it in knows, and forgets what is about no feed.
            if self.board.follows(feed) == Some(false) {
                return Ok(HubAnswer { status: 410, body: String::new() });
            }
            self.write(push)?;
        }
        Ok(HubAnswer { status, body })
    }

    fn write(&self, push: FeedPush) -> Result<(), StageError> {
        let log = &self.context.log;
        let received = push.received;
        let record = log.encode(&Event::FeedPushed(push), received, None)?;
        let mut kept = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match kept.take() {
            Some(writer) => writer,
            // A name of its own for every process: several may serve the same log.
            None => log.backend().writer(&format!("hubs-{}", self.context.member))?,
        };
        // After an error it is opened anew.
        writer.append(&[record])?;
        *kept = Some(writer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let off = FetchConfig::default();
        assert!(key(&off, folder.path()).unwrap().is_none());
        let on = FetchConfig { websub_callback: Some("https://public.host".to_owned()), ..FetchConfig::default() };
        assert!(key(&on, folder.path()).unwrap().is_some());
        let first = fs::read(folder.path().join(KEY_FILE)).unwrap();
        assert!(key(&on, folder.path()).unwrap().is_some());
        assert_eq!(fs::read(folder.path().join(KEY_FILE)).unwrap(), first);
        assert!(first.len() == 32 && first.iter().any(|byte| *byte != 0));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "nobody else may read it");
        }
        fs::write(folder.path().join(KEY_FILE), "short").unwrap();
        assert!(key(&on, folder.path()).unwrap_err().to_string().contains("is damaged"));
        let named = FetchConfig { websub_key_env: Some("CHIPWIRE_NO_SUCH_KEY".to_owned()), ..on };
        let error = key(&named, folder.path()).unwrap_err().to_string();
        assert_eq!(error, "environment variable `CHIPWIRE_NO_SUCH_KEY` is not set");
    }
}
