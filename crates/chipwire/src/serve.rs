//! SERVE: the page and the API over the index and what else the log says.
//!
//! - reads `feeds`, `feed-states`, `rules`, `alerts`, `deliveries` and the end of `articles.tagged`
//! - writes what users ask for over the API: `feeds`, `rules`
//! - position: none; everything is read anew at the start
//! - on failure: the log's side is started anew with its state as it was; searching goes on meanwhile

use std::{collections::VecDeque, env, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use chipwire_events::{Event, Message, Topic};
use chipwire_index::{Checkpoint, Document};
use chipwire_log::{Limit, Positions, StoredRecord};
use chipwire_server::{App, Board, Command, CommandError, Commands, News, StreamItem};
use tokio::net::TcpListener;

use crate::{
    feed_list,
    generations::Generations,
    hubs,
    pipeline::Opened,
    runner::{Context, StageError, chain},
    stages::index::document,
    wire::{self, Log},
};

/// The name under which it reports its health.
pub const STAGE: &str = "serve";

/// The longest that a new event or a new index may go unseen.
const WAIT: Duration = Duration::from_millis(100);

/// The topics whose latest record per key is all that counts.
const STATES: [Topic; 4] = [Topic::Feeds, Topic::FeedStates, Topic::Rules, Topic::Deliveries];

/// Articles that wait to become searchable before the live stream shows them.
const MAX_ANNOUNCED_LATER: usize = 1_000;

/// Keeps `board` up to date until it is asked to stop.
pub fn follow(context: &Context, board: &Board, generations: &Generations) -> Result<(), StageError> {
    let log = &context.log;
    refresh(generations)?;
    let mut positions = not_searchable_yet(log, generations)?;
    for topic in STATES {
        let state = log.backend().state(log.name(topic), None)?;
        for stored in state.records.values() {
            apply(board, topic, stored);
        }
        positions.extend(state.positions);
    }
    board.caught_up();
    let topics: Vec<&str> =
        STATES.into_iter().chain([Topic::Alerts, Topic::ArticlesTagged]).map(|topic| &**log.name(topic)).collect();
    let alerts_before = log.end_of(Topic::Alerts)?;
    let mut reader = log.backend().reader(&topics, &positions)?;
    let mut announce = Announcements::default();
    while !context.shutdown.requested() {
        let batch = reader.next(Limit::default(), WAIT)?;
        for stored in &batch.records {
            let Some(topic) = log.topic(&stored.record.topic) else { continue };
            apply(board, topic, stored);
            let is_new = alerts_before.get(&stored.partition_id()).is_none_or(|end| stored.offset >= *end);
            match wire::decode(stored) {
                Ok((_, Event::AlertRaised(alert))) if is_new => {
                    board.publish(StreamItem { id: position(stored), news: News::Alert(Box::new(alert)) });
                }
                // What was tagged anew is no news.
                Ok((envelope, Event::ArticleTagged(tagged))) if envelope.covers.is_some() => {
                    announce.later(stored, document(tagged))
                }
                _ => {}
            }
        }
        refresh(generations)?;
        if let Some(generation) = generations.get() {
            announce.searchable(board, &generation.index.checkpoint()?);
        }
        context.health.well(STAGE);
    }
    Ok(())
}

/// Where in the tagged articles the live stream begins: with those that cannot be searched yet, as far as it would keep them.
fn not_searchable_yet(log: &Log, generations: &Generations) -> Result<Positions, StageError> {
    let mut positions = log.end_of(Topic::ArticlesTagged)?;
    let checkpoint = match generations.get() {
        Some(generation) => generation.index.checkpoint()?,
        None => Checkpoint::default(),
    };
    for (id, end) in &mut positions {
        let indexed = checkpoint.positions.get(&id.partition).copied().unwrap_or(0);
        *end = indexed.max(*end - MAX_ANNOUNCED_LATER as i64).min(*end);
    }
    Ok(positions)
}

fn apply(board: &Board, topic: Topic, stored: &StoredRecord) {
    match wire::decode(stored) {
        Ok((_, event)) => board.apply(&event),
        Err(_) if stored.record.value.is_none() => board.remove(topic, &wire::key(stored)),
        Err(error) => {
            tracing::warn!(stage = STAGE, topic = topic.name(), offset = stored.offset, "{}", chain(&error));
        }
    }
}

/// A record's place in the log, as the live stream names it.
fn position(stored: &StoredRecord) -> String {
    format!("{}/{}/{}", stored.record.topic, stored.record.partition, stored.offset)
}

/// Opens the index when there is one at last or another generation has become the live one, and looks for new commits of
/// other processes.
fn refresh(generations: &Generations) -> Result<(), StageError> {
    match generations.get() {
        Some(generation) if generations.is_live(&generation) => {
            generation.index.reload()?;
        }
        _ => {
            generations.open_read_only()?;
        }
    }
    Ok(())
}

/// Articles that were tagged and cannot be searched yet.
#[derive(Default)]
struct Announcements(VecDeque<(u32, i64, StreamItem)>);

impl Announcements {
    fn later(&mut self, stored: &StoredRecord, document: Document) {
        if self.0.len() >= MAX_ANNOUNCED_LATER {
            self.0.pop_front();
        }
        let item = StreamItem { id: position(stored), news: News::Article(Box::new(document)) };
        self.0.push_back((stored.record.partition, stored.offset, item));
    }

    fn searchable(&mut self, board: &Board, checkpoint: &Checkpoint) {
        let indexed = |partition: u32, offset: i64| {
            checkpoint.positions.get(&partition).is_some_and(|position| *position > offset)
        };
        let (now, later): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|(partition, offset, _)| indexed(*partition, *offset));
        self.0 = later;
        for (_, _, item) in now {
            board.publish(item);
        }
    }
}

