//! chipwire-enrich
