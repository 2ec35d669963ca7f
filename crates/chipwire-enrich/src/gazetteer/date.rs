//! Days, months and years, as facts are dated.

/// A day as (year, month, day), which compares as days do.
pub(crate) type Day = (u16, u8, u8);

/// The first and the last day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; none for anything else.
pub(crate) fn span(text: &str) -> Option<(Day, Day)> {
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok())?
    };
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let Some(month) = parts.next() else { return Some(((year, 1, 1), (year, 12, 31))) };
    let month = u8::try_from(number(month, 2)?).ok().filter(|month| (1..=12).contains(month))?;
    let last = days_of(year, month);
    let Some(day) = parts.next() else { return Some(((year, month, 1), (year, month, last))) };
    let day = u8::try_from(number(day, 2)?).ok().filter(|day| (1..=last).contains(day))?;
    parts.next().is_none().then_some(((year, month, day), (year, month, day)))
}

fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_days_it_spans() {
        assert_eq!(span("2024"), Some(((2024, 1, 1), (2024, 12, 31))));
        assert_eq!(span("2024-02"), Some(((2024, 2, 1), (2024, 2, 29))));
        assert_eq!(span("1900-02-28"), Some(((1900, 2, 28), (1900, 2, 28))));
        for wrong in ["", "24", "2024-2", "2024-13", "1900-02-29", "2024-01-01-01", "2024-01-32", "+024", "é024"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
