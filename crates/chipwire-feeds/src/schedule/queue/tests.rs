//! The queue, moment by moment.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

fn standing(next_poll: Timestamp) -> Standing {
    Standing { next_poll, interval_s: 3_600, rest: Rest::default(), retry_at: None, longest_s: 86_400 }
}

#[test]
fn a_start_is_no_storm() {
    let now = at("2026-03-01T12:00:00Z");
    let mut moments = BTreeSet::new();
    for i in 0..1_000 {
        let feed = FeedId::of(&format!("https://example.org/{i}"));
        let overdue = standing(at("2026-03-01T06:00:00Z"));
        let resumed = resume_at(&feed, Some(&overdue), now);
        assert!((0..=RESUME_SPREAD_S).contains(&seconds(now, resumed)));
        moments.insert(seconds(now, resumed));
        let often = Standing { interval_s: 10, ..overdue };
        assert!(seconds(now, resume_at(&feed, Some(&often), now)) < 10);
        let later = standing(at("2026-03-01T13:00:00Z"));
        assert_eq!(resume_at(&feed, Some(&later), now), later.next_poll);
        assert_eq!(resume_at(&feed, None, now), now);
    }
    assert!(moments.len() > 240, "spread over {} seconds only", moments.len());
}

#[test]
fn a_feed_that_changes_hands_all_the_time_is_polled() {
    let due = at("2026-03-01T12:00:00Z");
    for i in 0..1_000 {
        let feed = FeedId::of(&format!("https://example.org/{i}"));
        // Taken over every five seconds, and polled if its time comes before that.
        let mut taken_over = (1..).map(|times| later_ms(due, 5_000 * times));
        let polled = taken_over.find(|now| resume_at(&feed, Some(&standing(due)), *now) < later_ms(*now, 5_000));
        assert!(seconds(due, polled.unwrap()) <= 15, "{i}: {polled:?}");
    }
}

#[test]
fn the_queue_hands_out_what_is_due_in_order() {
    let [a, b, c] = ["a", "b", "c"].map(FeedId::of);
    let now = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(0);
    let put = |schedule: &mut Schedule, feed: &FeedId, time: &str| {
        schedule.upsert(feed, feed.as_str(), at(time), 60, Rest::default());
    };
    put(&mut schedule, &a, "2026-03-01T11:00:00Z");
    put(&mut schedule, &b, "2026-03-01T10:00:00Z");
    put(&mut schedule, &c, "2026-03-01T13:00:00Z");
    put(&mut schedule, &a, "2026-03-01T09:00:00Z");
    assert_eq!((schedule.len(), schedule.next_due()), (3, Some(at("2026-03-01T09:00:00Z"))));
    assert_eq!(schedule.pop_due(now), Some(Due { feed: a, since: at("2026-03-01T09:00:00Z") }));
    schedule.remove(&b);
    schedule.remove(&b);
    assert_eq!(schedule.pop_due(now), None);
    assert_eq!(schedule.pop_due(at("2026-03-01T13:00:00Z")).map(|due| due.feed), Some(c));
    assert!(schedule.is_empty() && schedule.next_due().is_none());
}

#[test]
fn a_host_is_asked_by_one_poll_at_a_time_and_then_left_in_peace() {
    let now = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(2_000);
    let feeds = ["a", "b", "c"].map(FeedId::of);
    feeds.iter().for_each(|feed| schedule.upsert(feed, "example.org", now, 0, Rest::default()));
    let first = schedule.pop_due(now).unwrap().feed;
    assert_eq!(schedule.pop_due(later_ms(now, 60_000)), None, "one at a time");
    assert_eq!(schedule.next_due(), None);
    schedule.finished(&first, later_ms(now, 700));
    assert_eq!(schedule.next_due(), Some(later_ms(now, 2_700)));
    assert_eq!(schedule.pop_due(later_ms(now, 2_699)), None);
    let second = schedule.pop_due(later_ms(now, 5_000)).unwrap();
    assert_eq!(second.since, later_ms(now, 2_700));
    // A feed that is removed while it is polled, and one that nobody asked for.
    schedule.remove(&second.feed);
    schedule.finished(&second.feed, later_ms(now, 5_000));
    schedule.finished(&FeedId::from_string("x"), later_ms(now, 5_000));
    let third = schedule.pop_due(later_ms(now, 7_000)).unwrap().feed;
    assert_eq!(BTreeSet::from([first, second.feed, third]), BTreeSet::from(feeds));
}

#[test]
fn a_feed_that_moves_to_another_host_during_its_poll_waits_for_its_end() {
    let now = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(0);
    let [a, b] = ["a", "b"].map(FeedId::of);
    schedule.upsert(&a, "example.org", now, 0, Rest::default());
    assert_eq!(schedule.pop_due(now).map(|due| due.feed), Some(a.clone()));
    schedule.upsert(&a, "example.net", now, 0, Rest::default());
    assert_eq!(schedule.pop_due(now), None);
    schedule.finished(&a, now);
    assert_eq!(schedule.pop_due(later_ms(now, 1_000)).map(|due| due.feed), Some(a));
    schedule.upsert(&b, "example.org", now, 0, Rest::default());
    assert_eq!(schedule.pop_due(now).map(|due| due.feed), Some(b), "the host it left is free");
}

