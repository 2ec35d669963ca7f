//! The small tables: topics, heads, positions, owners. Everything that is read is checked.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension};

use super::{
    failure::{Failure, Outcome},
    seal::{Seal, Tally},
};
use crate::{Bounds, Cleanup, Error, PartitionId, Positions, TopicSpec};

/// A topic as the file has it.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) id: i64,
    pub(super) spec: TopicSpec,
}

pub(super) type Topics = HashMap<Arc<str>, Arc<Topic>>;

impl Topic {
    pub(super) fn partition(&self, number: u32) -> PartitionId {
        PartitionId { topic: Arc::clone(&self.spec.name), partition: number }
    }

    pub(super) fn partitions(&self) -> impl Iterator<Item = PartitionId> + '_ {
        (0..self.spec.partitions).map(|number| self.partition(number))
    }

    pub(super) fn is_compact(&self) -> bool {
        self.spec.cleanup == Cleanup::Compact
    }

    fn columns(&self) -> (&'static str, Option<i64>) {
        match self.spec.cleanup {
            Cleanup::Compact => ("compact", None),
            Cleanup::Delete { retention } => {
                ("delete", retention.map(|retention| i64::try_from(retention.as_millis()).unwrap_or(i64::MAX)))
            }
        }
    }

    fn seal(&self) -> Seal {
        let (cleanup, retention_ms) = self.columns();
        Seal::new("topics")
            .int(self.id)
            .bytes(self.spec.name.as_bytes())
            .int(self.spec.partitions.into())
            .bytes(cleanup.as_bytes())
            .int(retention_ms.unwrap_or(-1))
    }

    /// Answers the row's checksum.
    pub(super) fn store(&self, connection: &Connection) -> Outcome<i64> {
        let (cleanup, retention_ms) = self.columns();
        let checksum = self.seal().sum();
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO topics (topic_id, name, partitions, cleanup, retention_ms, checksum) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((self.id, &*self.spec.name, self.spec.partitions, cleanup, retention_ms, checksum))?;
        Ok(checksum)
    }
}

/// All topics.
pub(super) fn topics(connection: &Connection) -> Outcome<Topics> {
    let mut topics = Topics::new();
    let mut tally = Tally::default();
    each_topic(connection, |row| {
        let (topic, checksum) = row?;
        tally.add(checksum);
        topics.insert(Arc::clone(&topic.spec.name), Arc::new(topic));
        Ok(())
    })?;
    Tally::load(connection, "topics")?.check(tally, || "table topics".to_owned())?;
    Ok(topics)
}

/// Calls `visit` with every row of the table of topics and its checksum, or what is wrong with it.
pub(super) fn each_topic(
    connection: &Connection,
    mut visit: impl FnMut(Outcome<(Topic, i64)>) -> Outcome<()>,
) -> Outcome<()> {
    let place = || "table topics".to_owned();
    let mut statement =
        connection.prepare_cached("SELECT topic_id, name, partitions, cleanup, retention_ms, checksum FROM topics")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next().map_err(|error| Failure::Sqlite(error).at(place))? {
        let read = || -> rusqlite::Result<(Topic, i64)> {
            let cleanup: String = row.get(3)?;
            let retention_ms: Option<i64> = row.get(4)?;
            let cleanup = match cleanup.as_str() {
                "compact" => Cleanup::Compact,
                _ => Cleanup::Delete {
                    retention: retention_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
                },
            };
            let spec = TopicSpec { name: row.get(1)?, partitions: row.get(2)?, cleanup };
            Ok((Topic { id: row.get(0)?, spec }, row.get(5)?))
        };
        let checked = read().map_err(|error| Failure::Sqlite(error).at(place)).and_then(|(topic, checksum)| {
            topic.seal().check(checksum, || format!("topic `{}` in table topics", topic.spec.name))?;
            Ok((topic, checksum))
        });
        visit(checked)?;
    }
    Ok(())
}

