//! Records in frames: packed with postcard, compressed with zstd, sealed with the place where they stand.

use std::{collections::VecDeque, fmt, io, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    failure::{Failure, Outcome},
    seal::Seal,
};
use crate::{Error, PartitionId, Record, StoredRecord};

/// A frame is closed when its records take this much, uncompressed. One record that is larger has a frame to itself.
const FRAME_BYTES: usize = 1 << 20;

/// More would save little of the space and cost twice the time: an append is on the way of every article.
const COMPRESSION_LEVEL: i32 = 1;

/// Bytes that are copied as a whole; serde takes a `Vec<u8>` byte by byte.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Self)
    }
}

/// A record in a frame: what does not follow from the frame's place.
#[derive(Serialize)]
struct Packing<'a> {
    key: Bytes<'a>,
    headers: &'a [(String, String)],
    value: Option<Bytes<'a>>,
}

#[derive(Deserialize)]
struct Unpacking<'a> {
    #[serde(borrow)]
    key: Bytes<'a>,
    headers: Vec<(String, String)>,
    #[serde(borrow)]
    value: Option<Bytes<'a>>,
}

impl<'a> Packing<'a> {
    fn of(record: &'a Record) -> Self {
        Self { key: Bytes(&record.key), headers: &record.headers, value: record.value.as_deref().map(Bytes) }
    }
}

/// Consecutive records of one partition, packed; where they stand is decided when they are written.
pub(super) struct Frame {
    pub(super) records: i64,
    pub(super) data: Vec<u8>,
}

/// Packs records into frames.
pub(super) struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    buffer: Vec<u8>,
    compressed: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> Outcome<Self> {
        let compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(not_packed)?;
        Ok(Self { compressor, buffer: Vec::new(), compressed: Vec::new() })
    }

    pub(super) fn pack<'r>(&mut self, records: impl Iterator<Item = &'r Record>) -> Outcome<Vec<Frame>> {
        let mut frames = Vec::new();
        let mut count = 0;
        self.buffer.clear();
        for record in records {
            self.buffer = pack_onto(std::mem::take(&mut self.buffer), record)?;
            count += 1;
            if self.buffer.len() >= FRAME_BYTES {
                frames.push(self.close(count)?);
                count = 0;
            }
        }
        if count > 0 {
            frames.push(self.close(count)?);
        }
        Ok(frames)
    }

    fn close(&mut self, records: i64) -> Outcome<Frame> {
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.buffer.len()));
        self.compressor.compress_to_buffer(&self.buffer, &mut self.compressed).map_err(not_packed)?;
        self.buffer.clear();
        Ok(Frame { records, data: self.compressed.clone() })
    }
}

/// One record, packed and not compressed.
pub(super) fn pack_one(record: &Record) -> Outcome<Vec<u8>> {
    pack_onto(Vec::new(), record)
}

fn pack_onto(buffer: Vec<u8>, record: &Record) -> Outcome<Vec<u8>> {
    postcard::to_extend(&Packing::of(record), buffer).map_err(not_packed)
}

fn not_packed(source: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Refused(Error::Backend { action: "pack records".into(), source: Box::new(source) })
}

/// Where records stand.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) partition: &'a PartitionId,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) written_ms: i64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} offsets {}..={}", self.partition, self.first, self.last)
    }
}

impl Place<'_> {
    /// The checksum of `data` in this place of `table`.
    pub(super) fn seal(&self, table: &str, data: &[u8]) -> Seal {
        Seal::new(table)
            .bytes(self.partition.topic.as_bytes())
            .int(self.partition.partition.into())
            .int(self.first)
            .int(self.last)
            .int(self.written_ms)
            .bytes(data)
    }
}

/// Unpacks frames.
pub(super) struct Unpacker {
    decompressor: zstd::bulk::Decompressor<'static>,
    /// A frame is as large as a fresh page of memory is dear.
    buffer: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { decompressor: zstd::bulk::Decompressor::new()?, buffer: Vec::new() })
    }

    /// Appends the records of a frame to `records`, from offset `from` on, after checking all of it.
    pub(super) fn unpack(
        &mut self,
        place: Place<'_>,
        checksum: i64,
        data: &[u8],
        from: i64,
        records: &mut VecDeque<StoredRecord>,
    ) -> Outcome<()> {
        place.seal("frames", data).check(checksum, || place.to_string())?;
        let damaged = |reason: String| Failure::damaged(place.to_string(), reason);
        let size =
            zstd::zstd_safe::get_frame_content_size(data).ok().flatten().and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| damaged("the frame does not say its size".into()))?;
        self.buffer.clear();
        self.buffer.try_reserve_exact(size).map_err(|error| damaged(error.to_string()))?;
        self.decompressor.decompress_to_buffer(data, &mut self.buffer).map_err(|error| damaged(error.to_string()))?;
        let mut rest = self.buffer.as_slice();
        let mut offset = place.first;
        while !rest.is_empty() {
            let (found, after) =
                postcard::take_from_bytes::<Unpacking<'_>>(rest).map_err(|error| damaged(error.to_string()))?;
            rest = after;
            if offset >= from {
                records.push_back(stored(place, offset, found));
            }
            offset += 1;
        }
        if offset != place.last + 1 {
            return Err(damaged(format!("the frame holds {} records", offset - place.first)));
        }
        Ok(())
    }
}

/// Unpacks what [`pack_one`] packed.
pub(super) fn unpack_one(place: Place<'_>, data: &[u8]) -> Outcome<StoredRecord> {
    match postcard::take_from_bytes::<Unpacking<'_>>(data) {
        Ok((found, [])) => Ok(stored(place, place.first, found)),
        Ok(_) => Err(Failure::damaged(place.to_string(), "the record is longer than its content")),
        Err(error) => Err(Failure::damaged(place.to_string(), error.to_string())),
    }
}

fn stored(place: Place<'_>, offset: i64, found: Unpacking<'_>) -> StoredRecord {
    StoredRecord {
        offset,
        timestamp_ms: place.written_ms,
        record: Record {
            topic: Arc::clone(&place.partition.topic),
            partition: place.partition.partition,
            key: found.key.0.to_vec(),
            headers: found.headers,
            value: found.value.map(|value| value.0.to_vec()),
        },
    }
}
