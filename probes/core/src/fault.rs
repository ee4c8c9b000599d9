//! Errors of the operating system that say nothing of a target.

use std::io::{self, ErrorKind};

// Where the standard library has no kind for an error, its number on Unix is taken.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };

/// A fault on this machine, in words; none when the error may well be the target's.
pub fn own_fault(error: &io::Error) -> Option<&'static str> {
    let fault = match (error.raw_os_error(), error.kind()) {
        (Some(EMFILE), _) => "this prober has no file descriptors left: raise its limit (ulimit -n)",
        (Some(ENFILE), _) => "this machine has no file descriptors left",
        (Some(ENOBUFS), _) | (_, ErrorKind::OutOfMemory) => "this machine has no memory left for connections",
        (_, ErrorKind::NetworkUnreachable) => "no route from this machine",
        (_, ErrorKind::NetworkDown) => "this machine's network is down",
        (_, ErrorKind::AddrNotAvailable) => "this machine has no address or port left to connect from",
        (_, ErrorKind::PermissionDenied) => "this machine does not permit the connection (a firewall?)",
        _ => return None,
    };
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_is_ours() {
        assert!(own_fault(&io::Error::from_raw_os_error(EMFILE)).is_some_and(|fault| fault.contains("ulimit")));
        for theirs in [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::HostUnreachable] {
            assert_eq!(own_fault(&theirs.into()), None);
        }
    }
}
