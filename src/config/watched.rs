//! Whether the files of a configuration have changed since they were looked at last.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// The file, and the globs of those it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    pub(super) file: PathBuf,
    pub(super) globs: Vec<String>,
    /// The fingerprint when they were read.
    pub(super) at_load: u64,
}

// === impl Watched ===

impl Watched {
    /// The files as they are about to be read.
    pub(super) fn new(file: &Path, globs: Vec<String>) -> Self {
        let watched = Self { file: file.to_owned(), globs, at_load: 0 };
        Self { at_load: watched.fingerprint(), ..watched }
    }

    /// The fingerprint when they were read.
    pub const fn at_load(&self) -> u64 {
        self.at_load
    }

    /// A number that is another when the content of a file is, or when a file comes or goes. Links are followed, so
    /// that a link which is swapped, as Kubernetes does, is a change too.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let included = self.globs.iter().filter_map(|glob| glob::glob(glob).ok()).flatten().flatten();
        let mut files: Vec<PathBuf> = included.collect();
        files.sort();
        content(&self.file).hash(&mut hasher);
        for file in files {
            file.hash(&mut hasher);
            content(&file).hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// None while it cannot be read: in the middle of a swap, for one.
fn content(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_change_of_content_a_new_file_and_a_swapped_link_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("one")).unwrap();
        fs::create_dir(at("two")).unwrap();
        fs::write(at("one/config.yaml"), "a").unwrap();
        fs::write(at("two/config.yaml"), "b").unwrap();
        symlink(at("one"), at("data")).unwrap();
        let watched = Watched::new(&at("data/config.yaml"), vec![at("more/*.yaml").to_string_lossy().into_owned()]);
        assert_eq!(watched.at_load(), watched.fingerprint());
        let mut seen = vec![watched.fingerprint()];
        assert_eq!(watched.fingerprint(), seen[0], "the same as long as nothing changes");

        symlink(at("two"), at("next")).unwrap();
        fs::rename(at("next"), at("data")).unwrap();
        seen.push(watched.fingerprint());
        fs::create_dir(at("more")).unwrap();
        fs::write(at("more/x.yaml"), "groups").unwrap();
        seen.push(watched.fingerprint());
        fs::write(at("more/x.yaml"), "groups: []").unwrap();
        seen.push(watched.fingerprint());
        fs::remove_file(at("more/x.yaml")).unwrap();
        assert_eq!(watched.fingerprint(), seen[1]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}
