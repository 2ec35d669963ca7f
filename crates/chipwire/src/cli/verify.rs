//! `chipwire verify`

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Result;
use chipwire_events::Topic;
use clap::Args;

use super::Global;
use crate::{
    progress,
    verify::{Report, verify},
};

pub(super) const EXAMPLE: &str = "Reads all of log and index, also while a daemon is running. What no stage has come to yet is on its \
                                  way, and no problem.\nExits with 1 if anything is off.\n\nExample:\n  chipwire verify --json | jq .counts";

/// Problems that are shown of each kind.
const SHOWN: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let opened = global.open()?;
        let log = &opened.log;
        let mut events = 0;
        for topic in [Topic::ArticlesRaw, Topic::ArticlesTagged, Topic::Alerts, Topic::DeadLetters] {
            let bounds = log.backend().bounds(log.name(topic))?;
            events += bounds.iter().map(|bounds| (bounds.high - bounds.low).unsigned_abs()).sum::<u64>();
        }
        let bar = progress::bar(events, "events");
        let generation = opened.generations.open_read_only()?;
        let report =
            verify(log, generation.as_ref().map(|generation| &generation.index), |read| bar.set_position(read))?;
        bar.finish_and_clear();
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            print(&report, &mut out)?;
        }
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut line = |name: &str, number: u64, note: &str| writeln!(out, "{name:<22} {number:>12}{note}");
    let waiting = |number: u64| if number > 0 { format!("   {number} on their way") } else { String::new() };
    line("raw events", report.raw, &waiting(report.raw_on_their_way))?;
    line("  tagged", report.tagged, "")?;
    if report.retagged > 0 {
        line("  tagged anew", report.retagged, "")?;
    }
    line("  rejected", report.rejected, "")?;
    line("articles", report.articles, "")?;
    match report.documents {
        Some(documents) => line("documents", documents, &waiting(report.tagged_on_their_way))?,
        None => line("documents", 0, "   there is no index here")?,
    }
    if report.rejected_by_index > 0 {
        line("  rejected by the index", report.rejected_by_index, "")?;
    }
    line("alerts", report.alerts, "")?;
    let letters: Vec<String> = report.dead_letters.iter().map(|(class, count)| format!("{class} {count}")).collect();
    let letters = if letters.is_empty() { String::new() } else { format!("   {}", letters.join(", ")) };
    line("dead letters", report.dead_letters.values().sum(), &letters)?;
    if report.ok {
        return writeln!(out, "\nnothing lost, nothing double");
    }
    for (kind, count) in &report.counts {
        writeln!(out, "\n{count} {kind}")?;
        for problem in report.problems.iter().filter(|problem| problem.kind == *kind).take(SHOWN) {
            writeln!(out, "  {}: {}", problem.place, problem.what)?;
        }
        if *count > SHOWN as u64 {
            writeln!(out, "  ...")?;
        }
    }
    Ok(())
}
