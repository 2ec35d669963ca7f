//! Reads the gazetteer once and for all, so that no start of the program has to: what is built in is every file in the binary
//! form of postcard, which is read many times as fast as TOML. A file that cannot be read is an error of the build.
//!
//! And groups Chinese characters by what they are in simplified writing: see `src/lexicon/han.rs`.

#![allow(clippy::print_stdout, reason = "cargo is spoken to so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs,
    path::Path,
};

use zhhz::{Config, Converter};

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
    fs::write(Path::new(&out).join("han.txt"), han())?;
    Ok(())
}

/// On each line the characters that are the same in simplified writing, that one first.
fn han() -> String {
    let (japanese, traditional) = (Converter::new(Config::Jp2t), Converter::new(Config::Hk2s));
    let characters = || ('\u{3400}'..='\u{9fff}').map(String::from);
    let simplified = characters().map(|ch| (traditional.convert(&ch), ch)).filter(|(plain, ch)| plain != ch);
    let simplified: Vec<(String, String)> = simplified.collect();
    let plain: BTreeSet<&str> = simplified.iter().map(|(plain, _)| &**plain).collect();
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    // 坏 is what 壞 becomes, though it becomes 坯 itself.
    for (to, ch) in simplified.iter().filter(|(_, ch)| !plain.contains(&**ch)) {
        groups.entry(to.clone()).or_default().push_str(ch);
    }
    let known: BTreeSet<char> = simplified.iter().flat_map(|(to, ch)| [to, ch]).flat_map(|ch| ch.chars()).collect();
    // What is a character of China as well is not asked for what it is in Japan: 芸 is 藝 there.
    for ch in characters().filter(|ch| !ch.chars().any(|ch| known.contains(&ch))) {
        let to = traditional.convert(&japanese.convert(&ch));
        if to != ch {
            groups.entry(to).or_default().push_str(&ch);
        }
    }
    groups.iter().flat_map(|(to, others)| [to.as_str(), others, "\n"]).collect()
}
