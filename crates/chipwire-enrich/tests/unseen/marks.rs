//! Reads the marks of a text.

/// A marked place.
#[derive(Debug)]
pub(crate) struct Mark {
    /// Its bytes in the text without marks.
    pub(crate) place: (usize, usize),
    pub(crate) surface: String,
    /// Some of the text around it, for errors.
    pub(crate) around: String,
    pub(crate) meant: Meant,
}

#[derive(Debug)]
pub(crate) enum Meant {
    Entities {
        ids: Vec<String>,
        /// It may be found or not.
        optional: bool,
    },
    Amount {
        low: Option<f64>,
        high: Option<f64>,
        unit: String,
        of: Option<String>,
    },
}

/// The text without its marks, and the marks.
pub(crate) fn read(marked: &str, id: &str) -> (String, Vec<Mark>) {
    let (mut text, mut marks, mut open) = (String::new(), Vec::new(), Vec::new());
    let mut rest = marked;
    while let Some(first) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("[[").or_else(|| rest.strip_prefix("{{")) {
            open.push((text.len(), if first == '[' { "]]" } else { "}}" }));
            rest = inner;
        } else if let (Some(inner), Some((start, close))) = (rest.strip_prefix('|'), open.last()) {
            let (what, behind) = inner.split_once(close).unwrap_or_else(|| panic!("{id}: {rest:?} has no {close}"));
            let meant = if *close == "]]" { entities(what) } else { amount(what, id) };
            let (start, surface) = (*start, text[*start..].to_owned());
            marks.push(Mark { place: (start, text.len()), surface, around: String::new(), meant });
            open.pop();
            rest = behind;
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    assert!(open.is_empty(), "{id}: a mark is not closed");
    for mark in &mut marks {
        let from = text.floor_char_boundary(mark.place.0.saturating_sub(50));
        mark.around = text[from..text.ceil_char_boundary(mark.place.1 + 50)].to_owned();
    }
    (text, marks)
}

fn entities(what: &str) -> Meant {
    let ids = what.strip_prefix("opt:").unwrap_or(what);
    Meant::Entities { ids: ids.split(',').map(|id| id.trim().to_owned()).collect(), optional: ids != what }
}

fn amount(what: &str, id: &str) -> Meant {
    let (value, of) = what.split_once('@').map_or((what, None), |(value, of)| (value, Some(of.trim().to_owned())));
    let (number, unit) = value.trim().split_once(' ').unwrap_or_else(|| panic!("{id}: {what:?} has no unit"));
    let bound = |text: &str| {
        (!text.is_empty()).then(|| text.parse().unwrap_or_else(|_| panic!("{id}: {what:?} has no number")))
    };
    let (low, high) =
        number.split_once("..").map_or_else(|| (bound(number), bound(number)), |(low, high)| (bound(low), bound(high)));
    Meant::Amount { low, high, unit: unit.trim().to_owned(), of }
}

/// `money`, `share` or `other`.
pub(crate) fn kind_of(unit: &str) -> &'static str {
    let code = unit.split('/').next().unwrap_or_default();
    match code {
        "percent" | "percentage point" | "basis point" => "share",
        _ if code.len() == 3
            && code.bytes().all(|byte| byte.is_ascii_uppercase())
            && !["GPU", "CPU", "TPU", "NPU"].contains(&code) =>
        {
            "money"
        }
        _ => "other",
    }
}

pub(crate) fn bounds(low: Option<f64>, high: Option<f64>) -> String {
    let text = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
    if low == high { text(low) } else { format!("{}..{}", text(low), text(high)) }
}
