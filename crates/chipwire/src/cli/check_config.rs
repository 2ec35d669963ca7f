//! `chipwire check-config`

use std::{
    env,
    io::{self, Write},
};

use anyhow::Result;
use chipwire_alerts::Sinks;

use super::Global;
use crate::{config::Backend, feed_list};

pub(super) fn run(global: &Global) -> Result<()> {
    let config = global.config()?;
    let feeds = feed_list::configured(&config.feeds)?;
    let sinks = Sinks::from_config(&config.sinks, io::sink(), |name| env::var(name).ok())?;
    let log = match config.log.backend {
        Backend::Sqlite => "sqlite",
        Backend::Kafka => "kafka",
    };
    let mut out = io::stdout().lock();
    writeln!(out, "the configuration is good")?;
    writeln!(out, "  data directory  {}", config.data_dir.display())?;
    writeln!(out, "  log             {log}, topics {}*", config.log.prefix)?;
    writeln!(out, "  feeds           {}", feeds.len())?;
    writeln!(out, "  sinks           {}", sinks.names().collect::<Vec<_>>().join(", "))?;
    writeln!(out, "  listens on      {}", config.server.listen)?;
    Ok(())
}
