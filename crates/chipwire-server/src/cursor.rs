//! Opaque cursors: where the next page of a search begins.

use crate::problem::Problem;

/// The cursor to the hits of `search` from `offset` on. `search` is all that the hits depend on, in any fixed form.
pub(crate) fn encode(offset: usize, search: &str) -> String {
    format!("{offset:x}-{}", chipwire_events::hash_hex(6, &["cursor", search]))
}

/// The offset that `cursor` stands for, if it belongs to `search`.
pub(crate) fn decode(cursor: &str, search: &str) -> Result<usize, Problem> {
    let offset = cursor.split_once('-').and_then(|(offset, _)| usize::from_str_radix(offset, 16).ok());
    match offset {
        Some(offset) if encode(offset, search) == cursor => Ok(offset),
        Some(_) => Err(Problem::bad_request("`cursor` belongs to another search: use it with the same `q` and `sort`")),
        None => Err(Problem::bad_request("`cursor` is none that this server has given out")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_search_only() {
        let cursor = encode(40, "nvidia best");
        assert_eq!(decode(&cursor, "nvidia best"), Ok(40));
        assert_eq!(decode(&cursor, "tsmc best").unwrap_err().status, 400);
        for garbage in ["", "-", "x-1", "28", "ffffffffffffffffff-0"] {
            assert_eq!(decode(garbage, "nvidia best").unwrap_err().status, 400, "{garbage}");
        }
    }
}
