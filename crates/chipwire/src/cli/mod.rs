//! The command line. One file per command; a new one is a file, a variant of `Command` and its line in `run`.

mod check_config;
mod completions;
mod daemon;
mod dead_letters;
mod demo;
mod extract;
mod feeds;
mod feeds_parse;
mod gazetteer;
mod import;
mod index;
mod log;
mod retag;
mod rules;
mod search;
mod tag;
mod verify;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::{
    config::Config,
    pipeline::{Opened, Stage},
    telemetry::{self, LogFormat},
};

/// Watches news feeds, tags every article with the chips, companies and policies it mentions, makes it searchable within a
/// second, and raises alerts.
#[derive(Debug, Parser)]
#[command(name = "chipwire", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Example:\n  chipwire demo\n  chipwire run --config chipwire.toml")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
struct Global {
    /// The configuration [default: chipwire.toml, where there is one]
    #[arg(long, global = true, env = "CHIPWIRE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where log and index lie [default: `data_dir` of the configuration, or chipwire-data]
    #[arg(long, global = true, env = "CHIPWIRE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What is logged: a level, or directives such as `info,chipwire_feeds=debug`
    #[arg(long, global = true, env = "CHIPWIRE_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// The form of log lines
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,
}

impl Global {
    fn config(&self) -> Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data_dir) = &self.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        Ok(config)
    }

    /// The overlay that a command is to lay over the gazetteer: the one that it was given, or that of the configuration.
    fn overlay(&self, given: Option<&Path>) -> Result<Option<PathBuf>> {
        match given {
            Some(path) => Ok(Some(path.to_owned())),
            None => Ok(self.config()?.enrich.overlays),
        }
    }

    /// Opens the data directory, and makes the log's topics.
    fn open(&self) -> Result<Opened> {
        let opened = Opened::open(self.config()?)?;
        opened.log.ensure()?;
        Ok(opened)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything at work on bundled sample feeds, with no network and no configuration
    #[command(
        after_help = "Reads no configuration; without --data-dir, a temporary folder is used.\n\nExample:\n  chipwire demo --once"
    )]
    Demo(demo::Demo),
    /// Run everything in one process
    #[command(after_help = "Example:\n  chipwire run --config chipwire.toml")]
    Run(daemon::Serving),
    /// Run the fetch stage alone: poll feeds, publish articles
    #[command(after_help = "Example:\n  chipwire fetch --config chipwire.toml")]
    Fetch,
    /// Run the enrich stage alone: tag articles
    #[command(after_help = "Example:\n  chipwire enrich --config chipwire.toml")]
    Enrich,
    /// Run the index stage alone, or rebuild the index
    #[command(after_help = "Example:\n  chipwire index --config chipwire.toml\n  chipwire index rebuild")]
    Index(index::Index),
    /// Run the alert stages alone: hold articles against rules, deliver alerts
    #[command(after_help = "Example:\n  chipwire alert --config chipwire.toml")]
    Alert,
    /// Serve page and API alone
    #[command(after_help = "Example:\n  chipwire serve --port 8080")]
    Serve(daemon::Serving),
    /// Add articles from a file of JSON Lines
    #[command(after_help = import::EXAMPLE)]
    Import(import::Import),
    /// Search the articles
    #[command(after_help = search::EXAMPLE)]
    Search(search::Search),
    /// Tag text with the companies, chips and policies it mentions
    #[command(after_help = tag::EXAMPLE)]
    Tag(tag::Tag),
    /// The entities that are tagged: what is wrong with them, what a name means, what differs
    #[command(subcommand, after_help = "Example:\n  chipwire gazetteer lookup BIS")]
    Gazetteer(gazetteer::GazetteerCommand),
    /// Pick the article out of saved web pages
    #[command(after_help = extract::EXAMPLE)]
    Extract(extract::Extract),
    /// The feeds that are followed
    #[command(subcommand, after_help = "Example:\n  chipwire feeds add https://example.org/feed.xml")]
    Feeds(feeds::Feeds),
    /// The rules that raise alerts
    #[command(
        subcommand,
        after_help = "Example:\n  chipwire rules add 'chip:nvidia-h20 AND china' --name 'H20 in China'"
    )]
    Rules(rules::Rules),
    /// Tag the articles that are there with the gazetteer of this version
    #[command(after_help = retag::EXAMPLE)]
    Retag(retag::Retag),
    /// What could not be processed, kept whole
    #[command(subcommand, after_help = "Example:\n  chipwire dead-letters list")]
    DeadLetters(dead_letters::DeadLetters),
    /// The log of events
    #[command(subcommand, after_help = "Example:\n  chipwire log tail articles.tagged --follow")]
    Log(log::LogCommand),
    /// Look whether anything was lost or doubled between the log's events, the index and the alerts
    #[command(after_help = verify::EXAMPLE)]
    Verify(verify::Verify),
    /// Check the configuration and say what is wrong with it
    #[command(after_help = "Example:\n  chipwire check-config --config chipwire.toml")]
    CheckConfig,
    /// Print a script that completes commands in a shell
    #[command(after_help = "Example:\n  chipwire completions bash > /etc/bash_completion.d/chipwire")]
    Completions(completions::Completions),
}

/// Runs the command line, and says what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "chipwire: {}", message(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes, none of them twice.
fn message(error: &anyhow::Error) -> String {
    crate::runner::chain(error.as_ref())
}

/// The reader of our output went away, as `head` does: not our failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

fn run(cli: Cli) -> Result<ExitCode> {
    let Cli { global, command } = cli;
    let is_daemon = matches!(
        command,
        Command::Run(_) | Command::Fetch | Command::Enrich | Command::Index(_) | Command::Alert | Command::Serve(_)
    );
    telemetry::init(global.log.as_deref().unwrap_or(if is_daemon { "info" } else { "error" }), global.log_format)?;
    telemetry::quiet_panics();
    let done = |result: Result<()>| result.map(|()| ExitCode::SUCCESS);
    match command {
        Command::Demo(demo) => done(demo.run(&global)),
        Command::Run(serving) => done(daemon::run(&global, "run", &Stage::ALL, Some(&serving))),
        Command::Fetch => done(daemon::run(&global, "fetch", &[Stage::Fetch], None)),
        Command::Enrich => done(daemon::run(&global, "enrich", &[Stage::Enrich], None)),
        Command::Index(index) => done(index.run(&global)),
        Command::Alert => done(daemon::run(&global, "alert", &[Stage::Alert, Stage::Deliver], None)),
        Command::Serve(serving) => done(daemon::run(&global, "serve", &[], Some(&serving))),
        Command::Import(import) => import.run(&global),
        Command::Search(search) => done(search.run(&global)),
        Command::Tag(tag) => tag.run(&global),
        Command::Gazetteer(gazetteer) => gazetteer.run(&global),
        Command::Extract(extract) => done(extract.run()),
        Command::Feeds(feeds) => done(feeds.run(&global)),
        Command::Rules(rules) => done(rules.run(&global)),
        Command::Retag(retag) => done(retag.run(&global)),
        Command::DeadLetters(letters) => done(letters.run(&global)),
        Command::Log(log) => log.run(&global),
        Command::Verify(verify) => verify.run(&global),
        Command::CheckConfig => done(check_config::run(&global)),
        Command::Completions(completions) => done(completions.run()),
    }
}
