//! Checksums over what stands in a row and where it stands, so that a row that was moved is found as well as one that was
//! changed; and sums of them over a table, so that a row that is gone is found.

use rusqlite::Connection;

use super::failure::{Failure, Outcome};

/// A CRC-32 over integers and bytes, each with its length, so that no two different rows read the same.
pub(super) struct Seal(crc32fast::Hasher);

impl Seal {
    pub(super) fn new(table: &str) -> Self {
        Self(crc32fast::Hasher::new()).bytes(table.as_bytes())
    }

    pub(super) fn int(mut self, value: i64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&bytes.len().to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(super) fn sum(self) -> i64 {
        i64::from(self.0.finalize())
    }

    /// Fails when the row's checksum is another one.
    pub(super) fn check(self, found: i64, place: impl FnOnce() -> String) -> Outcome<()> {
        if self.sum() == found { Ok(()) } else { Err(Failure::damaged(place(), "its checksum does not match")) }
    }
}

/// How many rows there are and what their checksums add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: i64,
    pub(super) sum: i64,
}

impl Tally {
    pub(super) fn add(&mut self, checksum: i64) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(checksum);
    }

    pub(super) fn remove(&mut self, checksum: i64) {
        self.rows -= 1;
        self.sum = self.sum.wrapping_sub(checksum);
    }

    /// Fails when `found` differs from what was written down.
    pub(super) fn check(self, found: Self, place: impl FnOnce() -> String) -> Outcome<()> {
        if self == found {
            return Ok(());
        }
        Err(Failure::damaged(
            place(),
            format!("it has {} rows, or others, where {} were written", found.rows, self.rows),
        ))
    }

    /// The tally of a whole table, as it was written down.
    pub(super) fn load(connection: &Connection, table: &str) -> Outcome<Self> {
        let (tally, checksum) = connection
            .prepare_cached("SELECT row_count, row_sum, checksum FROM tallies WHERE table_name = ?1")?
            .query_row([table], |row| Ok((Self { rows: row.get(0)?, sum: row.get(1)? }, row.get(2)?)))
            .map_err(|error| Failure::Sqlite(error).at(|| format!("the tally of table {table}")))?;
        tally.seal(table).check(checksum, || format!("the tally of table {table}"))?;
        Ok(tally)
    }

    pub(super) fn store(self, connection: &Connection, table: &str) -> Outcome<()> {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO tallies (table_name, row_count, row_sum, checksum) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((table, self.rows, self.sum, self.seal(table).sum()))?;
        Ok(())
    }

    fn seal(self, table: &str) -> Seal {
        Seal::new("tallies").bytes(table.as_bytes()).int(self.rows).int(self.sum)
    }
}
