//! What is said about queries that cannot be understood.

use expect_test::{Expect, expect};

use crate::{MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH_BYTES, parse};

fn check(query: &str, expected: Expect) {
    let error = parse(query).unwrap_err();
    assert!(query.is_char_boundary(error.offset) && query.is_char_boundary(error.offset + error.len));
    if let Some(suggestion) = &error.suggestion {
        assert!(parse(suggestion).is_ok(), "the suggestion `{suggestion}` does not parse");
    }
    expected.assert_eq(&format!("{}+{}\n{}", error.offset, error.len, error.render(query)));
}

#[test]
fn nothing_to_search_for() {
    assert_eq!(parse(" \t").unwrap_err(), crate::ParseError { len: 2, ..parse("").unwrap_err() });
    check(
        "",
        expect![[r#"
        0+0

        ^ the query is empty; `*` finds everything
        try: *"#]],
    );
    check(
        "— & …",
        expect![[r#"
        0+9
        — & …
        ^^^^^ there is no letter and no digit to search for"#]],
    );
    check(
        "a \"\"",
        expect![[r#"
        2+2
        a ""
          ^^ there is no letter and no digit between the quotation marks
        try: a"#]],
    );
    check(
        "a ()",
        expect![[r#"
        2+2
        a ()
          ^^ there is nothing between the parentheses
        try: a"#]],
    );
    check(
        "title:—",
        expect![[r#"
        6+3
        title:—
              ^ there is no letter and no digit to search for"#]],
    );
}

#[test]
fn quotes_and_parentheses() {
    check(
        "chips \"export controls",
        expect![[r#"
        6+16
        chips "export controls
              ^^^^^^^^^^^^^^^^ this quotation mark is not closed
        try: chips "export controls""#]],
    );
    check(
        "chips \"",
        expect![[r#"
        6+1
        chips "
              ^ this quotation mark is not closed
        try: chips"#]],
    );
    check(
        "(nvidia OR (amd intel",
        expect![[r#"
        11+10
        (nvidia OR (amd intel
                   ^^^^^^^^^^ this parenthesis is not closed
        try: (nvidia OR (amd intel))"#]],
    );
    check(
        "nvidia) amd",
        expect![[r#"
        6+1
        nvidia) amd
              ^ this parenthesis is not opened anywhere
        try: nvidia amd"#]],
    );
    check(
        "a ” b",
        expect![[r#"
            2+3
            a ” b
              ^ this quotation mark is not opened anywhere
            try: a b"#]],
    );
    check(
        "芯片 (出口",
        expect![[r#"
        7+7
        芯片 (出口
             ^^^^^ this parenthesis is not closed
        try: 芯片 (出口)"#]],
    );
}

#[test]
fn operators_without_operands() {
    check(
        "AND nvidia",
        expect![[r#"
        0+3
        AND nvidia
        ^^^ `AND` needs something before it
        try: nvidia"#]],
    );
    check(
        "nvidia OR",
        expect![[r#"
        7+2
        nvidia OR
               ^^ `OR` needs something after it
        try: nvidia"#]],
    );
    check(
        "nvidia AND OR amd",
        expect![[r#"
            11+2
            nvidia AND OR amd
                       ^^ `OR` needs something before it
            try: nvidia AND amd"#]],
    );
    check(
        "nvidia OR OR amd",
        expect![[r#"
            10+2
            nvidia OR OR amd
                      ^^ `OR` needs something before it
            try: nvidia OR amd"#]],
    );
    check(
        "a (b AND)",
        expect![[r#"
            5+3
            a (b AND)
                 ^^^ `AND` needs something after it
            try: a (b)"#]],
    );
    check(
        "NOT",
        expect![[r#"
            0+3
            NOT
            ^^^ `NOT` needs something after it"#]],
    );
}

#[test]
fn fields() {
    check(
        "Company:alibaba",
        expect![[r#"
        0+7
        Company:alibaba
        ^^^^^^^ the name of a field is written in lower case
        try: company:alibaba"#]],
    );
    check(
        "company: alibaba",
        expect![[r#"
        0+9
        company: alibaba
        ^^^^^^^^^ the value of `company:` must follow the colon directly
        try: company:alibaba"#]],
    );
    check(
        "company:",
        expect![[r#"
        0+8
        company:
        ^^^^^^^^ `company:` needs a value after it
        try: company"#]],
    );
    check(
        "note: x",
        expect![[r#"
        0+6
        note: x
        ^^^^^^ the value of `note:` must follow the colon directly
        try: note:x"#]],
    );
    check(
        "(company:)",
        expect![[r#"
        1+8
        (company:)
         ^^^^^^^^ `company:` needs a value after it
        try: (company)"#]],
    );
    check(
        "company:ali*",
        expect![[r#"
        8+4
        company:ali*
                ^^^^ `*` can only end a word of the title or body, or stand alone as in `company:*`"#]],
    );
    check(
        "language:zh AND date:>2026",
        expect![[r#"
        0+8
        language:zh AND date:>2026
        ^^^^^^^^ there is no field `language`; it is called `lang`
        try: lang:zh AND published:>2026"#]],
    );
    check(
        "https://example.org/a?b=c",
        expect![[r#"
        0+25
        https://example.org/a?b=c
        ^^^^^^^^^^^^^^^^^^^^^^^^^ an address must stand in quotation marks
        try: "https://example.org/a?b=c""#]],
    );
    check(
        "company:\"\"",
        expect![[r#"
        8+2
        company:""
                ^^ the value is empty"#]],
    );
    check(
        "source:!!!",
        expect![[r#"
        7+3
        source:!!!
               ^^^ there is no letter and no digit in the name of the source"#]],
    );
    check(
        "title:*",
        expect![[r#"
        6+1
        title:*
              ^ `*` needs letters or digits before it"#]],
    );
}

#[test]
fn wildcards_slop_and_weights() {
    check(
        "nv*dia",
        expect![[r#"
        2+4
        nv*dia
          ^^^^ `*` can only stand at the end of a word
        try: nv*"#]],
    );
    check(
        "*dia",
        expect![[r#"
        0+4
        *dia
        ^^^^ `*` needs letters or digits before it
        try: dia"#]],
    );
    check(
        "**",
        expect![[r#"
        0+2
        **
        ^^ `*` needs letters or digits before it"#]],
    );
    check(
        "chips~2",
        expect![[r#"
        5+2
        chips~2
             ^^ `~` can only stand after a phrase, as in `"export chips"~3`
        try: chips"#]],
    );
    check(
        "chips^2.5",
        expect![[r#"
        5+4
        chips^2.5
             ^^^^ weights such as `^2` are not supported
        try: chips"#]],
    );
    check(
        "\"a b\"~x",
        expect![[r#"
        5+2
        "a b"~x
             ^^ `~` needs a number after it, as in `"export chips"~3`
        try: "a b""#]],
    );
    check(
        "\"a b\"~99999",
        expect![[r#"
        5+6
        "a b"~99999
             ^^^^^^ at most 1000 words can stand between those of a phrase
        try: "a b"~1000"#]],
    );
}

#[test]
fn dates() {
    check(
        "published:>2026-13-01",
        expect![[r#"
        11+10
        published:>2026-13-01
                   ^^^^^^^^^^ a time is written as 2026-01-31, 2026-01-31T08:00:00Z or now-24h"#]],
    );
    check(
        "published:yesterday",
        expect![[r#"
        10+9
        published:yesterday
                  ^^^^^^^^^ a time is written as 2026-01-31, 2026-01-31T08:00:00Z or now-24h"#]],
    );
    check(
        "published:>24h",
        expect![[r#"
        11+3
        published:>24h
                   ^^^ a time is written as 2026-01-31, 2026-01-31T08:00:00Z or now-24h
        try: published:>now-24h"#]],
    );
    check(
        "published:>",
        expect![[r#"
        10+1
        published:>
                  ^ `>` needs a time after it"#]],
    );
    check(
        "published:[2026-01-01 TO 2026-02-01",
        expect![[r#"
        10+25
        published:[2026-01-01 TO 2026-02-01
                  ^^^^^^^^^^^^^^^^^^^^^^^^^ this bracket is not closed
        try: published:[2026-01-01 TO 2026-02-01]"#]],
    );
    check(
        "published:[2026-01-01",
        expect![[r#"
        10+11
        published:[2026-01-01
                  ^^^^^^^^^^^ a range is written as `[2026-01-01 TO 2026-02-01]`"#]],
    );
    check(
        "published:[]",
        expect![[r#"
        10+1
        published:[]
                  ^ a range is written as `[2026-01-01 TO 2026-02-01]`"#]],
    );
    check(
        "published:[2026-01-01 to 2026-02-01]",
        expect![[r#"
        10+14
        published:[2026-01-01 to 2026-02-01]
                  ^^^^^^^^^^^^^^ a range is written as `[2026-01-01 TO 2026-02-01]`"#]],
    );
}

#[test]
fn limits() {
    let deep = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(MAX_DEPTH)).is_ok());
    assert!(parse(&deep(MAX_DEPTH + 1)).unwrap_err().message.contains("nested"));
    assert!(parse(&deep(20_000)).unwrap_err().message.contains("nested"));
    assert!(parse(&"NOT ".repeat(10_000)).is_err());
    assert!(parse(&format!("{}a", "-".repeat(60_000))).is_ok());
    assert!(parse(&"a ".repeat(MAX_CLAUSES)).is_ok());
    assert!(parse(&"a ".repeat(MAX_CLAUSES + 1)).unwrap_err().message.contains("clauses"));
    assert!(parse(&"a".repeat(MAX_LENGTH_BYTES + 1)).unwrap_err().message.contains("longer"));
}
