//! The rules of the house, kept by reading the source text.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// More lines than this, tests aside, is more than one job.
const LONGEST: usize = 300;

/// Names that say what a room is not.
const NAMES: [&str; 10] =
    ["util", "utils", "common", "misc", "helper", "helpers", "manager", "handler", "service", "endpoint"];

fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::from(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("the directory can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{directory} holds no source");
    found
}

/// Everything before the tests of a file, comments taken out.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(line).collect()
}

fn everything() -> Vec<(PathBuf, String)> {
    ["src", "probes"].into_iter().flat_map(sources).collect()
}

/// Files whose code holds a text, in any directory but the allowed ones.
fn outside(needle: &str, allowed: &[&str]) -> Vec<PathBuf> {
    let holds = |(path, text): &(PathBuf, String)| {
        code(text).contains(needle) && !allowed.iter().any(|allowed| path.starts_with(allowed))
    };
    everything().into_iter().filter(holds).map(|(path, _)| path).collect()
}

/// The top-level modules of the daemon, outermost first.
fn layers() -> Vec<String> {
    let lib = fs::read_to_string("src/lib.rs").expect("the library is there");
    let name = |line: &str| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned);
    lib.lines().filter_map(name).collect()
}

#[test]
fn every_file_says_its_job_in_its_first_line_and_stays_small() {
    for (path, text) in everything() {
        assert!(text.starts_with("//! "), "{} does not say its job", path.display());
        let lines = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_room_is_named_for_what_it_is_not() {
    for (path, _) in everything() {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(!NAMES.contains(&name), "{}", path.display());
    }
}

#[test]
fn imports_point_down() {
    let layers = layers();
    let place: BTreeMap<&str, usize> = layers.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    for (path, text) in sources("src") {
        let below = path.strip_prefix("src").expect("it is below src");
        let first = below.iter().next().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
        let Some(own) = first.and_then(|name| place.get(name)) else { continue };
        let code = code(&text);
        for (other, at) in &place {
            let upwards = code.contains(&format!("crate::{other}::"))
                || code.contains(&format!("crate::{other};"))
                || group(&code).iter().any(|name| name == other);
            assert!(!upwards || at >= own, "{} imports {other}, which is above it", path.display());
        }
    }
}

/// The modules named in `use crate::{…}`: the first word of each item.
fn group(code: &str) -> Vec<String> {
    let Some((_, items)) = code.split_once("use crate::{") else { return Vec::new() };
    let (mut depth, mut item, mut names) = (1, String::new(), Vec::new());
    for c in items.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 || depth == 1 && c == ',' {
            names.push(item.split("::").next().unwrap_or_default().trim().to_owned());
            item.clear();
        } else {
            item.push(c);
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn only_the_sentry_sink_names_the_sentry_sdk() {
    assert_eq!(outside("sentry::protocol", &["src/report/sentry"]), Vec::<PathBuf>::new());
    assert_eq!(outside("sentry::types", &["src/report/sentry"]), Vec::<PathBuf>::new());
    assert_eq!(outside("use sentry::", &["src/report/sentry"]), Vec::<PathBuf>::new());
}

#[test]
fn only_configuration_names_the_yaml_library() {
    assert_eq!(outside("serde_yaml", &["src/config"]), Vec::<PathBuf>::new());
}

#[test]
fn only_the_schedule_runs_probes() {
    assert_eq!(outside("run_probe(", &["src/schedule", "probes/core"]), Vec::<PathBuf>::new());
}

#[test]
fn only_main_prints_exits_and_reads_the_environment() {
    for needle in ["println!", "eprintln!", "print!(", "process::exit", "env::var", "env::args", "io::stdout"] {
        let allowed = ["src/main.rs"];
        assert_eq!(outside(needle, &allowed), Vec::<PathBuf>::new(), "{needle}");
    }
    // The log writes to standard error, and to nothing else.
    assert_eq!(outside("io::stderr", &["src/main.rs", "src/telemetry.rs"]), Vec::<PathBuf>::new());
}

#[test]
fn a_probe_knows_nothing_of_the_daemon() {
    for (path, text) in sources("probes") {
        let code = code(&text);
        assert!(!code.contains("sentrynet::"), "{}", path.display());
    }
    for entry in fs::read_dir("probes").expect("it can be read") {
        let manifest = entry.expect("it can be read").path().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a crate has a manifest");
        for wall in ["sentry.workspace", "serde_yaml", "sentrynet", "tokio-cron-scheduler"] {
            assert!(!text.contains(wall), "{} names {wall}", manifest.display());
        }
    }
}

#[test]
fn the_rules_can_be_broken() {
    assert_eq!(
        group("use crate::{\n    check::Check,\n    report::{Sink, Sinks},\n    trace,\n};"),
        ["check", "report", "trace"]
    );
    assert!(code("let x = 1; // println!\n#[cfg(test)]\nmod tests { println!() }").trim() == "let x = 1;");
    assert!(!outside("fn main", &[]).is_empty());
    assert!(layers().contains(&"config".to_owned()));
}
