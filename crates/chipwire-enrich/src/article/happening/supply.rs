//! Which side of a supply deal supplies: `who` is the supplier and `whom` the customer, whoever the sentence is about.
//!
//! "Picks" says it, and whose product it is; else a verb ("supplies", "orders"), a preposition ("to", "from"), or where the two stand in
//! the chain from materials to who uses chips. Where nothing does, the subject of the sentence is `who`.

use chipwire_events::Role;

use super::{
    Scene,
    cues::{Form, Kind},
    pattern::Hit,
    slots::{Filled, Value, change_sides},
};
use crate::gazetteer::EntityDef;

/// Beginnings of verbs whose subject is the customer.
const BUYS: &[&str] = &[
    "order", "buy", "buys", "buying", "bought", "purchas", "procur", "sourc", "rent", "adopt", "deploy", "plac",
    "award",
];
/// Those of a customer who may have a product of its own made.
const PICKS: &[&str] = &["pick", "select", "choos", "chos", "switch", "tap", "taps", "tapped"];
/// Words of a phrase in which such a verb is the supplier's: "adds Meta as a customer".
const SELLS: &[&str] =
    &["customer", "customers", "client", "clients", "tenant", "tenants", "supply", "supplies", "supplied"];
/// Beginnings of verbs whose subject is the supplier.
const SUPPLIES: &[&str] = &[
    "suppl",
    "deliver",
    "ship",
    "provid",
    "make",
    "made",
    "making",
    "manufactur",
    "produc",
    "fabricat",
    "hand",
    "sell",
    "sold",
    "feed",
    "fed",
    "win",
    "wins",
    "won",
    "winning",
    "lose",
    "lost",
    "losing",
];
/// Those of whoever gets an order, or the goods.
const GETS: &[&str] = &["secur", "land", "receiv", "clinch", "bag", "bags", "bagged"];
/// What only a supplier gets.
const ORDERS: &[&str] = &["order", "orders", "contract", "contracts", "business", "award"];
/// A beginning is of at least so many letters; what is shorter is a whole word.
const BEGINNING: usize = 4;

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
    change_sides(&mut filled);
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
    let first = word(hit.start);
    let begins = |beginnings: &[&str]| {
        beginnings.iter().any(|one| first == *one || (one.len() >= BEGINNING && first.starts_with(one)))
    };
    let phrase = || (hit.start..hit.end).map(word);
    let has = |words: &[&str]| phrase().any(|word| words.contains(&&*word));
    // An order that the weights point at is no verb.
    let noun = hit.weighed && matches!(&*first, "order" | "orders");
    let verb = matches!(hit.form, Form::Verb | Form::Easing | Form::Turned) && !noun;
    let buys = verb && hit.form != Form::Turned && !has(SELLS);
    if buys && begins(PICKS) {
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
    if verb && (begins(SUPPLIES) || (begins(GETS) && has(ORDERS))) {
        return false;
    }
    let led_by = |preposition: &str| {
        let leads = |start: usize| start.checked_sub(1).is_some_and(|at| at >= hit.start && word(at) == preposition);
        parties(Role::Whom).any(|party| leads(party.start))
    };
    // "Rents GPUs to", but "awards a contract to".
    if led_by("to") && !begins(&["award", "plac"]) {
        return false;
    }
    if (buys && begins(BUYS)) || led_by("from") {
        return true;
    }
    // Of other languages no verbs are known here.
    if hit.abroad {
        return false;
    }
    let tiers = |role: Role| parties(role).filter_map(|party| tier(party.entity));
    match (tiers(Role::Who).min(), tiers(Role::Whom).min()) {
        (Some(who), Some(whom)) => who > whom,
        _ => false,
    }
}
