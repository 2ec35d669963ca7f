//! The write-ahead log that a crash leaves.
//!
//! SQLite reads it up to the first frame that does not fit and takes the rest for a transaction that was never finished. That
//! is right for the end of the file. When bytes in its middle are damaged, it silently drops acknowledged transactions. So
//! the file is looked through first: every transaction is synced before the next one is written, hence a frame that does not
//! fit, followed by the end of its own transaction *and* by another transaction, is damage.
//!
//! The format: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::failure::{Failure, Outcome};
use crate::Error;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// How often damage must be seen before it is believed: another process may be writing meanwhile.
const LOOKS: usize = 3;

/// The write-ahead log of the file at `path`.
pub(super) fn path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Fails when the write-ahead log of the file at `path` is damaged before its last transaction.
pub(super) fn check(path: &Path) -> Outcome<()> {
    let wal = self::path(path);
    let mut seen = None;
    for _ in 0..LOOKS {
        let found = look(&wal).map_err(|error| Error::Backend {
            action: format!("read write-ahead log `{}`", wal.display()),
            source: Box::new(error),
        })?;
        match (found, seen) {
            (None, _) => return Ok(()),
            (found, seen) if seen.is_some() && seen != found => return Ok(()),
            _ => seen = found,
        }
    }
    let Some(found) = seen else { return Ok(()) };
    Err(Failure::damaged(
        format!("frame {} of write-ahead log `{}`", found.frame, wal.display()),
        "transactions that were committed after it would be lost",
    ))
}

/// The first frame that does not fit though transactions follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    frame: u64,
    salts: [u8; 8],
}

fn look(path: &Path) -> io::Result<Option<Broken>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut input, &mut header)? {
        return Ok(None);
    }
    let magic = number(&header, 0);
    // Bit 0 says in which order the checksum reads the bytes of a word.
    let big_endian = magic & 1 == 1;
    let mut sum = Checksum { big_endian, s0: 0, s1: 0 };
    sum.add(header.get(..24).unwrap_or_default());
    let stored = (number(&header, 24), number(&header, 28));
    let page_bytes = number(&header, 8) as usize;
    let good_header = magic & !1 == 0x377f_0682 && (sum.s0, sum.s1) == stored && page_bytes.is_power_of_two();
    let salts: [u8; 8] = header.get(16..24).and_then(|salts| salts.try_into().ok()).unwrap_or_default();
    if !good_header {
        return damaged_header(&mut input, path);
    }

    let mut frame = vec![0; FRAME_HEADER_BYTES + page_bytes.clamp(512, 65_536)];
    let mut count = 0;
    let mut broken = None;
    // Commits of this generation after the broken frame.
    let mut commits = 0;
    while fill(&mut input, &mut frame)? {
        count += 1;
        let (head, page) = frame.split_at(FRAME_HEADER_BYTES);
        let same_salts = head.get(8..16) == Some(&salts);
        if broken.is_none() {
            sum.add(head.get(..8).unwrap_or_default());
            sum.add(page);
            let fits = same_salts && (sum.s0, sum.s1) == (number(head, 16), number(head, 20));
            if fits {
                continue;
            }
            broken = Some(Broken { frame: count, salts });
        } else if same_salts && commits > 0 {
            // Frames beyond the end of the transaction that the broken frame belongs to.
            let unchanged = File::open(path).and_then(|mut file| {
                let mut again = [0; HEADER_BYTES];
                file.seek(SeekFrom::Start(0))?;
                Ok(fill(&mut file, &mut again)? && again == header)
            })?;
            return Ok(broken.filter(|_| unchanged));
        }
        // The size of the file after the commit; 0 in frames that do not end a transaction.
        if same_salts && number(head, 4) != 0 {
            commits += 1;
        }
    }
    Ok(None)
}

/// With a damaged header SQLite takes the whole for empty. It is right when nothing was ever written after it.
fn damaged_header(input: &mut impl Read, path: &Path) -> io::Result<Option<Broken>> {
    let mut next = [0; FRAME_HEADER_BYTES];
    let written = fill(input, &mut next)? && next.iter().any(|byte| *byte != 0);
    tracing::debug!(path = %path.display(), written, "the write-ahead log has a damaged header");
    Ok(written.then_some(Broken { frame: 0, salts: [0; 8] }))
}

/// False when the input ends before the buffer is full.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).unwrap_or_default();
    u32::from_be_bytes(word)
}

/// The checksum of the write-ahead log, which runs on from frame to frame.
struct Checksum {
    big_endian: bool,
    s0: u32,
    s1: u32,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let (a, b) = (self.word(pair, 0), self.word(pair, 4));
            self.s0 = self.s0.wrapping_add(a).wrapping_add(self.s1);
            self.s1 = self.s1.wrapping_add(b).wrapping_add(self.s0);
        }
    }

    fn word(&self, pair: &[u8], at: usize) -> u32 {
        let value = number(pair, at);
        if self.big_endian { value } else { value.swap_bytes() }
    }
}
