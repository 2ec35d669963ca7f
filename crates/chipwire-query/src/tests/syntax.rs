//! What queries parse to, shown in the form in which they are printed.

use expect_test::{Expect, expect};

use crate::parse;

fn check(query: &str, expected: Expect) {
    let parsed = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    let printed = parsed.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&parsed), "`{printed}` parses to something else");
    expected.assert_eq(&printed);
}

#[test]
fn words_and_operators() {
    check("*", expect!["*"]);
    check("nvidia  H20\texport", expect!["nvidia H20 export"]);
    check("a AND b OR c d", expect!["(a b) OR (c d)"]);
    check("a OR (b OR c) OR (d (e f))", expect!["a OR b OR c OR (d e f)"]);
    check("a && b || !c", expect!["(a b) OR -c"]);
    check("+a -b NOT c - d", expect!["a -b -c d"]);
    check("NOT NOT a --b -(-c)", expect!["a b c"]);
    check("-(a b) NOT (c OR d)", expect!["-(a b) -(c OR d)"]);
    check("and or not And", expect!["and or not And"]);
    check("nvidia & amd — intel", expect!["nvidia amd intel"]);
    check("a AND —", expect!["a"]);
    check("((((a))))", expect!["a"]);
}

#[test]
fn texts() {
    check("semicond* title:HBM3E-12*", expect!["semicond* title:HBM3E-12*"]);
    check(
        "\"export  controls\" “curly quotes” \"a \\\"b\\\" \\\\c\"",
        expect![[r#""export  controls" "curly quotes" "a \"b\" \\c""#]],
    );
    check(
        "\"export chips\"~3 body:\"a b\"~0 title:\"export contr\"*",
        expect![[r#""export chips"~3 body:"a b" title:"export contr"*"#]],
    );
    check("10:30 C++ what? 5% (a)b", expect![[r#"10\:30 C++ what? 5% a b"#]]);
    check("\\AND a\\:b \\-c \\(d e\\*f g\\ h* i\\", expect![[r#"\AND a\:b \-c \(d e\*f "g h"* i\\"#]]);
    check("title:(a OR \"b c\" -d*)", expect![[r#"title:a OR (title:"b c" -title:d*)"#]]);
    check("“half curly\" x", expect![[r#""half curly" x"#]]);
    check("华为 AND 芯片　出口", expect!["华为 芯片 出口"]);
}

#[test]
fn fields() {
    check(
        "company:alibaba chip:NVIDIA-H20 policy:\"us-export-controls\" -company:*",
        expect!["company:alibaba chip:nvidia-h20 policy:us-export-controls -company:*"],
    );
    check(
        "company:(nvidia OR amd) new_kind-2:\"x y\"",
        expect![[r#"(company:nvidia OR company:amd) new_kind-2:"x y""#]],
    );
    check(
        "source:Reuters source:\"Chip Daily\" feed:04EBADA5993DEB03 lang:zh_TW lang:(en OR fr)",
        expect![[r#"source:Reuters source:"Chip Daily" feed:04ebada5993deb03 lang:zh-tw (lang:en OR lang:fr)"#]],
    );
}

#[test]
fn dates() {
    check(
        "published:2026 published:2026-01 published:2026-01-31",
        expect!["published:[2026 TO 2026] published:[2026-01 TO 2026-01] published:[2026-01-31 TO 2026-01-31]"],
    );
    check(
        "published:>2026-01-01 published:>= 2026-01 published:<now published:<=now+2w",
        expect!["published:>2026-01-01 published:>=2026-01 published:<now published:<=now+2w"],
    );
    check(
        "published:[2026-01-01 TO 2026-02-01] published:{2025 TO now-24h] published:[* TO 2026}",
        expect!["published:[2026-01-01 TO 2026-02-01] published:{2025 TO now-24h] published:<2026"],
    );
    check(
        "published:>2026-01-01T10:00:00+02:00 published:\"2026-01-01T10:00\" published:[* TO *]",
        expect![
            "published:>2026-01-01T08:00:00Z published:[2026-01-01T10:00:00Z TO 2026-01-01T10:00:00Z] published:[* TO *]"
        ],
    );
    check("published:(>now-7d -2026-01-01)", expect!["published:>now-7d -published:[2026-01-01 TO 2026-01-01]"]);
}
