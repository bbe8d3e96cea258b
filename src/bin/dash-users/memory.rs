//! What the program asks the kernel for, concerning its memory. If it is refused, the program carries
//! on without it.

use nix::sys::resource::{Resource, setrlimit};

/// A core dump would contain passwords.
pub fn disable_core_dumps() {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

/// mimalloc asks for huge pages. Clearing them takes a third of the time of a command that needs
/// little memory.
pub fn use_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(true);
}

/// On huge pages, the memory of a hash takes about 100 page faults instead of 8,000: see
/// `benches/README.md`.
pub fn use_huge_pages() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_thp_disable(false);
}
