//! Reads the gazetteer once and for all, so that no start of the program has to: what is built in is every file in the binary
//! form of postcard, which is read many times as fast as TOML. A file that cannot be read is an error of the build.

#![allow(clippy::print_stdout, reason = "cargo is spoken to so")]

use std::{env, error::Error, fs, path::Path};

#[allow(dead_code, unreachable_pub, reason = "only the form is of use here")]
#[path = "src/gazetteer/file.rs"]
mod file;

#[allow(dead_code, unreachable_pub, reason = "only the lines of entities are of use here")]
#[path = "src/gazetteer/lines.rs"]
mod lines;

const GAZETTEER: &str = "gazetteer";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={GAZETTEER}");
    let mut paths =
        fs::read_dir(GAZETTEER)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let read: file::File = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let [lines] = lines::lines(&text, ["entity"]);
        files.push((name, read, lines));
    }
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&out).join("gazetteer.postcard"), postcard::to_allocvec(&files)?)?;
    Ok(())
}