#[test]
fn one_feed_that_shall_be_asked_later_is_its_own_affair_and_two_are_the_hosts() {
    let now = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(2_000);
    let [a, b, c] = ["a", "b", "c"].map(FeedId::of);
    schedule.upsert(&c, "example.org", now, 0, Rest::default());
    schedule.retry_later(&a, "example.org", later_ms(now, 600_000), now);
    schedule.retry_later(&a, "example.org", later_ms(now, 900_000), now);
    schedule.retry_later(&b, "example.net", later_ms(now, 600_000), now);
    assert_eq!(schedule.next_due(), Some(now));
    schedule.retry_later(&b, "example.org", later_ms(now, 600_000), now);
    assert_eq!(schedule.next_due(), Some(later_ms(now, 900_000)));
    // And so after a restart.
    let mut schedule = Schedule::new(2_000);
    schedule.resume(&c, "example.org", Some(standing(now)), now);
    assert_eq!(schedule.next_due(), Some(later_ms(now, 2_000)));
    for (feed, seconds) in [(&a, 900), (&b, 600)] {
        let until = later_ms(now, seconds * 1_000);
        let standing = Standing { retry_at: Some(until), ..standing(until) };
        schedule.resume(feed, "example.org", Some(standing), now);
    }
    assert_eq!(schedule.next_due(), Some(later_ms(now, 900_000)));
}

#[test]
fn rest_holds_when_the_host_keeps_a_feed_waiting() {
    let now = at("2026-03-01T11:59:59Z");
    let mut schedule = Schedule::new(2_000);
    let [a, b] = ["a", "b"].map(FeedId::of);
    schedule.upsert(&a, "example.org", later_ms(now, -1_000), 0, Rest::default());
    schedule.upsert(&b, "example.org", now, 0, Rest::new(&[12], &[]));
    assert_eq!(schedule.pop_due(now).map(|due| due.feed), Some(a.clone()));
    schedule.finished(&a, now);
    assert_eq!(schedule.pop_due(later_ms(now, 2_000)), None);
    assert_eq!(schedule.next_due(), Some(at("2026-03-01T13:00:01Z")));
}

#[test]
fn a_herd_on_one_host_disperses() {
    let start = at("2026-03-01T12:00:00Z");
    let feeds: Vec<FeedId> = (0..120).map(|i| FeedId::of(&i.to_string())).collect();
    let mut schedule = Schedule::new(2_000);
    feeds.iter().for_each(|feed| schedule.upsert(feed, "example.org", start, 3_600, Rest::default()));
    let mut polls: Vec<i64> = Vec::new();
    let mut now = start;
    while seconds(start, now) < 4 * 3_600 {
        now = schedule.next_due().unwrap().max(now);
        let due = schedule.pop_due(now).unwrap();
        polls.push(seconds(start, now));
        schedule.finished(&due.feed, later_ms(now, 500));
        schedule.upsert(&due.feed, "example.org", later_ms(now, 3_600_000), 3_600, Rest::default());
    }
    let in_minute = |minute: i64| polls.iter().filter(|poll| **poll / 60 == minute).count();
    // The first time round they take half of their interval, and never more than that in one minute.
    let most = (0..240).map(in_minute).max().unwrap();
    assert!(most <= 5, "{most} polls in one minute");
}

#[test]
fn ids_that_are_none_of_ours_and_hosts_without_feeds_do_no_harm() {
    let now = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(0);
    for i in 0..100 {
        let feed = FeedId::from_string(format!("mine-{i}"));
        schedule.upsert(&feed, &format!("host{i}"), now, 60, Rest::default());
        if i % 2 == 0 {
            schedule.remove(&feed);
        } else {
            assert_eq!(schedule.pop_due(now).map(|due| due.feed), Some(feed));
        }
    }
    assert!(schedule.is_empty());
    assert!(schedule.hosts.len() <= 51, "{} hosts", schedule.hosts.len());
}

#[test]
fn hosts_that_have_no_feeds_any_more_are_forgotten() {
    let start = at("2026-03-01T12:00:00Z");
    let mut schedule = Schedule::new(2_000);
    for i in 0..20_000 {
        let (now, host) = (later_ms(start, i64::from(i) * 100), format!("host{i}"));
        let feed = FeedId::of(&host);
        schedule.upsert(&feed, &host, now, 60, Rest::default());
        schedule.retry_later(&feed, &host, later_ms(now, 10_000), now);
        assert_eq!(schedule.pop_due(now).map(|due| due.feed), Some(feed.clone()));
        schedule.finished(&feed, now);
    }
    assert!(schedule.hosts.len() <= 2 * KEPT_HOSTS, "{} hosts", schedule.hosts.len());
    assert_eq!(schedule.hosts.len(), schedule.numbers.len() + schedule.unused.len());
    // Those that are to be left in peace are not.
    let (feed, now) = (FeedId::of("host19999"), later_ms(start, 20_000 * 100));
    schedule.upsert(&feed, "host19999", now, 60, Rest::default());
    assert_eq!(schedule.pop_due(now), None);
}

