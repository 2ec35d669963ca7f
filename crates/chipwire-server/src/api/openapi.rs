//! `/openapi.json`: the description of the API, made from the handlers.

use axum::{
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{alerts, articles, entities, feeds, health, rules, stream, tagged_json};
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "chipwire",
        description = "Watches news feeds, tags articles with the chips, companies and policies that they mention, makes \
                       them searchable and raises alerts. Errors are problem details (RFC 9457).",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        articles::search,
        articles::article,
        entities::entities,
        feeds::list,
        feeds::add,
        feeds::remove,
        rules::list,
        rules::save,
        rules::remove,
        alerts::list,
        stream::stream,
        health::livez,
        health::readyz,
        health::metrics,
        document,
    ),
    components(schemas(articles::ArticleNews, alerts::AlertNews)),
    modifiers(&Token),
    security((), ("token" = []))
)]
struct Description;

/// The token, which only servers that are open to other machines ask for.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getDescription",
    tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(crate) async fn document(headers: HeaderMap) -> Response {
    tagged_json(&headers, &Description::openapi()).unwrap_or_else(Problem::into_response)
}
