//! chipwire-query
/// placeholder until the AST is there
#[derive(Debug, Clone, PartialEq)]
pub struct Query;