/// Creates the topics that are missing, or none when one of them is there with other partitions. A retention that changed is
/// taken over.
pub(super) fn ensure(connection: &Connection, specs: &[TopicSpec]) -> Outcome<()> {
    let mut existing = topics(connection)?;
    let mut tally = Tally::load(connection, "topics")?;
    let mut next_id = existing.values().map(|topic| topic.id).max().unwrap_or(0) + 1;
    for spec in specs {
        if let Some(topic) = existing.get(&spec.name) {
            spec.check(topic.spec.partitions, topic.spec.cleanup)?;
            if topic.spec.cleanup != spec.cleanup {
                let changed = Topic { id: topic.id, spec: spec.clone() };
                tally.remove(topic.seal().sum());
                tally.add(changed.store(connection)?);
            }
            continue;
        }
        let topic = Topic { id: next_id, spec: spec.clone() };
        next_id += 1;
        tally.add(topic.store(connection)?);
        for partition in topic.partitions() {
            Head::default().store(connection, &topic, &partition)?;
        }
        existing.insert(Arc::clone(&spec.name), Arc::new(topic));
    }
    tally.store(connection, "topics")
}

/// Where a partition begins and ends, and how much state it has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head {
    pub(super) low: i64,
    pub(super) next: i64,
    pub(super) state: Tally,
}

impl Head {
    pub(super) fn bounds(self) -> Bounds {
        Bounds { low: self.low, high: self.next }
    }

    pub(super) fn load(connection: &Connection, topic: &Topic, partition: &PartitionId) -> Outcome<Self> {
        let place = || format!("the head of {partition}");
        connection
            .prepare_cached(
                "SELECT low_offset, next_offset, state_rows, state_sum, checksum FROM heads \
                 WHERE topic_id = ?1 AND partition = ?2",
            )?
            .query_row((topic.id, partition.partition), Self::columns)
            .map_err(|error| Failure::Sqlite(error).at(place))
            .and_then(|(head, checksum)| head.seal(partition).check(checksum, place).map(|()| head))
    }

    /// All heads of a topic, by partition number.
    pub(super) fn load_all(connection: &Connection, topic: &Topic) -> Outcome<Vec<Self>> {
        let place = || format!("the heads of topic `{}`", topic.spec.name);
        let mut statement = connection.prepare_cached(
            "SELECT low_offset, next_offset, state_rows, state_sum, checksum FROM heads WHERE topic_id = ?1 \
             ORDER BY partition",
        )?;
        let mut rows = statement.query([topic.id])?;
        let mut heads = Vec::new();
        // A head in another's place has another's checksum.
        for partition in topic.partitions() {
            let row = rows.next().map_err(|error| Failure::Sqlite(error).at(place))?;
            let row = row.ok_or_else(|| Failure::damaged(format!("the head of {partition}"), "it is missing"))?;
            let (head, checksum) = Self::columns(row).map_err(|error| Failure::Sqlite(error).at(place))?;
            head.seal(&partition).check(checksum, || format!("the head of {partition}"))?;
            heads.push(head);
        }
        Ok(heads)
    }

    fn columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Self, i64)> {
        let state = Tally { rows: row.get(2)?, sum: row.get(3)? };
        Ok((Self { low: row.get(0)?, next: row.get(1)?, state }, row.get(4)?))
    }

    pub(super) fn store(self, connection: &Connection, topic: &Topic, partition: &PartitionId) -> Outcome<()> {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO heads (topic_id, partition, low_offset, next_offset, state_rows, state_sum, \
                 checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                topic.id,
                partition.partition,
                self.low,
                self.next,
                self.state.rows,
                self.state.sum,
                self.seal(partition).sum(),
            ))?;
        Ok(())
    }

    fn seal(self, partition: &PartitionId) -> Seal {
        Seal::new("heads")
            .bytes(partition.topic.as_bytes())
            .int(partition.partition.into())
            .int(self.low)
            .int(self.next)
            .int(self.state.rows)
            .int(self.state.sum)
    }
}

/// The stored positions of `group` in `topics`.
pub(super) fn positions(connection: &Connection, group: &str, topics: &[Arc<Topic>]) -> Outcome<Positions> {
    let by_id: HashMap<i64, &Arc<Topic>> = topics.iter().map(|topic| (topic.id, topic)).collect();
    let mut positions = Positions::new();
    let mut tally = Tally::default();
    // All groups, as only the whole table shows whether a row is missing. It is a small table.
    each_position(connection, |row| {
        let (position, checksum) = row?;
        tally.add(checksum);
        if let (true, Some(topic)) = (position.group == group, by_id.get(&position.topic_id)) {
            positions.insert(topic.partition(position.partition), position.next);
        }
        Ok(())
    })?;
    Tally::load(connection, "positions")?.check(tally, || "table positions".to_owned())?;
    Ok(positions)
}

