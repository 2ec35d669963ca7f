//! chipwire-feeds
