//! chipwire-alerts
