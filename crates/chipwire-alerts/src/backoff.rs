//! When a failed delivery is tried again.

use std::time::Duration;

use chipwire_events::AlertId;

/// Seconds before attempt 1, 2, 3, ...: ten attempts over a little more than three days, close to what Standard Webhooks
/// 1.0.0 ("deliverability and reliability") recommends.
const SCHEDULE_S: [u64; 10] = [0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

/// How long to wait after `attempts` failed attempts before the next one; `None` when it is time to give up.
///
/// Up to a tenth is added, by a hash of the alert's id: alerts that failed together do not all come back together, and the
/// same alert always waits as long.
pub fn backoff(attempts: u32, alert: &AlertId) -> Option<Duration> {
    let base_ms = SCHEDULE_S.get(usize::try_from(attempts).ok()?)? * 1000;
    let hash = chipwire_events::hash_hex(4, &["backoff", alert.as_str(), &attempts.to_string()]);
    let share = u64::from(u32::from_str_radix(&hash, 16).unwrap_or_default());
    // share / 2^32 is in [0, 1).
    let jitter_ms = (base_ms / 10).saturating_mul(share) >> 32;
    Some(Duration::from_millis(base_ms + jitter_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_over_about_three_days() {
        let alert = AlertId::from_string("0123");
        let waits: Vec<Duration> = (0..).map_while(|attempts| backoff(attempts, &alert)).collect();
        assert_eq!(waits.len(), 10);
        assert_eq!(waits[0], Duration::ZERO);
        assert!(waits[1] >= Duration::from_secs(5) && waits[1] < Duration::from_millis(5_500));
        let days = waits.iter().sum::<Duration>().as_secs_f64() / 86_400.0;
        assert!((3.1..3.5).contains(&days), "{days}");
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(backoff(u32::MAX, &alert), None);
    }

    #[test]
    fn jitter_differs_between_alerts_and_not_between_calls() {
        let wait = |id: &str| backoff(4, &AlertId::from_string(id));
        assert_eq!(wait("a"), wait("a"));
        assert_ne!(wait("a"), wait("b"));
    }
}
