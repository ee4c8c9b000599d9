//! A directory for what the ssh program needs on disk: a control socket, and a key that is given as text.
//!
//! It is made when first needed and goes with its owner. What a killed process left is recognised by its lock, which the
//! system has released, and removed by the next process that makes one.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tempfile::TempDir;

/// How our directories are named among those of others.
const PREFIX: &str = "sentrynet-ssh-";

/// The file whose lock says that its owner lives.
const LOCK: &str = "lock";

/// Room on disk, shared by all ssh probes of a configuration. Nothing is made until the first needs it.
#[derive(Debug, Default)]
pub struct Scratch {
    made: Mutex<Option<Made>>,
    number: AtomicU64,
}

#[derive(Debug)]
struct Made {
    directory: TempDir,
    _lock: File,
}

/// A directory for one session, 0700; removed when dropped.
#[derive(Debug)]
pub(crate) struct Desk(PathBuf);

// === impl Scratch ===

impl Scratch {
    /// A new directory in it.
    pub(crate) fn desk(&self) -> io::Result<Desk> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody who clears the temporary directory may have taken ours along.
        if made.as_ref().is_some_and(|made| !made.directory.path().is_dir()) {
            *made = None;
        }
        let whole = match &mut *made {
            Some(made) => made.directory.path().to_owned(),
            empty => empty.insert(Made::new()?).directory.path().to_owned(),
        };
        drop(made);
        let path = whole.join(self.number.fetch_add(1, Ordering::Relaxed).to_string());
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Desk(path))
    }
}

// === impl Made ===

impl Made {
    fn new() -> io::Result<Self> {
        sweep(&env::temp_dir());
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        match lock(directory.path()) {
            Ok(lock) => Ok(Self { directory, _lock: lock }),
            Err(error) => {
                // With no descriptor left, an empty directory can still go: by its name.
                let _ = fs::remove_dir(directory.path());
                Err(error)
            }
        }
    }
}

// === impl Desk ===

impl Desk {
    /// A path on it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that only we can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // By its name first, as above; what is left is removed with the whole.
        let _ = fs::remove_dir(&self.0).or_else(|_| fs::remove_dir_all(&self.0));
    }
}

/// Says that the owner of a directory lives. The lock is there before its name is: nobody finds one that is not held.
fn lock(directory: &Path) -> io::Result<File> {
    let unnamed = directory.join("new");
    let lock = File::create(&unnamed)?;
    lock.lock()?;
    fs::rename(&unnamed, directory.join(LOCK))?;
    Ok(lock)
}

/// Removes what dead owners left. What cannot be removed is somebody else's.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            let lock = OpenOptions::new().read(true).open(entry.path().join(LOCK));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_owner_left_is_swept_and_what_a_live_one_has_is_not() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let directory = place.path().join(format!("{PREFIX}{name}"));
            fs::create_dir_all(directory.join("0")).unwrap();
            directory
        };
        let (dead, live, young) = (make("dead"), make("live"), make("young"));
        drop(File::create(dead.join(LOCK)).unwrap());
        let held = File::create(live.join(LOCK)).unwrap();
        held.lock().unwrap();
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        sweep(place.path());
        assert_eq!([&dead, &live, &young, &other].map(|path| path.exists()), [false, true, true, true]);
    }

    #[test]
    fn a_desk_is_private_and_goes_with_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::default();
        let desk = scratch.desk().unwrap();
        let key = desk.write("key", "secret").unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(key.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        drop(desk);
        assert!(!key.exists());
        let whole = scratch.desk().unwrap().path("..");
        fs::remove_dir_all(whole.parent().unwrap().parent().unwrap()).unwrap();
        scratch.desk().unwrap();
    }
}
