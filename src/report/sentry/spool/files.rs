//! The files of one lane: `NAME-NUMBER.log` holds records, the `.done` of the same name notes which are settled.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::record::Lane;

/// Where the files of one lane are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    directory: PathBuf,
    lane: Lane,
}

// === impl Files ===

impl Files {
    pub(super) fn new(directory: &Path, lane: Lane) -> Self {
        Self { directory: directory.to_owned(), lane }
    }

    /// The directory itself, to synchronise the names in it.
    pub(super) fn names(&self) -> io::Result<File> {
        File::open(&self.directory)
    }

    /// The file of records.
    pub(super) fn log(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{}-{number:010}.log", self.lane.name()))
    }

    /// The file of notes.
    pub(super) fn done(&self, number: u64) -> PathBuf {
        self.log(number).with_extension("done")
    }

    /// The numbers of all files of records, in order, and the first number that was never used; notes without records
    /// are deleted.
    pub(super) fn numbers(&self) -> io::Result<(Vec<u64>, u64)> {
        let (mut logs, mut notes, mut next) = (Vec::new(), Vec::new(), 1);
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((number, extension)) = name.to_str().and_then(|name| self.parse(name)) else { continue };
            next = next.max(number.saturating_add(1));
            match extension {
                "log" if entry.file_type()?.is_file() => logs.push(number),
                "done" => notes.push(number),
                _ => {}
            }
        }
        logs.sort_unstable();
        for stray in notes.into_iter().filter(|number| logs.binary_search(number).is_err()) {
            let _ = std::fs::remove_file(self.done(stray));
        }
        Ok((logs, next))
    }

    /// Makes the file of records.
    pub(super) fn create(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.log(number))
    }

    /// Opens the file of records to write on.
    pub(super) fn reopen(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.log(number))
    }

    /// Opens the file of notes.
    pub(super) fn notes(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.done(number))
    }

    /// Deletes both; the records first, for without their notes they would all be sent again.
    pub(super) fn remove(&self, number: u64) {
        for path in [self.log(number), self.done(number)] {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != ErrorKind::NotFound
            {
                tracing::debug!(path = %path.display(), %error, "a file of the spool cannot be deleted");
                return;
            }
        }
    }

    fn parse<'a>(&self, name: &'a str) -> Option<(u64, &'a str)> {
        let (number, extension) = name.strip_prefix(self.lane.name())?.strip_prefix('-')?.split_once('.')?;
        let number = number.parse().ok()?;
        (self.log(number).with_extension(extension).file_name()? == name).then_some((number, extension))
    }
}
