//! A line of text for every alert.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use chipwire_events::Alert;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::{DeliverError, Retry, Sink};

/// Writes a line per alert to a writer, as a rule standard output.
pub(super) struct Terminal(Mutex<Box<dyn Write + Send>>);

impl Terminal {
    pub(super) fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }
}

impl Sink for Terminal {
    fn deliver<'a>(&'a self, alert: &'a Alert, _now: Timestamp) -> BoxFuture<'a, Result<(), DeliverError>> {
        let line = line(alert);
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(|error| DeliverError {
            message: format!("failed to write to the terminal: {error}"),
            retry: Retry::Later(None),
        });
        Box::pin(std::future::ready(result))
    }
}

fn line(alert: &Alert) -> String {
    let mut line = format!(
        "{}  alert `{}`: {} ({})",
        alert.published.strftime("%Y-%m-%d %H:%M UTC"),
        alert.rule_name,
        alert.title,
        alert.source
    );
    if !alert.entities.is_empty() {
        line.push_str("  [");
        line.push_str(&alert.entities.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(" "));
        if alert.entities.len() > 5 {
            line.push_str(" ...");
        }
        line.push(']');
    }
    if let Some(url) = &alert.url {
        line.push_str("  ");
        line.push_str(url);
    }
    // Titles come from strangers: an escape sequence in one must not reach the terminal, nor a second line be faked.
    let mut line: String = line.chars().map(|c| if c.is_control() || is_bidi_control(c) { ' ' } else { c }).collect();
    line.push('\n');
    line
}

/// Characters that change the direction in which the text around them is shown.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::testing;

    #[test]
    fn one_line_per_alert() {
        expect![[r#"
            2026-11-20 14:00 UTC  alert `h20`: Nvidia ships (Example News)  [company:nvidia]  https://example.org/1
        "#]]
        .assert_eq(&line(&testing::alert()));
    }

    #[test]
    fn a_title_cannot_drive_the_terminal() {
        let mut alert = testing::alert();
        alert.title = "\u{1b}[2J\u{1b}]0;owned\u{7}\nfake line\r\u{202e}".to_owned();
        alert.url = None;
        alert.entities = (0..7).map(|n| format!("chip:c{n}")).collect();
        expect![[r#"
            2026-11-20 14:00 UTC  alert `h20`:  [2J ]0;owned  fake line   (Example News)  [chip:c0 chip:c1 chip:c2 chip:c3 chip:c4 ...]
        "#]]
        .assert_eq(&line(&alert));
    }
}
