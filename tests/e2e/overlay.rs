//! The overlay of the gazetteer: taken over while a daemon runs, refused and said where it is broken, checked at the start.

use std::{collections::BTreeSet, fs, path::PathBuf};

use chipwire_events::{TaggedArticle, Topic};

use crate::support::{Backend, Item, Process, Site, Tail, get, tagged, until, wait_searchable};

const ADD: &str = "kind = \"company\"\n[[entity]]\nid = \"acme-photonics\"\nname = \"Acme Photonics\"\n\
                   aliases = [{ text = \"Acme Photonics\", mode = \"free\" }]\n";

/// A site whose overlay is the folder `overlay` beside its configuration.
fn site(name: &str) -> (Site, PathBuf) {
    let site = Site::new(Backend::Sqlite, name);
    site.configure("[enrich]\noverlays = \"overlay\"");
    let folder = site.config().with_file_name("overlay");
    fs::create_dir(&folder).unwrap();
    (site, folder)
}

/// Publishes an article about Acme Photonics and returns it as it was tagged.
fn article(site: &Site, process: &Process, number: usize) -> TaggedArticle {
    let title = format!("Article {number}");
    site.origin.publish([Item::new(number, &title, "Acme Photonics and TSMC said nothing.")]);
    wait_searchable(&process.address, &BTreeSet::from([title.clone()]));
    let events = Tail::new(&site.log(), Topic::ArticlesTagged).all();
    tagged(&events).find(|tagged| tagged.article.title == title).unwrap().clone()
}

fn entities(tagged: &TaggedArticle) -> Vec<&str> {
    tagged.mentions.iter().map(|mention| mention.entity.as_str()).collect()
}

fn wait_for_metric(process: &Process, line: &str) {
    until(line, || {
        let (_, metrics) = get(&process.address, "/metrics");
        if metrics.lines().any(|found| found == line) { Ok(()) } else { Err(metrics) }
    });
}

#[test]
fn a_changed_overlay_tags_the_next_article() {
    let (site, folder) = site("overlay");
    let process = site.spawn(&["run"]);
    let before = article(&site, &process, 1);
    assert_eq!(entities(&before), ["tsmc"]);

    fs::write(folder.join("acme.toml"), ADD).unwrap();
    wait_for_metric(&process, "chipwire_overlay_reloads_total{outcome=\"taken\"} 1");
    let after = article(&site, &process, 2);
    assert_eq!(entities(&after), ["acme-photonics", "tsmc"]);
    assert_ne!(before.gazetteer, after.gazetteer);
    wait_for_metric(&process, &format!("chipwire_gazetteer{{digest=\"{}\"}} 1", after.gazetteer));
    // The commands see the same mix.
    assert!(site.run(&["check-config"]).contains(&after.gazetteer));
    assert!(site.run(&["tag", "--text", "Acme Photonics rose"]).contains("acme-photonics"));

    fs::write(folder.join("broken.toml"), "kind = \"company\"\n[[change]]\nid = \"nobody\"\n").unwrap();
    wait_for_metric(&process, "chipwire_overlay_broken 1");
    assert_eq!(article(&site, &process, 3).gazetteer, after.gazetteer);
    let said = process.stderr();
    let place = "broken.toml`, line 3, entity `company:nobody`, key `id`";
    assert_eq!(said.matches(place).count(), 1, "{said}");
    assert_eq!(get(&process.address, "/readyz").0, 200);

    fs::remove_file(folder.join("broken.toml")).unwrap();
    wait_for_metric(&process, "chipwire_overlay_broken 0");
    fs::remove_file(folder.join("acme.toml")).unwrap();
    wait_for_metric(&process, &format!("chipwire_gazetteer{{digest=\"{}\"}} 1", before.gazetteer));
    assert_eq!(entities(&article(&site, &process, 4)), ["tsmc"]);
    process.terminate();
    site.run(&["verify"]);
}

#[test]
fn a_broken_overlay_ends_the_start() {
    let (site, folder) = site("overlay-start");
    fs::write(folder.join("a.toml"), "kind = \"company\"\n[[entity]]\nid = \"nvidia\"\nname = \"X\"\n").unwrap();
    let config = site.config().display().to_string();
    let config = config.as_str();
    for command in
        [&["run"][..], &["enrich"], &["check-config"], &["tag", "--text", "x"], &["retag"], &["import", config]]
    {
        let error = site.fail(command);
        let place = "a.toml`, line 3, entity `company:nvidia`, key `id`: the id is also in `companies.toml`, line ";
        assert!(error.contains(place), "{command:?}: {error}");
    }
    fs::remove_dir_all(&folder).unwrap();
    let error = site.fail(&["run"]);
    assert!(error.contains("failed to read overlay `") && error.contains("overlay`: No such file"), "{error}");
    // A command may be given another.
    let other = site.config().with_file_name("other.toml");
    fs::write(&other, ADD).unwrap();
    let said = site.run(&["tag", "--text", "Acme Photonics rose", "--overlay", &other.display().to_string()]);
    assert!(said.contains("acme-photonics"), "{said}");
}
