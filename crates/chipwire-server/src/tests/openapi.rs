use std::collections::{BTreeMap, BTreeSet};

use axum::{body::Body, http::header};
use expect_test::expect;
use serde_json::Value;

use super::{Server, request};
use crate::app::api_routes;

/// The methods of each path, as the description tells them.
fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

#[tokio::test]
async fn every_route_is_described_and_no_other() {
    let server = Server::new();
    let document = server.get("/openapi.json").await.json();
    let mut routes = BTreeMap::new();
    for (path, _) in api_routes() {
        let uri = path.replace("{id}", "x");
        let answer = server.send(request("PATCH", &uri).body(Body::empty()).unwrap()).await;
        answer.problem(405);
        let allow = answer.headers[header::ALLOW].to_str().unwrap();
        let methods: BTreeSet<String> = allow.split(',').map(str::to_owned).filter(|method| method != "HEAD").collect();
        routes.insert(path.to_owned(), methods);
    }
    assert_eq!(described(&document), routes);
}

#[tokio::test]
async fn the_description_is_complete() {
    let document = Server::new().get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut lines = String::new();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses: Vec<&str> = operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} names two operations");
            lines.push_str(&format!("{method} {path}: {}\n", responses.join(" ")));
        }
    }
    expect![[r#"
        get /livez: 200 503
        get /metrics: 200
        get /openapi.json: 200
        get /readyz: 200 503
        get /v1/alerts: 200 400
        get /v1/articles: 200 400 503
        get /v1/articles/{id}: 200 304 404
        get /v1/entities: 200 400 503
        get /v1/feeds: 200
        post /v1/feeds: 201 400 403 409
        delete /v1/feeds/{id}: 204 403 404 409
        get /v1/rules: 200
        post /v1/rules: 200 201 400 403 409
        delete /v1/rules/{id}: 204 403 404
        get /v1/stream: 200 400 503
    "#]]
    .assert_eq(&lines);

    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
