//! The texts of the regression suite, for whoever changes the gazetteer and wants to know what becomes of them.

const FILES: [(&str, &str); 4] = [
    ("tagging", include_str!("../tests/cases/tagging.tsv")),
    ("companies", include_str!("../tests/cases/companies.tsv")),
    ("chips", include_str!("../tests/cases/chips.tsv")),
    ("policies", include_str!("../tests/cases/policies.tsv")),
];

/// Every case of the regression suite: its name and its text.
pub fn cases() -> impl Iterator<Item = (String, String)> {
    let lines = FILES.iter().flat_map(|(file, tsv)| tsv.lines().skip(1).map(move |line| (file, line)));
    lines.filter_map(|(file, line)| {
        let mut fields = line.split('\t');
        let name = fields.next()?;
        Some((format!("{file} {name}"), serde_json::from_str(fields.nth(1)?).ok()?))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_there() {
        let cases: Vec<_> = super::cases().collect();
        let lines: usize = super::FILES.iter().map(|(_, tsv)| tsv.lines().count() - 1).sum();
        assert_eq!((cases.len(), cases[0].0.as_str()), (lines, "tagging T001"));
    }
}
