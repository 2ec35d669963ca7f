//! Writers and workers: they pack on their caller's thread and leave the writing to the committer.

use std::{sync::Arc, time::Duration};

use super::{
    Shared,
    append::{Packed, Packers, Request},
    reader::SqliteReader,
    tables::{Owner, Position},
};
use crate::{Error, Limit, Positions, Record, Result, Step, Worker, Writer};

/// Who writes, and with what.
struct Pen {
    shared: Arc<Shared>,
    owner: Owner,
    token: i64,
    label: String,
    packers: Packers,
}

impl Pen {
    /// Takes the name `owner` from whoever has it.
    fn new(shared: Arc<Shared>, owner: Owner, label: String) -> Result<Self> {
        let packers = Packers::new().map_err(|failure| shared.error(failure))?;
        let taking = owner.clone();
        let token = shared.committer()?.run(&label, 0, Box::new(move |connection| taking.take(connection)))?;
        Ok(Self { shared, owner, token, label, packers })
    }

    fn write(&mut self, records: &[Record], positions: Vec<Position>) -> Result<()> {
        let packed = Packed::new(&mut self.packers, records, |name| self.shared.topic(name));
        let packed = packed.map_err(|failure| self.shared.error(failure))?;
        if packed.is_empty() && positions.is_empty() {
            return Ok(());
        }
        let request = Request {
            owner: self.owner.clone(),
            token: self.token,
            label: self.label.clone(),
            packed,
            positions,
            clock: Arc::clone(&self.shared.options.clock),
        };
        let size_bytes = request.packed.size_bytes;
        let work = Box::new(move |connection: &_| request.apply(connection).map(|()| 0));
        self.shared.committer()?.run(&self.label, size_bytes, work).map(|_| ())
    }
}

pub(super) struct SqliteWriter {
    pen: Pen,
}

impl SqliteWriter {
    pub(super) fn new(shared: Arc<Shared>, name: &str) -> Result<Self> {
        Ok(Self { pen: Pen::new(shared, Owner::writer(name), name.to_owned())? })
    }
}

impl Writer for SqliteWriter {
    fn append(&mut self, records: &[Record]) -> Result<()> {
        self.pen.write(records, Vec::new())
    }
}

pub(super) struct SqliteWorker {
    /// Declared before the pen, which may be the last that keeps the connection that writes: that one tidies up when it is
    /// closed last.
    reader: SqliteReader,
    pen: Pen,
    announced: bool,
}

impl SqliteWorker {
    pub(super) fn new(shared: Arc<Shared>, group: &str, member: &str, topics: &[&str]) -> Result<Self> {
        // Before the name is taken: a worker that cannot be must not end one that can.
        let rows = topics.iter().map(|name| shared.topic(name)).collect::<Result<Vec<_>>>()?;
        let pen = Pen::new(Arc::clone(&shared), Owner::group(group), format!("{group}/{member}"))?;
        // And the positions after it: the older worker can no longer move them.
        let from = shared.positions(group, &rows)?;
        let reader = shared.reader(topics, &from)?;
        Ok(Self { reader, pen, announced: false })
    }
}

impl Worker for SqliteWorker {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Step> {
        if !self.announced {
            self.announced = true;
            return Ok(Step::Assigned(self.reader.positions()));
        }
        let Pen { owner, token, label, .. } = &self.pen;
        self.reader.next_while(limit, wait, |connection| owner.check(connection, *token, label)).map(Step::Batch)
    }

    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<()> {
        let position = |(id, next): (&crate::PartitionId, &i64)| {
            let topic_id = self.reader.topic_id(id).ok_or_else(|| Error::Fenced { name: self.pen.label.clone() })?;
            Ok(Position { group: self.pen.owner.name.clone(), topic_id, partition: id.partition, next: *next })
        };
        let positions = upto.iter().map(position).collect::<Result<Vec<_>>>()?;
        self.pen.write(outputs, positions)
    }
}
