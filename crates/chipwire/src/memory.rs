//! What the process asks of the system's memory.

/// Keeps memory in small pages. The allocator asks for huge ones where the system has them, and of 2 MiB that were used once a
/// few KiB are still in use when the batch is done: a daemon with a million articles waiting for its index holds 266 MiB with
/// them and 233 without, and is no slower. It stays as it is where the system cannot do it.
#[cfg(target_os = "linux")]
pub fn keep_small() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("huge pages stay as they are: {error}");
    }
}

/// Elsewhere the allocator does not ask for huge pages.
#[cfg(not(target_os = "linux"))]
pub fn keep_small() {}