/// Carries out what users ask for over the API.
fn commands(context: &Context) -> Commands {
    let context = context.clone();
    Arc::new(move |command| {
        let context = context.clone();
        Box::pin(async move {
            let carried_out = tokio::task::spawn_blocking(move || carry_out(&context, command)).await;
            match carried_out {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(CommandError(chain(&error))),
                Err(error) => Err(CommandError(error.to_string())),
            }
        })
    })
}

fn carry_out(context: &Context, command: Command) -> Result<(), StageError> {
    let log = &context.log;
    let now = (context.now)();
    let records = match command {
        Command::AddFeed(feed) => vec![feed_list::follow(log, &feed, now)?],
        Command::RemoveFeed(id) => feed_list::unfollow(log, &id).to_vec(),
        Command::SaveRule(rule) => vec![log.encode(&Event::RuleSaved(rule), now, None)?],
        Command::RemoveRule(id) => vec![log.record(Message::tombstone(Topic::Rules, id.as_str()))],
    };
    // A name of its own for every process: several may serve the same log.
    log.backend().writer(&format!("server-{}", context.member))?.append(&records)?;
    Ok(())
}

/// Binds the address of the configuration, or `port` on it.
pub async fn bind(listen: SocketAddr, port: Option<u16>) -> Result<TcpListener> {
    let address = SocketAddr::new(listen.ip(), port.unwrap_or_else(|| listen.port()));
    TcpListener::bind(address).await.with_context(|| {
        format!("failed to listen on {address}; choose another port with --port, or 0 for any that is free")
    })
}

/// What the server is given.
pub fn app(opened: &Opened, context: &Context, board: Arc<Board>) -> Result<App> {
    let config = opened.config.server.clone();
    let access = config.access(|name| env::var(name).ok())?;
    let generations = Arc::clone(&opened.generations);
    let health = context.health.clone();
    let lag_limit = opened.config.index.lag_limit_events;
    let metrics = context.health.clone();
    let key = hubs::key(&opened.config.fetch, &opened.config.data_dir)?;
    let hubs = key.map(|key| hubs::desk(key, Arc::clone(&board), context));
    Ok(App {
        hubs,
        search: Arc::new(move || generations.get().map(|generation| generation.index.searcher())),
        board,
        commands: Some(commands(context)),
        sinks: opened.sinks()?.names().map(str::to_owned).collect(),
        health: Arc::new(move || chipwire_server::Health { reasons: health.not_ready(lag_limit), hung: health.hung() }),
        metrics: Arc::new(move || metrics.encode_metrics()),
        now: context.now,
        config,
        access,
    })
}
