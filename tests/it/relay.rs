//! What we send is valid for Sentry: its own ingestion (PyPI `sentry-relay`, `tests/relay`) reads every envelope of
//! many runs, and minds nothing. Relay answers 200 before it looks, so only a test can tell.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    env,
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use probe_core::{Excerpt, Failure, FailureClass, Op, SpanRecord, SpanStatus, SpanTree, Verdict};
use sentrynet::report::{
    Report,
    sentry::{Settings, envelopes},
};
use serde_json::{Value, json};

use crate::runs::{self, check, report, root_op, settings, span};

/// Names the interpreter of an environment that has `tests/relay/requirements.txt`.
const PYTHON: &str = "SENTRYNET_RELAY_PYTHON";

/// How many runs are made up.
const RUNS: usize = 10_000;

static INTERPRETER: LazyLock<Result<PathBuf, String>> = LazyLock::new(interpreter);

fn relay(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/relay").join(file)
}

/// An interpreter with the library, in an environment made for it if need be.
fn interpreter() -> Result<PathBuf, String> {
    if let Some(python) = env::var_os(PYTHON) {
        return Ok(python.into());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target directory")?;
    let venv = target.join("relay-venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        run("python3", [OsStr::new("-m"), "venv".as_ref(), venv.as_os_str()])?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"].map(OsStr::new);
    run(&python, pip.into_iter().chain([relay("requirements.txt").as_os_str()]))?;
    Ok(python)
}

fn run<'a>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<(), String> {
    let shown = program.as_ref().to_string_lossy().into_owned();
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{shown}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// What the library says of these envelopes; none when it cannot be had here.
fn normalize(all: &[Vec<u8>]) -> Option<Output> {
    let python = match &*INTERPRETER {
        Ok(python) => python,
        Err(reason) => {
            assert!(env::var_os(PYTHON).is_none() && env::var_os("CI").is_none(), "{reason}");
            eprintln!(
                "skipped: {reason}\nto run this test, install python3 with venv and pip (Debian: apt-get install \
                 python3 python3-venv), or set {PYTHON}"
            );
            return None;
        }
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for envelope in all {
        writeln!(file, "{}", envelope.len()).unwrap();
        file.write_all(envelope).unwrap();
    }
    file.flush().unwrap();
    Some(Command::new(python).arg(relay("normalize.py")).arg(file.path()).output().unwrap())
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// Texts that have broken something somewhere.
fn text(random: &mut Rng) -> String {
    // Mostly around the limits of names, now and then around those of texts.
    let long = if random.u8(..8) == 0 { random.usize(..9_000) } else { random.usize(150..300) };
    match random.u8(..16) {
        0 => String::new(),
        1 => " ".to_owned(),
        2 => "日本語のタイトル".to_owned(),
        3 => "👩‍👩‍👧‍👦 \u{202e}rtl\u{feff}\u{200b}".to_owned(),
        4 => "\u{0}\u{1}\u{1f}\u{7f}\t\r\n\"\\/".to_owned(),
        5 => "x".repeat(long),
        6 => "ü".repeat(long),
        7 => "\u{1}".repeat(long),
        8 => "GET https://u:p@h.example/?password=x&card=4111111111111111".to_owned(),
        9 => "{\"secret\": {\"a\": [1, \"}".to_owned(),
        10 => "\u{10ffff}\u{d7ff}\u{e000}".to_owned(),
        11 => "[Filtered] %s {0} ${x} <script>".to_owned(),
        _ => "GET https://shop.example/path".to_owned(),
    }
}

fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..if depth > 4 { 8 } else { 10 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.u64(..).into(),
        3 => random.i64(..).into(),
        4 => json!(f64::MAX * random.f64()),
        5 => json!(f64::MIN_POSITIVE * random.f64()),
        6 | 7 => text(random).into(),
        8 => (0..random.usize(..4)).map(|_| value(random, depth + 1)).collect(),
        _ => (0..random.usize(..4)).map(|n| (format!("{n}{}", text(random)), value(random, depth + 1))).collect(),
    }
}

/// From nothing over less than a microsecond to a minute.
fn nanos(random: &mut Rng) -> u64 {
    match random.u8(..6) {
        0 => 0,
        1 => random.u64(..1_000),
        2 => random.u64(..10_000),
        3 => random.u64(..60_000_000_000),
        _ => random.u64(..200_000_000),
    }
}

/// A tree in which every span lies within its parent.
fn tree(random: &mut Rng, root: Op, failure: Option<&Failure>) -> SpanTree {
    const OPS: [Op; 9] = [
        Op::HTTP_REQUEST,
        Op::NET_CONN,
        Op::NET_DNS,
        Op::NET_TCP,
        Op::NET_TLS,
        Op::HTTP_SEND,
        Op::HTTP_WAIT,
        Op::HTTP_RECV,
        Op::JSON_ASSERT,
    ];
    const KEYS: [&str; 6] = ["url.full", "dns.answers", "password", "http.response.body.size", "values", "probe.id"];
    let size = match random.u16(..500) {
        0 => 1_500,
        1 => 1_001,
        2 => 0,
        _ => random.usize(1..16),
    };
    let total = nanos(random);
    let mut spans = vec![span(root, None, 0, total)];
    for index in 0..size {
        let parent = if index == 0 || size > 1_000 { 0 } else { random.usize(..spans.len()) };
        let above: &SpanRecord = &spans[parent];
        let within = u64::try_from(above.duration().as_nanos()).unwrap();
        let base = u64::try_from(above.start.as_nanos()).unwrap();
        let start = random.u64(..=within);
        let end = random.u64(start..=within);
        let mut below = span(OPS[random.usize(..OPS.len())], Some(parent), base + start, base + end);
        if random.u8(..3) == 0 {
            below.description = text(random);
        }
        if random.u8(..3) == 0 {
            let chosen = KEYS.into_iter().take(random.usize(..=KEYS.len()));
            below.data = chosen.map(|key| (key, value(random, 0))).collect();
        }
        spans.push(below);
    }
    if let Some(failure) = failure {
        let mut at = Some(random.usize(..spans.len()));
        while let Some(index) = at {
            spans[index].status = failure.class.status();
            at = spans[index].parent;
        }
    }
    if random.u8(..50) == 0 {
        spans[0].status = SpanStatus::Cancelled;
    }
    let age = Duration::from_nanos(random.u64(120_000_000_000..4 * 86_400_000_000_000));
    SpanTree { started_at: SystemTime::now() - age, spans }
}

fn failure(random: &mut Rng, class: FailureClass) -> Failure {
    let mut failure = Failure::new(class, text(random));
    if random.bool() {
        failure = failure.expected(text(random), text(random)).origin(text(random)).reproduce(text(random));
    }
    if random.bool() {
        failure = failure.excerpt(Excerpt { head: text(random), body: text(random), truncated: random.bool() });
    }
    failure
}

/// The longest labels that configuration allows, or short ones.
fn labels(random: &mut Rng) -> Settings {
    let mut settings = settings();
    if random.bool() {
        settings.environment = "ü".repeat(64);
        settings.release = "ü".repeat(200);
        settings.server_name = "ü".repeat(256);
    }
    settings
}

fn made_up(random: &mut Rng, number: usize, root: Op) -> Report {
    let class = FailureClass::ALL.get(number % (FailureClass::ALL.len() + 2)).copied();
    let failure = class.map(|class| failure(random, class));
    let tree = tree(random, root, failure.as_ref());
    let mut check = check(&text(random));
    check.id = format!("probe-{number}");
    if random.bool() {
        check.runbook = Some(text(random));
    }
    for tag in 0..random.usize(..8) {
        check.tags.insert(format!("{tag}-{}", "aZ9_.:-".repeat(random.usize(..5))), text(random));
    }
    report(check, tree, failure.map_or(Verdict::Up, |failure| Verdict::from(Err(failure))))
}

#[test]
fn sentrys_ingestion_minds_nothing_of_ten_thousand_runs() {
    fastrand::seed(26);
    let (mut random, root) = (Rng::with_seed(26), root_op());
    let all: Vec<Vec<u8>> = (0..RUNS)
        .flat_map(|number| {
            let report = made_up(&mut random, number, root);
            envelopes(&labels(&mut random), &report)
        })
        .map(|envelope| envelope.bytes)
        .collect();
    assert!(all.len() > RUNS, "some of them are down");
    if let Some(output) = normalize(&all) {
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{} envelopes, 0 with complaints", all.len())), "{said}");
    }
}

#[test]
fn what_sentrys_ingestion_would_mind_is_found() {
    let report = report(check("x"), runs::request(SystemTime::now() - Duration::from_secs(60)), Verdict::Up);
    let read = runs::read(&envelopes(&settings(), &report)[0]);
    let broken: [(&str, Value); 7] = [
        ("/spans/0/timestamp", json!(1)),
        ("/spans/1/span_id", "no id".into()),
        ("/spans/2/parent_span_id", "00000000000000ff".into()),
        ("/tags/team", "two\nlines".into()),
        ("/transaction", "x".repeat(201).into()),
        ("/release", "two\nlines".into()),
        ("/timestamp", json!(1_500_000_000)),
    ];
    let envelope = |payload: &Value| {
        let payload = payload.to_string();
        let item = json!({"type": "transaction", "length": payload.len()});
        format!("{}\n{item}\n{payload}\n", read.header).into_bytes()
    };
    let mut all: Vec<Vec<u8>> = broken
        .iter()
        .map(|(place, value)| {
            let mut payload = read.payload.clone();
            *payload.pointer_mut(place).unwrap() = value.clone();
            envelope(&payload)
        })
        .collect();
    all.push(envelope(&read.payload));
    if let Some(output) = normalize(&all) {
        let said = said(&output);
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("8 envelopes, 7 with complaints"), "{said}");
    }
}
