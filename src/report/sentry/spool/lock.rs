//! One writer a directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The directory is in use.
#[derive(Debug, Error)]
#[error("the spool {} is in use by {}: two daemons need two spool directories", directory.display(), holder(*pid))]
pub struct Locked {
    /// The directory.
    pub directory: PathBuf,
    /// Who uses it, if it said so.
    pub pid: Option<u32>,
}

/// The right to write in a directory, until dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

/// Why there is no lock.
#[derive(Debug, Error)]
pub(super) enum LockError {
    #[error(transparent)]
    Locked(#[from] Locked),
    #[error(transparent)]
    Io(#[from] io::Error),
}

// === impl Lock ===

impl Lock {
    pub(super) fn take(directory: &Path) -> Result<Self, LockError> {
        let path = directory.join("lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = file.take(20).read_to_string(&mut pid);
                let pid = read.ok().and_then(|_| pid.trim().parse().ok());
                return Err(Locked { directory: directory.to_owned(), pid }.into());
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // The name is for people: a disk too full to take it is no reason not to hold the lock.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }

    /// Whether its file is still in the directory.
    pub(super) fn is_in_place(&self) -> bool {
        is_in_place(&self.0)
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a child that was just forked has it open too, until it becomes its program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

// === functions ===

/// Whether an open file still has a name.
pub(super) fn is_in_place(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let first = Lock::take(directory.path()).unwrap();
        let told = Lock::take(directory.path()).unwrap_err().to_string();
        assert!(told.contains(&format!("is in use by process {}", std::process::id())), "{told}");
        drop(first);
        Lock::take(directory.path()).unwrap();
    }

    #[test]
    fn a_lock_whose_file_was_deleted_is_not_in_place() {
        let directory = tempfile::tempdir().unwrap();
        let lock = Lock::take(directory.path()).unwrap();
        assert!(lock.is_in_place());
        std::fs::remove_file(directory.path().join("lock")).unwrap();
        assert!(!lock.is_in_place());
    }
}
