//! Random queries.

use jiff::{Timestamp, civil};
use proptest::prelude::*;

use crate::{Node, TextField, TimeBound, TimePoint, TimeRange, TimeUnit};

/// Texts with everything that could trip the printer: operators, quotes, escapes, other scripts.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9]{1,4}",
        1 => proptest::sample::select(vec![
            "AND", "OR", "NOT", "TO", "&&", "|", "\"", "“", "”", "\\", "(", ")", "*", "-", "+", "!", ":", "~2", "^3", " ", "\u{3000}",
            "华为", "é", "'s", "\t", "[", "]", "{", "<", ">=", "//", "U.S.", "",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn field() -> impl Strategy<Value = Option<TextField>> {
    proptest::sample::select(vec![None, Some(TextField::Title), Some(TextField::Body)])
}

fn point() -> impl Strategy<Value = TimePoint> {
    let day = (1i16..9999, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| civil::Date::new(y, m, d).unwrap());
    let units = vec![TimeUnit::Second, TimeUnit::Minute, TimeUnit::Hour, TimeUnit::Day, TimeUnit::Week];
    prop_oneof![
        (0i16..9999).prop_map(TimePoint::Year),
        day.clone().prop_map(TimePoint::Month),
        day.prop_map(TimePoint::Day),
        (-60_000_000_000_000i64..200_000_000_000_000)
            .prop_map(|ms| TimePoint::Instant(Timestamp::from_millisecond(ms).unwrap())),
        (-100_000i32..100_000, proptest::sample::select(units))
            .prop_map(|(amount, unit)| TimePoint::Now { amount, unit }),
    ]
}

fn range() -> impl Strategy<Value = TimeRange> {
    let bound =
        || proptest::option::of((point(), any::<bool>()).prop_map(|(point, inclusive)| TimeBound { point, inclusive }));
    (bound(), bound()).prop_map(|(from, to)| TimeRange { from, to })
}

pub(super) fn node() -> impl Strategy<Value = Node> {
    let kind = || "[a-z][a-z0-9_-]{0,6}x";
    let leaf = prop_oneof![
        1 => Just(Node::All),
        4 => (field(), text()).prop_map(|(field, text)| Node::Term { field, text }),
        1 => (field(), text()).prop_map(|(field, text)| Node::Prefix { field, text }),
        2 => (field(), text(), 0u32..5).prop_map(|(field, text, slop)| Node::Phrase { field, text, slop }),
        1 => (kind(), text()).prop_map(|(kind, id)| Node::Entity { kind, id }),
        1 => kind().prop_map(|kind| Node::AnyEntity { kind }),
        1 => text().prop_map(|text| Node::Source { text }),
        1 => text().prop_map(|id| Node::Feed { id }),
        1 => text().prop_map(|range| Node::Lang { range }),
        1 => range().prop_map(Node::Published),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Node::And),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Node::Or),
            inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}
