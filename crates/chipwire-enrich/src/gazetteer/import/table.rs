//! Tables with a head, row by row.

use std::io;

use super::Row;

/// A row, by the names of its columns.
pub(super) struct Cells<'a> {
    head: &'a [String],
    cells: &'a csv::StringRecord,
}

impl Cells<'_> {
    /// The cell of the first of these columns that has something in it.
    pub(super) fn get(&self, columns: &[&str]) -> Option<&str> {
        columns.iter().find_map(|column| {
            let at = self.head.iter().position(|name| name == column)?;
            self.cells.get(at).map(str::trim).filter(|cell| !cell.is_empty())
        })
    }
}

/// Calls `visit` with what `record` makes of every row. One of `needed` has to be among the columns.
pub(super) fn each(
    input: impl io::Read,
    needed: &[&str],
    visit: &mut dyn FnMut(Row),
    mut record: impl FnMut(&Cells<'_>) -> Result<Row, String>,
) -> io::Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let head: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_lowercase()).collect();
    if !head.iter().any(|column| needed.contains(&column.as_str())) {
        let problem = format!("no column `{}` in its first line; it is in another form", needed.join("` or `"));
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    // The head is the first row.
    for (number, raw) in (2u64..).zip(reader.into_byte_records()) {
        let row = match csv::StringRecord::from_byte_record(raw?) {
            Ok(cells) => record(&Cells { head: &head, cells: &cells }),
            Err(error) => Err(error.to_string()),
        };
        visit(row.unwrap_or_else(|problem| Row::Bad { place: format!("row {number}"), problem }));
    }
    Ok(())
}
