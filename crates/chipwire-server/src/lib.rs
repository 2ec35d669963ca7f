//! chipwire-server
