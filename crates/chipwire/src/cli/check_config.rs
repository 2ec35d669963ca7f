//! `chipwire check-config`

use std::{
    env,
    io::{self, Write},
};

use anyhow::{Context as _, Result};
use chipwire_alerts::Sinks;

use super::Global;
use crate::{
    config::{Backend, Config},
    feed_list, hubs,
};

pub(super) fn run(global: &Global) -> Result<()> {
    let config = global.config()?;
    let (feeds, _) = feed_list::configured(&config.feeds)?;
    let sinks = Sinks::from_config(&config.sinks, io::sink(), |name| env::var(name).ok())?;
    config.server.access(|name| env::var(name).ok()).context("`server`")?;
    hubs::check_env(&config.fetch).context("`fetch.websub_key_env`")?;
    let overlays = config.enrich.overlays.as_deref();
    let gazetteer = crate::overlay::gazetteer(overlays).context("`enrich.overlays`")?;
    let file = Config::file(global.config.as_deref());
    #[cfg(feature = "kafka")]
    config.check_kafka_secrets(file.as_deref(), |name| env::var(name).ok())?;
    let file = file.map_or("none, all defaults".to_owned(), |file| file.display().to_string());
    let log = match config.log.backend {
        Backend::Sqlite => "sqlite",
        Backend::Kafka => "kafka",
    };
    let mut out = io::stdout().lock();
    writeln!(out, "the configuration is good")?;
    writeln!(out, "  file            {file}")?;
    writeln!(out, "  data directory  {}", config.data_dir.display())?;
    writeln!(out, "  log             {log}, topics {}*", config.log.prefix)?;
    writeln!(out, "  feeds           {}", feeds.len())?;
    writeln!(out, "  sinks           {}", sinks.names().collect::<Vec<_>>().join(", "))?;
    let overlays = overlays.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    writeln!(out, "  overlay         {overlays}")?;
    writeln!(out, "  gazetteer       {}, {} entities", gazetteer.digest(), gazetteer.entities().len())?;
    writeln!(out, "  listens on      {}", config.server.listen)?;
    if let Some(hint) = config.fetch.anonymous() {
        writeln!(io::stderr(), "chipwire: {hint}")?;
    }
    Ok(())
}
