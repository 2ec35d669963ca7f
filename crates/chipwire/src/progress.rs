//! Progress bars, where there is somebody to see them.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that runs up to `total` of `unit`. Drawn on standard error, and only if that is a terminal.
pub fn bar(total: u64, unit: &str) -> ProgressBar {
    let template = if unit == "bytes" {
        "{bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left".to_owned()
    } else {
        format!("{{bar:40}} {{human_pos}}/{{human_len}} {unit} {{per_sec}} {{eta}} left")
    };
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}
