//! Which side of a supply deal supplies: `who` is always the supplier and `whom` the customer, whoever the sentence is about.
//!
//! A verb may say it ("orders", "picks"), or a preposition ("buys from", "ships to"); else whose product it is, or where the two
//! stand in the chain from materials to who uses chips.

use chipwire_events::Role;

use super::{
    Scene,
    cues::{Form, Kind},
    pattern::Hit,
    slots::{Filled, Value},
};
use crate::gazetteer::EntityDef;

/// Beginnings of verbs whose subject is the customer.
const BUYS: &[&str] =
    &["order", "buy", "bought", "purchas", "procur", "sourc", "rent", "adopt", "deploy", "plac", "switch", "award"];
/// Those of a customer who may have a product of its own made.
const PICKS: &[&str] = &["pick", "select", "choos", "chos", "tap", "switch"];
/// Words of a phrase in which such a verb is the supplier's: "adds Meta as a customer".
const SELLS: &[&str] =
    &["customer", "customers", "client", "clients", "tenant", "tenants", "supply", "supplies", "supplied"];
/// Beginnings of verbs whose subject is the supplier, even where the deal is one "from" somebody.
const WINS: &[&str] = &[
    "win", "won", "secur", "land", "suppl", "deliver", "ship", "provid", "lose", "losing", "lost", "feed", "fed",
    "receiv", "clinch", "bag",
];

/// How far down the chain companies of a class are; none where that says nothing.
fn tier(entity: &EntityDef) -> Option<u8> {
    Some(match &*entity.class {
        "designer/ip" => 0,
        "designer/auto" => 6,
        "designer/consumer" => 5,
        "cloud/neocloud" => 4,
        class => match class.split('/').next()? {
            "materials" | "equipment" | "eda" | "power" | "energy" => 0,
            "foundry" | "packaging" | "memory" | "display" | "battery" | "components" => 1,
            "designer" | "idm" | "optical" | "optics" => 2,
            "systems" | "server" | "storage" => 3,
            "datacenter" => 4,
            "cloud" | "telecom" => 5,
            "ai-lab" | "ai" | "internet" | "auto" | "consumer" | "robotics" | "defence" | "space" | "bank" => 6,
            _ => return None,
        },
    })
}

/// The roles of a supply deal, with the supplier as who does it.
pub(super) fn oriented<'a>(scene: &Scene<'a>, hit: &Hit, mut filled: Vec<Filled<'a>>) -> Vec<Filled<'a>> {
    if hit.kind != Kind::SupplyDeal || !is_other_way_round(scene, hit, &filled) {
        return filled;
    }
    for slot in &mut filled {
        slot.role = match slot.role {
            Role::Who => Role::Whom,
            Role::Whom => Role::Who,
            other => other,
        };
    }
    filled.sort_by_key(|slot| slot.role);
    filled
}

fn is_other_way_round(scene: &Scene<'_>, hit: &Hit, filled: &[Filled<'_>]) -> bool {
    let parties = |role: Role| {
        filled.iter().filter(move |slot| slot.role == role).filter_map(|slot| match slot.value {
            Value::Named(named) => Some(named),
            _ => None,
        })
    };
    let word = |at: usize| scene.document.token(at).map(|token| scene.document.folded(token)).unwrap_or_default();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| word(hit.start).starts_with(beginning));
    let phrase = || (hit.start..hit.end).map(word);
    let verb = matches!(hit.form, Form::Verb | Form::Easing) && !phrase().any(|word| SELLS.contains(&&*word));
    if verb && begins(PICKS) {
        return true;
    }
    // Whose product it is says it most surely.
    let makes = |role: Role| {
        let makers = |what: &str| parties(role).any(|party| party.entity.id == what);
        parties(Role::What).filter_map(|what| what.entity.vendor.as_deref()).any(makers)
    };
    match (makes(Role::Who), makes(Role::Whom)) {
        (true, false) => return false,
        (false, true) => return true,
        _ => {}
    }
    if begins(WINS) {
        return false;
    }
    if verb && begins(BUYS) {
        return true;
    }
    let led_by = |preposition: &str| {
        let leads = |start: usize| start.checked_sub(1).is_some_and(|at| at >= hit.start && word(at) == preposition);
        parties(Role::Whom).any(|party| leads(party.start))
    };
    if led_by("from") || led_by("to") {
        return led_by("from");
    }
    let tiers = |role: Role| parties(role).filter_map(|party| tier(party.entity));
    match (tiers(Role::Who).min(), tiers(Role::Whom).min()) {
        (Some(who), Some(whom)) => who > whom,
        _ => false,
    }
}