/// Calls `visit` with every row of the table of positions and its checksum, or what is wrong with it.
pub(super) fn each_position(
    connection: &Connection,
    mut visit: impl FnMut(Outcome<(Position, i64)>) -> Outcome<()>,
) -> Outcome<()> {
    let place = || "table positions".to_owned();
    let mut statement =
        connection.prepare_cached("SELECT group_name, topic_id, partition, next_offset, checksum FROM positions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next().map_err(|error| Failure::Sqlite(error).at(place))? {
        let read = || -> rusqlite::Result<(Position, i64)> {
            let position =
                Position { group: row.get(0)?, topic_id: row.get(1)?, partition: row.get(2)?, next: row.get(3)? };
            Ok((position, row.get(4)?))
        };
        let checked = read().map_err(|error| Failure::Sqlite(error).at(place)).and_then(|(position, checksum)| {
            position.seal().check(checksum, || format!("a position of group `{}`", position.group))?;
            Ok((position, checksum))
        });
        visit(checked)?;
    }
    Ok(())
}

/// A row of the table of positions.
pub(super) struct Position {
    pub(super) group: String,
    pub(super) topic_id: i64,
    pub(super) partition: u32,
    pub(super) next: i64,
}

impl Position {
    fn seal(&self) -> Seal {
        Seal::new("positions").bytes(self.group.as_bytes()).int(self.topic_id).int(self.partition.into()).int(self.next)
    }
}

pub(super) fn store_positions(connection: &Connection, positions: &[Position]) -> Outcome<()> {
    if positions.is_empty() {
        return Ok(());
    }
    let mut tally = Tally::load(connection, "positions")?;
    let mut old = connection
        .prepare_cached("SELECT checksum FROM positions WHERE group_name = ?1 AND topic_id = ?2 AND partition = ?3")?;
    let mut store = connection.prepare_cached(
        "INSERT OR REPLACE INTO positions (group_name, topic_id, partition, next_offset, checksum) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for position in positions {
        let key = (&position.group, position.topic_id, position.partition);
        if let Some(checksum) = old.query_row(key, |row| row.get(0)).optional()? {
            tally.remove(checksum);
        }
        let checksum = position.seal().sum();
        store.execute((&position.group, position.topic_id, position.partition, position.next, checksum))?;
        tally.add(checksum);
    }
    tally.store(connection, "positions")
}

/// Who writes: a writer or a group of workers, which never meet, even under one name.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) kind: &'static str,
    pub(super) name: String,
}

impl Owner {
    pub(super) fn writer(name: &str) -> Self {
        Self { kind: "writer", name: name.to_owned() }
    }

    pub(super) fn group(name: &str) -> Self {
        Self { kind: "group", name: name.to_owned() }
    }

    /// Takes the name from whoever has it. The token is random, so that one that was lost is never given out again.
    pub(super) fn take(&self, connection: &Connection) -> Outcome<i64> {
        let token = connection
            .prepare_cached(
                "INSERT OR REPLACE INTO owners (kind, name, token) VALUES (?1, ?2, random()) RETURNING token",
            )?
            .query_row((self.kind, &self.name), |row| row.get(0))?;
        Ok(token)
    }

    /// Fails when somebody else has taken the name; `label` is for the error.
    pub(super) fn check(&self, connection: &Connection, token: i64, label: &str) -> Outcome<()> {
        let found: i64 = connection
            .prepare_cached("SELECT token FROM owners WHERE kind = ?1 AND name = ?2")?
            .query_row((self.kind, &self.name), |row| row.get(0))
            .map_err(|error| Failure::Sqlite(error).at(|| format!("the owner of {} `{}`", self.kind, self.name)))?;
        if found == token { Ok(()) } else { Err(Failure::Refused(Error::Fenced { name: label.to_owned() })) }
    }
}
