//! The page in a real browser: a search is typed, a result and its entities are seen, a screenshot is kept.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use thirtyfour::prelude::*;

use crate::support::{Backend, Item, Site, runtime, wait_searchable};

/// ChromeDriver on a free port.
struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is needed: tests/run installs it");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "chromedriver ended without naming its port");
            if let Some(port) = line.split("started successfully on port ").nth(1) {
                break port.trim().trim_end_matches('.').parse().unwrap();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, port }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn artefacts() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../artefacts");
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn browser(driver: &Driver, javascript: bool) -> WebDriver {
    let mut capabilities = DesiredCapabilities::chrome();
    let profile = tempfile::tempdir().unwrap().keep();
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,1000",
        &format!("--user-data-dir={}", profile.display()),
    ] {
        capabilities.add_arg(argument).unwrap();
    }
    if !javascript {
        let preferences = serde_json::json!({ "profile.managed_default_content_settings.javascript": 2 });
        capabilities.add_experimental_option("prefs", preferences).unwrap();
    }
    WebDriver::new(format!("http://127.0.0.1:{}", driver.port), capabilities).await.unwrap()
}

async fn search(driver: &WebDriver, address: &str, artefact: &str) -> WebDriverResult<()> {
    driver.goto(format!("http://{address}/")).await?;
    let input = driver.find(By::Css("input[name=q]")).await?;
    input.send_keys("h20 licence").await?;
    input.send_keys(Key::Enter + "").await?;
    let result = driver.query(By::Css("li.hit")).first().await?;
    let text = result.text().await?;
    assert!(text.contains("Nvidia readies H20 for China"), "{text}");
    let entities = result.find_all(By::Css("a[href*='chip%3Anvidia-h20'], a[href*='chip:nvidia-h20']")).await?;
    assert!(!entities.is_empty(), "the result shows no link to its chip: {}", result.outer_html().await?);
    assert_eq!(driver.find_all(By::Css("li.hit")).await?.len(), 1);
    driver.screenshot(&artefacts().join(format!("{artefact}.png"))).await?;

    // The title that tries to be a script is text.
    driver.goto(format!("http://{address}/?q=orchard")).await?;
    let text = driver.query(By::Css("li.hit")).first().await?.text().await?;
    assert!(text.contains("<script>alert(1)</script>"), "{text}");
    Ok(())
}

#[test]
fn a_search_is_typed_and_its_result_seen() {
    let site = Site::new(Backend::Sqlite, "page");
    site.origin.publish([
        Item::new(1, "Nvidia readies H20 for China", "Nvidia may ship its H20 GPU to China under a licence."),
        Item::new(2, "TSMC raises its outlook", "TSMC expects more orders for AI chips from Nvidia and AMD."),
        Item::new(3, "Orchard news &amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;", "The harvest was good."),
    ]);
    let daemon = site.spawn(&["run"]);
    let titles = ["Nvidia readies H20 for China", "TSMC raises its outlook"];
    wait_searchable(&daemon.address, &titles.map(str::to_owned).into_iter().collect::<BTreeSet<_>>());
    let chromedriver = Driver::start();
    for (javascript, artefact) in [(true, "page"), (false, "page-without-javascript")] {
        runtime().block_on(async {
            let driver = browser(&chromedriver, javascript).await;
            let result = search(&driver, &daemon.address, artefact).await;
            driver.quit().await.unwrap();
            result.unwrap();
        });
    }
    daemon.terminate();
}
