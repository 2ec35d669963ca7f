#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chipwire_feeds::probe::dates(bytes));
