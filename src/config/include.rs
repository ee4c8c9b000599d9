//! The files that `include` names.

use std::path::{Path, PathBuf};

use probe_keys::{Findings, Placed, Published};

/// The files that these globs match, relative to `file`'s directory: sorted by name, each once.
pub(super) fn files(file: &Path, globs: &[Placed<Published>], findings: &Findings) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for Placed { value: Published(written), spot } in globs {
        let matches = match glob::glob(&whole(file, written)) {
            Ok(matches) => matches,
            Err(error) => {
                findings.wrong(spot, format!("`{written}` is no glob: {}", error.msg));
                continue;
            }
        };
        let before = found.len();
        for path in matches {
            match path {
                Ok(path) if same(&path, file) => findings.wrong(spot, format!("`{written}` includes this very file")),
                Ok(path) => found.push(path),
                Err(error) => findings.wrong(spot, format!("`{written}` cannot be searched: {}", error.error())),
            }
        }
        if found.len() == before && !findings.problems().iter().any(|problem| problem.spot == *spot) {
            findings.wrong(spot, format!("`{written}` matches no file"));
        }
    }
    found.sort();
    found.dedup_by(|one, other| same(one, other));
    found
}

/// A glob as it is searched: relative to the directory of `file`.
pub(super) fn whole(file: &Path, written: &str) -> String {
    let directory = file.parent().unwrap_or(Path::new(""));
    match written.starts_with('/') {
        true => written.to_owned(),
        false => Path::new(&glob::Pattern::escape(&directory.to_string_lossy())).join(written).display().to_string(),
    }
}

fn same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
