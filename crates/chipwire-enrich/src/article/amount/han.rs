//! Numbers that are written with the numerals of Chinese: `三成`, `两千多`, `萬億`.

use rust_decimal::Decimal;

use super::{number::Number, text::Text};

/// No numeral has more characters.
const LONGEST: usize = 12;

/// Characters after which a numeral is an ordinal, a name or a part of something else.
const NOT_AFTER: &str = "第数數几幾上周週期初每唯之统統同单近星拜十百千万萬亿億兆零〇一二三四五六七八九两兩点點.";

/// Whether `ch` may begin a numeral.
pub(super) fn begins(ch: char) -> bool {
    digit(ch).is_some_and(|value| value > 0) || matches!(ch, '十' | '百' | '千' | '万' | '萬')
}

fn digit(ch: char) -> Option<u64> {
    Some(match ch {
        '零' | '〇' => 0,
        '一' => 1,
        '二' | '两' | '兩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// The numeral at `from` of two or more; it has no scale where no scale was needed. One that begins with a scale, as `万亿`,
/// is marked by that scale, and means one of it.
pub(super) fn number(text: Text<'_>, from: usize) -> Option<Number> {
    let before = text.before(from);
    if before.is_ascii_digit() || NOT_AFTER.contains(before) {
        return None;
    }
    let (mut total, mut section, mut last) = (0_u64, 0_u64, None);
    let (mut at, mut more, mut large) = (from, false, false);
    loop {
        let ch = text.ch(at);
        if at - from > LONGEST {
            return None;
        }
        if let Some(value) = digit(ch) {
            // "二〇二六" is a year, and "三四" three or four.
            if last.is_some_and(|last| last > 0) || more {
                return None;
            }
            last = Some(value);
        } else if let Some(ten) = [('十', 10), ('百', 100), ('千', 1000)].iter().find(|(sign, _)| *sign == ch) {
            section = section.checked_add(last.take().unwrap_or(1).checked_mul(ten.1)?)?;
        } else if let Some(big) = [('万', 10_000), ('萬', 10_000), ('亿', 100_000_000), ('億', 100_000_000)]
            .iter()
            .find(|(sign, _)| *sign == ch)
        {
            let sum = section.checked_add(last.take().unwrap_or(0))?;
            let factor = if sum == 0 && total == 0 { 1 } else { sum };
            total = match total {
                // "万亿": all of what is before counts.
                0 => factor.checked_mul(big.1)?,
                _ if big.1 > total => total.checked_add(factor)?.checked_mul(big.1)?,
                _ => total.checked_add(factor.checked_mul(big.1)?)?,
            };
            (section, large) = (0, true);
        } else if matches!(ch, '多' | '余' | '餘') && at > from && !more {
            more = true;
        } else {
            break;
        }
        at += 1;
    }
    let value = total.checked_add(section)?.checked_add(last.unwrap_or(0))?;
    let implied = digit(text.ch(from)).is_none() && text.ch(from) != '十';
    if value < 2 || implied && !large {
        return None;
    }
    let mut number = Number::plain(from, at, Decimal::from(value));
    (number.bare, number.more) = (false, more);
    number.scale = large.then_some(0);
    Some(number)
}

/// Whether the numeral at `from` begins with a scale, and so is rather a name where no money follows.
pub(super) fn is_implied(text: Text<'_>, from: usize) -> bool {
    matches!(text.ch(from), '百' | '千' | '万' | '萬')
}
