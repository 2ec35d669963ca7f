//! From a match to an alert.

use std::collections::HashSet;

use chipwire_events::{Alert, AlertId, Rule, TaggedArticle};

/// The alert that `rule` raises for `tagged`. A pure function: the same rule and article give the same alert, whenever and
/// wherever it is called, so that an alert that is raised twice can be told by its id.
pub fn alert(rule: &Rule, tagged: &TaggedArticle) -> Alert {
    let article = &tagged.article;
    Alert {
        id: AlertId::of(&rule.id, rule.version, &article.id),
        rule: rule.id.clone(),
        rule_version: rule.version,
        rule_name: rule.name.clone(),
        sinks: rule.sinks.clone(),
        article: article.id.clone(),
        revision: article.revision,
        title: article.title.clone(),
        url: article.url.clone(),
        source: article.source.clone(),
        published: article.time(),
        entities: tagged.entity_refs().map(|entity| entity.to_string()).collect(),
        raised: article.first_seen,
    }
}

/// The alerts that were raised before. An article that matches again in a later revision raises nothing new.
///
/// There may be millions: an id is kept as the number that it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raised {
    ids: HashSet<u128>,
    /// Ids that are no number of 32 hexadecimal digits, which chipwire does not make.
    other: HashSet<AlertId>,
}

impl Raised {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `alert` is raised. False if it was before.
    pub fn insert(&mut self, alert: &AlertId) -> bool {
        match number(alert) {
            Some(id) => self.ids.insert(id),
            None => self.other.insert(alert.clone()),
        }
    }

    /// Whether `alert` was raised before.
    pub fn contains(&self, alert: &AlertId) -> bool {
        number(alert).map_or_else(|| self.other.contains(alert), |id| self.ids.contains(&id))
    }

    /// How many were raised.
    pub fn len(&self) -> usize {
        self.ids.len() + self.other.len()
    }

    /// Whether none was raised.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The number that an id is, if it is one and written in the only way that makes it.
fn number(alert: &AlertId) -> Option<u128> {
    let digits = alert.as_str();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 32 && digits.bytes().all(is_digit)).then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

impl FromIterator<AlertId> for Raised {
    fn from_iter<I: IntoIterator<Item = AlertId>>(alerts: I) -> Self {
        let mut raised = Self::new();
        for alert in alerts {
            raised.insert(&alert);
        }
        raised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rule, tagged};

    #[test]
    fn the_same_match_is_the_same_alert() {
        let tagged = tagged("Nvidia ships", "The H20 is back.", &[("company", "nvidia"), ("chip", "nvidia-h20")]);
        let first = alert(&rule("h20", "chip:nvidia-h20"), &tagged);
        assert_eq!(first, alert(&rule("h20", "chip:nvidia-h20"), &tagged));
        assert_eq!(first.entities, ["company:nvidia", "chip:nvidia-h20"]);
        assert_eq!(first.raised, tagged.article.first_seen);

        let mut raised = Raised::new();
        assert!(raised.insert(&first.id));
        assert!(!raised.insert(&first.id));
        assert!(raised.contains(&first.id));
        // Each by itself, also those that would be the same number.
        for id in ["", "1", "01", "+1", &"0".repeat(32), &"f".repeat(32), &"F".repeat(32), &"0".repeat(33)] {
            let id = AlertId::from_string(id);
            assert!(!raised.contains(&id) && raised.insert(&id) && !raised.insert(&id), "{id}");
        }
        assert_eq!(raised.len(), 9);
    }

    #[test]
    fn a_later_revision_raises_nothing_new_but_a_changed_rule_does() {
        let mut tagged = tagged("Nvidia ships", "", &[]);
        let mut rule = rule("h20", "nvidia");
        let first = alert(&rule, &tagged);
        tagged.article.revision = 2;
        assert_eq!(alert(&rule, &tagged).id, first.id);
        rule.version = 2;
        assert_ne!(alert(&rule, &tagged).id, first.id);
    }
}