#[test]
fn a_clock_that_was_ahead_silences_no_feed() {
    let (ahead, now) = (at("2031-03-01T12:00:00Z"), at("2026-03-01T12:00:00Z"));
    let mut schedule = Schedule::new(2_000);
    let [a, b, c] = ["a", "b", "c"].map(FeedId::of);
    schedule.upsert(&a, "example.org", ahead, 60, Rest::default());
    assert_eq!(schedule.pop_due(ahead).map(|due| due.feed), Some(a.clone()));
    schedule.finished(&a, ahead);
    schedule.upsert(&a, "example.org", later_ms(ahead, 3_600_000), 3_600, Rest::default());
    for feed in [&a, &b] {
        schedule.retry_later(feed, "example.net", later_ms(ahead, 600_000), ahead);
    }
    schedule.upsert(&c, "example.net", ahead, 60, Rest::default());
    // It is put right while chipwire runs: everybody waits as long as it was meant.
    assert_eq!(schedule.pop_due(now), None);
    assert_eq!(schedule.next_due(), Some(later_ms(now, 600_000)));
    assert_eq!(schedule.pop_due(later_ms(now, 600_000)).map(|due| due.feed), Some(c.clone()));
    assert_eq!(schedule.pop_due(later_ms(now, 3_599_000)), None);
    assert_eq!(schedule.pop_due(later_ms(now, 3_600_000)).map(|due| due.feed), Some(a.clone()));
    // A second more or less is no jump.
    schedule.upsert(&b, "example.com", later_ms(now, 3_700_000), 60, Rest::default());
    assert_eq!(schedule.pop_due(later_ms(now, 3_590_000)), None);
    assert_eq!(schedule.next_due(), Some(later_ms(now, 3_700_000)));

    // Or while it does not run.
    let stored = Standing { retry_at: Some(ahead), ..standing(ahead) };
    assert_eq!(resume_at(&a, Some(&stored), now), later_ms(now, 86_400_000));
    let mut schedule = Schedule::new(2_000);
    [&a, &b].iter().for_each(|feed| schedule.resume(feed, "example.org", Some(stored), now));
    assert_eq!(schedule.pop_due(later_ms(now, 86_399_000)), None);
    assert!(schedule.pop_due(later_ms(now, 86_400_000)).is_some());
}

/// What may happen to a queue: a kind, a feed, a host and a time in seconds.
fn steps() -> impl Strategy<Value = Vec<(u8, usize, usize, i64)>> {
    proptest::collection::vec((0..5_u8, 0..6_usize, 0..3_usize, 0..20_i64), 1..200)
}

proptest! {
    #[test]
    fn nobody_is_polled_too_early_nor_forgotten(steps in steps()) {
        const SPACING_MS: i64 = 2_000;
        let mut now = at("2026-03-01T12:00:00Z");
        let feeds: Vec<FeedId> = (0..6).map(|number| FeedId::of(&number.to_string())).collect();
        let mut schedule = Schedule::new(SPACING_MS as u64);
        let mut waiting: BTreeMap<FeedId, (usize, Timestamp)> = BTreeMap::new();
        let mut polled: BTreeMap<FeedId, usize> = BTreeMap::new();
        let mut free = [now; 3];
        for (kind, feed, host, seconds) in steps {
            let feed = &feeds[feed];
            match kind {
                0 if !polled.contains_key(feed) => {
                    let time = later_ms(now, seconds * 1_000);
                    schedule.upsert(feed, &host.to_string(), time, 0, Rest::default());
                    waiting.insert(feed.clone(), (host, time));
                }
                1 => {
                    schedule.remove(feed);
                    waiting.remove(feed);
                }
                2 => {
                    if let Some(host) = polled.remove(feed) {
                        schedule.finished(feed, now);
                        free[host] = later_ms(now, SPACING_MS);
                    }
                }
                3 => now = later_ms(now, seconds * 300),
                _ => {
                    let ready = |(host, time): &(usize, Timestamp)| {
                        (*time).max(free[*host]) <= now && !polled.values().any(|busy| busy == host)
                    };
                    let possible = waiting.values().any(ready);
                    match schedule.pop_due(now) {
                        Some(due) => {
                            let place = waiting.remove(&due.feed);
                            prop_assert!(place.as_ref().is_some_and(ready), "{due:?} {place:?}");
                            free[place.unwrap().0] = later_ms(now, SPACING_MS);
                            polled.insert(due.feed, place.unwrap().0);
                        }
                        None => prop_assert!(!possible, "{waiting:?} {polled:?} {free:?} {now}"),
                    }
                }
            }
            prop_assert_eq!(schedule.len(), waiting.len());
        }
        // In the end all have their turn.
        polled.keys().for_each(|feed| schedule.finished(feed, now));
        while let Some(due) = schedule.pop_due(later_ms(now, 60_000)) {
            schedule.finished(&due.feed, now);
            waiting.remove(&due.feed);
            now = later_ms(now, 60_000);
        }
        prop_assert!(waiting.is_empty(), "{waiting:?}");
    }
}
