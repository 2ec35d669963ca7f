//! As much of Python's expressions as the expectations use: comparisons joined with `and`.

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) negated: bool,
    /// `len` or `ord` around the first operand.
    pub(crate) function: Option<String>,
    pub(crate) path: Vec<Key>,
    /// What it is compared with; a chain has several. None for a bare truth value.
    pub(crate) against: Vec<Operand>,
    pub(crate) unequal: bool,
}

/// A step of a path such as `entries[0]['title_detail'].value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Name(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Text(String),
    Number(i64),
    Numbers(Vec<i64>),
    None,
    Truth(bool),
    Path(Vec<Key>),
}

/// The comparisons of an expectation. None if it is written in a way that is not understood.
pub(crate) fn terms(text: &str) -> Option<Vec<Term>> {
    let mut parser = Parser { rest: text.trim() };
    let mut terms = Vec::new();
    loop {
        terms.push(parser.term()?);
        parser.space();
        if parser.rest.is_empty() {
            return Some(terms);
        }
        parser.word("and").then_some(())?;
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.space();
        let follows = self.rest.strip_prefix(word).and_then(|rest| rest.chars().next());
        self.rest.starts_with(word) && !follows.is_some_and(|c| c.is_alphanumeric() || c == '_') && self.take(word)
    }

    fn term(&mut self) -> Option<Term> {
        let negated = self.word("not");
        let before = self.rest;
        if self.take("(") {
            if let Some(mut term) = self.term().filter(|_| self.take(")")) {
                term.negated ^= negated;
                return Some(term);
            }
            self.rest = before;
        }
        let function = ["len", "ord"].iter().find(|name| self.take(&format!("{name}("))).map(|name| (*name).to_owned());
        let Operand::Path(path) = self.operand().or_else(|| self.number().map(|_| Operand::Path(vec![])))? else {
            return Some(Term { negated, function, path: vec![], against: vec![], unequal: false });
        };
        if function.is_some() {
            self.take(")").then_some(())?;
        }
        let mut against = Vec::new();
        let mut unequal = false;
        loop {
            if self.take("==") {
                against.push(self.operand()?);
            } else if self.take("!=") {
                unequal = true;
                against.push(self.operand()?);
            } else if self.word("is") {
                against.push(self.operand()?);
            } else {
                return Some(Term { negated, function, path, against, unequal });
            }
        }
    }

    fn operand(&mut self) -> Option<Operand> {
        self.space();
        for (word, value) in [("None", Operand::None), ("True", Operand::Truth(true)), ("False", Operand::Truth(false))]
        {
            if self.word(word) {
                return Some(value);
            }
        }
        let unicode = self.rest.strip_prefix('u').filter(|rest| rest.starts_with(['\'', '"']));
        self.rest = unicode.unwrap_or(self.rest);
        match self.rest.chars().next()? {
            '\'' | '"' => self.string().map(Operand::Text),
            '(' => self.numbers().map(Operand::Numbers),
            c if c.is_ascii_digit() || c == '-' => self.number().map(Operand::Number),
            c if c.is_alphabetic() => self.path().map(Operand::Path),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<i64> {
        self.space();
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }

    fn numbers(&mut self) -> Option<Vec<i64>> {
        self.take("(").then_some(())?;
        let mut numbers = Vec::new();
        while !self.take(")") {
            numbers.push(self.number()?);
            self.take(",");
        }
        Some(numbers)
    }

    fn name(&mut self) -> Option<String> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn path(&mut self) -> Option<Vec<Key>> {
        let mut path = vec![Key::Name(self.name()?)];
        loop {
            if self.take(".get(") || self.take(".has_key(") {
                path.push(Key::Name(self.string()?));
                self.take(")").then_some(())?;
            } else if self.rest.starts_with('.') {
                self.take(".");
                path.push(Key::Name(self.name()?));
            } else if self.rest.starts_with('[') {
                self.take("[");
                self.space();
                path.push(match self.rest.starts_with(['\'', '"']) {
                    true => Key::Name(self.string()?),
                    false => Key::Index(usize::try_from(self.number()?).ok()?),
                });
                self.take("]").then_some(())?;
            } else {
                return Some(path);
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if let Some(rest) = self.rest.strip_prefix("\"\"\"") {
            let (text, rest) = rest.split_once("\"\"\"")?;
            self.rest = rest;
            return Some(text.to_owned());
        }
        let mut chars = self.rest.char_indices();
        let (_, quote) = chars.next()?;
        let mut out = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = &self.rest[at + 1..];
                return Some(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let (_, escape) = chars.next()?;
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let code: String = (0..digits).filter_map(|_| chars.next()).map(|(_, digit)| digit).collect();
            match escape {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'x' | 'u' | 'U' => out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?),
                '\\' | '\'' | '"' => out.push(escape),
                other => out.extend(['\\', other]),
            }
        }
        None
    }
}

#[test]
fn expectations_are_understood() {
    let term = |text: &str| terms(text).unwrap().pop().unwrap();
    let name = |name: &str| Key::Name(name.to_owned());
    let title = term("not bozo and entries[0]['title'] == u'a\\xe1\\'b'");
    assert_eq!(title.path, [name("entries"), Key::Index(0), name("title")]);
    assert_eq!(title.against, [Operand::Text("aá'b".to_owned())]);
    let date = term("feed.updated_parsed == (2004, 4, 7, 4, 5, 43, 2, 98, 0)");
    assert_eq!(date.against, [Operand::Numbers(vec![2004, 4, 7, 4, 5, 43, 2, 98, 0])]);
    let count = term("not bozo and len(entries) == 2");
    assert_eq!((count.function.as_deref(), &count.against[..]), (Some("len"), &[Operand::Number(2)][..]));
    assert!(term("not bozo").negated);
    assert_eq!(term("entries[0].get('link') is None").against, [Operand::None]);
    assert_eq!(terms("1").unwrap().len(), 1);
    assert_eq!(terms("bozo and isinstance(bozo_exception, feedparser.X)"), None);
}
