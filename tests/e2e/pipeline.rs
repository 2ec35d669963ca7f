//! A feed with new items becomes a search hit and a webhook.

use std::collections::BTreeSet;

use crate::support::{Backend, Item, Process, Site, get, get_json, wait_searchable};

/// Every stage as a process of its own; the first one serves.
const APART: [&[&str]; 5] = [&["serve"], &["fetch"], &["enrich"], &["index"], &["alert"]];

fn articles() -> Vec<Item> {
    vec![
        Item::new(1, "Nvidia readies H20 for China", "Nvidia may ship its H20 GPU to China under a licence."),
        Item::new(2, "TSMC raises its outlook", "TSMC expects more orders for AI chips from Nvidia and AMD."),
        Item::new(3, "Orchard news", "An apple a day; the harvest was good."),
    ]
}

fn titles(items: &[Item]) -> BTreeSet<String> {
    items.iter().map(|item| item.title.clone()).collect()
}

fn check(backend: Backend, name: &str, processes: &[&[&str]]) {
    let mut site = Site::new(backend, name);
    site.run(&["rules", "add", "chip:nvidia-h20", "--name", "H20", "--sink", "hook"]);
    let items = articles();
    site.origin.publish(items.clone());
    let running: Vec<Process> = processes.iter().map(|arguments| site.spawn(arguments)).collect();
    let address = running[0].address.clone();

    wait_searchable(&address, &titles(&items));
    site.receiver.until(&titles(&items[..1]));

    // A later item and an edit reach the index too, and an edit of what was reported reports nothing new.
    let later = Item::new(4, "H20 stock runs low", "Buyers of the Nvidia H20 GPU look for more.");
    site.receiver.refuse(1);
    site.origin.publish([later.clone()]);
    site.origin.edit(1, |item| item.title = "Nvidia readies H20 for China (updated)".to_owned());
    wait_searchable(&address, &titles(&[later.clone(), Item::new(1, "Nvidia readies H20 for China (updated)", "")]));
    site.receiver.until(&titles(&[later]));

    let answer = get_json(&address, "/v1/articles?q=company:nvidia&sort=newest");
    assert_eq!(answer["total"], 3, "{answer}");
    let answer = get_json(&address, "/v1/articles?q=chip:nvidia-h20%20AND%20licence");
    assert_eq!(answer["total"], 1, "{answer}");
    assert_eq!(answer["hits"][0]["title"], "Nvidia readies H20 for China (updated)");
    let mentions = answer["hits"][0]["mentions"].as_array().unwrap();
    assert!(mentions.iter().any(|mention| mention["kind"] == "chip" && mention["entity"] == "nvidia-h20"), "{answer}");
    let alerts = get_json(&address, "/v1/alerts");
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 2, "{alerts}");
    assert_eq!(get(&address, "/livez").0, 200);
    let (status, reasons) = get(&address, "/readyz");
    assert_eq!(status, 200, "{reasons}");
    assert!(get(&address, "/metrics").1.contains("chipwire_"));

    for process in running {
        process.terminate();
    }
    let ids: BTreeSet<&str> = site.receiver.seen.iter().map(|hook| hook.id.as_str()).collect();
    assert_eq!(ids.len(), site.receiver.seen.len(), "an alert came twice without a crash: {:?}", site.receiver.seen);
}

#[test]
fn embedded_in_one_process() {
    check(Backend::Sqlite, "pipeline-one", &[&["run"]]);
}

#[test]
fn embedded_as_five_processes() {
    check(Backend::Sqlite, "pipeline-five", &APART);
}

#[test]
fn kafka_in_one_process() {
    check(Backend::Kafka, "pipeline-one", &[&["run"]]);
}

#[test]
fn kafka_as_five_processes() {
    check(Backend::Kafka, "pipeline-five", &APART);
}

#[test]
fn kafka_workers_share_the_work() {
    let processes: [&[&str]; 7] =
        [&["serve"], &["fetch"], &["fetch"], &["enrich"], &["enrich"], &["index"], &["alert"]];
    check(Backend::Kafka, "pipeline-shared", &processes);
}
