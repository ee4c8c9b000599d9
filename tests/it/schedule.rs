//! When checks run, on a clock that only the test moves.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use probe_core::{BoxFuture, Context, Failure, FailureClass, Probe, Verdict};
use sentrynet::{
    check::{Check, Timing},
    redact::Redactor,
    report::{Report, Sink, Sinks},
    schedule::{Pulse, Runner, Schedule, WallClock, once},
    trace::Tracing,
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

/// Answers after a while, and knows how many ask at once.
#[derive(Debug, Default)]
struct Target {
    takes: Duration,
    asking: AtomicUsize,
    most: AtomicUsize,
}

/// Keeps what it is told.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Report>>>);

impl Probe for Target {
    fn kind(&self) -> &'static str {
        "test"
    }

    fn op(&self) -> &'static str {
        "probes.test"
    }

    fn spans(&self) -> usize {
        1
    }

    fn run<'a>(&'a self, _: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async {
            let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(asking, Ordering::SeqCst);
            time::sleep(self.takes).await;
            self.asking.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

impl Sink for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn report(&self, report: &Report) {
        self.0.lock().expect("nobody panicked with it").push(report.clone());
    }

    fn flush(&self, _: Duration) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

/// When a run began, on the clock of the test.
fn began(report: &Report) -> SystemTime {
    report.start.planned + report.start.lag
}

impl Kept {
    fn of(&self, title: &str) -> Vec<Report> {
        self.0
            .lock()
            .expect("nobody panicked with it")
            .iter()
            .filter(|report| report.check.title == title)
            .cloned()
            .collect()
    }
}

fn target(takes: Duration) -> Arc<Target> {
    Arc::new(Target { takes, ..Target::default() })
}

fn check(title: &str, every: Duration, probe: Arc<dyn Probe>) -> Check {
    Check {
        id: format!("test:{title}"),
        title: title.to_owned(),
        tags: BTreeMap::from([("probe".to_owned(), "test".to_owned())]),
        timing: Timing::Every(every),
        burst: 1,
        timeout: Duration::from_secs(300),
        monitor: None,
        runbook: None,
        probe,
    }
}

/// A wall clock that goes with tokio's.
fn wall() -> WallClock {
    let start = Instant::now();
    WallClock::new(move || UNIX_EPOCH + Duration::from_secs(1_700_000_000) + start.elapsed())
}

fn runner(kept: &Kept) -> Runner {
    let wall = wall();
    Runner {
        tracing: Tracing::default(),
        sinks: Arc::new(Sinks::new(Redactor::default(), vec![Box::new(kept.clone())])),
        pulse: Pulse::new(wall.clone()),
        wall,
        cut: CancellationToken::new(),
    }
}

/// Runs these checks for so long, with so much grace; gives how long the end took.
async fn run(checks: Vec<Check>, kept: &Kept, limit: Duration, grace: Duration) -> Duration {
    let schedule = Schedule::new(checks.into_iter().map(Arc::new).collect(), runner(kept));
    let stop = CancellationToken::new();
    let running = tokio::spawn(schedule.run(no_changes(), stop.clone(), grace));
    time::sleep(limit).await;
    stop.cancel();
    let stopped = Instant::now();
    running.await.expect("it does not panic");
    stopped.elapsed()
}

/// A configuration that stays as it is.
fn no_changes() -> mpsc::Receiver<Vec<Arc<Check>>> {
    mpsc::channel(1).1
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn checks_run_at_a_fixed_rate_without_drift() {
    let kept = Kept::default();
    let checks = vec![check("steady", seconds(10), target(Duration::from_millis(1_234)))];
    run(checks, &kept, seconds(1_000), seconds(10)).await;
    let starts: Vec<_> = kept.of("steady").iter().map(began).collect();
    assert!((100..=101).contains(&starts.len()), "{}", starts.len());
    for pair in starts[1..].windows(2) {
        let gap = pair[1].duration_since(pair[0]).unwrap();
        assert!(gap.abs_diff(seconds(10)) <= Duration::from_millis(2), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_the_phase() {
    let phases = async |before: u64| {
        let kept = Kept::default();
        time::sleep(seconds(before)).await;
        let wall = wall();
        let runner = Runner { wall: wall.clone(), pulse: Pulse::new(wall), ..runner(&kept) };
        let check = Arc::new(check("steady", seconds(60), target(Duration::ZERO)));
        let stop = CancellationToken::new();
        let running = tokio::spawn(Schedule::new(vec![check], runner).run(no_changes(), stop.clone(), seconds(1)));
        time::sleep(seconds(200)).await;
        stop.cancel();
        running.await.unwrap();
        let planned = kept.of("steady").last().unwrap().start.planned;
        planned.duration_since(UNIX_EPOCH).unwrap().as_nanos() % seconds(60).as_nanos()
    };
    assert_eq!(phases(0).await, phases(17).await);
}

#[tokio::test(start_paused = true)]
async fn a_slow_target_delays_nobody_else() {
    let kept = Kept::default();
    let mut checks = vec![check("slow", seconds(1), target(seconds(120)))];
    checks.extend((0..50).map(|number| check(&format!("quick {number}"), seconds(10), target(Duration::ZERO))));
    run(checks, &kept, seconds(100), seconds(0)).await;
    for number in 0..50 {
        let reports = kept.of(&format!("quick {number}"));
        assert!(reports.len() >= 10, "quick {number}: {}", reports.len());
        assert!(reports.iter().all(|report| report.start.missed == 0 && report.start.lag < Duration::from_millis(5)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_never_overlaps_itself_and_says_what_it_missed() {
    let (kept, slow) = (Kept::default(), target(Duration::from_millis(3_500)));
    run(vec![check("slow", seconds(1), slow.clone())], &kept, seconds(100), seconds(10)).await;
    assert_eq!(slow.most.load(Ordering::SeqCst), 1);
    let reports = kept.of("slow");
    assert!((24..=26).contains(&reports.len()), "{}", reports.len());
    // It takes 3.5 of 4 periods: three starts are left out each time.
    assert!(reports[2..].iter().all(|report| report.start.missed == 3), "{reports:?}");
    let missed: u64 = reports.iter().map(|report| report.start.missed).sum();
    let due = missed + u64::try_from(reports.len()).unwrap();
    assert!((94..=101).contains(&due), "every start is run or counted: {due}");
}

#[tokio::test(start_paused = true)]
async fn a_burst_runs_in_sequence_within_one_start() {
    let (kept, busy) = (Kept::default(), target(Duration::from_millis(100)));
    let checks = vec![Check { burst: 5, ..check("burst", seconds(10), busy.clone()) }];
    run(checks, &kept, seconds(95), seconds(10)).await;
    assert_eq!(busy.most.load(Ordering::SeqCst), 1);
    let reports = kept.of("burst");
    assert_eq!(reports.len() % 5, 0);
    for burst in reports.chunks(5) {
        for pair in burst.windows(2) {
            let gap = began(&pair[1]).duration_since(began(&pair[0])).unwrap();
            assert!(gap.abs_diff(Duration::from_millis(100)) < Duration::from_millis(3), "{gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_daemon_lets_runs_end_within_the_grace_and_reports_what_it_cuts_off() {
    let kept = Kept::default();
    let checks = vec![
        check("ends", seconds(3_600), target(seconds(103))),
        check("does not", seconds(3_600), target(seconds(10_000))),
    ];
    let checks = checks.into_iter().map(|check| Check { timeout: seconds(20_000), ..check }).collect();
    let took = run(checks, &kept, seconds(100), seconds(10)).await;
    assert!(took >= seconds(10) && took < seconds(11), "{took:?}");
    assert_eq!(kept.of("ends")[0].outcome.verdict, Verdict::Up);
    let Verdict::Inconclusive(failure) = kept.of("does not")[0].outcome.verdict.clone() else {
        panic!("what is cut off says nothing of the target")
    };
    assert_eq!(failure.class, FailureClass::Internal);
}

#[tokio::test(start_paused = true)]
async fn a_changed_configuration_leaves_the_schedule_of_what_stays() {
    let kept = Kept::default();
    let (sender, changes) = mpsc::channel(1);
    let quick = || target(Duration::ZERO);
    let checks = ["stays", "goes", "hurries"].map(|title| Arc::new(check(title, seconds(60), quick())));
    let schedule = Schedule::new(checks.to_vec(), runner(&kept));
    let stop = CancellationToken::new();
    let running = tokio::spawn(schedule.run(changes, stop.clone(), seconds(1)));
    time::sleep(seconds(600)).await;
    let before = kept.of("goes").len();

    // The same check, asked otherwise: it keeps its moment.
    let changed = Check { burst: 2, ..check("stays", seconds(60), quick()) };
    let new = vec![changed, check("hurries", seconds(10), quick()), check("comes", seconds(60), quick())];
    sender.send(new.into_iter().map(Arc::new).collect()).await.unwrap();
    time::sleep(seconds(600)).await;
    stop.cancel();
    running.await.unwrap();

    let planned: Vec<_> = kept.of("stays").iter().map(|report| report.start.planned).collect();
    let starts: Vec<_> = planned.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap()).collect();
    let near = |gap: &Duration, wanted| gap.abs_diff(wanted) < Duration::from_millis(2);
    assert!(starts[1..].iter().all(|gap| near(gap, seconds(60)) || near(gap, seconds(0))), "{starts:?}");
    assert!((28..=32).contains(&planned.len()), "10 starts of one run, then 10 of two: {}", planned.len());
    assert_eq!(kept.of("goes").len(), before);
    assert!((68..=74).contains(&kept.of("hurries").len()), "{}", kept.of("hurries").len());
    assert!((9..=11).contains(&kept.of("comes").len()));
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_after_the_stop() {
    let kept = Kept::default();
    let checks = vec![Check { burst: 100, ..check("burst", seconds(60), target(seconds(2))) }];
    let took = run(checks, &kept, seconds(5), seconds(10)).await;
    assert!(took <= seconds(2), "{took:?}");
    assert!(kept.of("burst").len() <= 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_while_the_prober_itself_stood_still_is_inconclusive() {
    let kept = Kept::default();
    let runner = runner(&kept);
    let slow = Check { timeout: seconds(5), ..check("slow", seconds(60), target(seconds(100))) };
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (runner, stop) = (runner.clone(), stop.clone());
        async move { once(&[Arc::new(slow)], &runner, 1, &stop).await }
    });
    time::sleep(Duration::from_millis(300)).await;
    // As after SIGSTOP and SIGCONT: all timers are late at once.
    time::advance(seconds(30)).await;
    running.await.unwrap();
    let verdict = kept.of("slow")[0].outcome.verdict.clone();
    let Verdict::Inconclusive(failure) = verdict else { panic!("{verdict:?}") };
    assert!(failure.message.contains("stood still for"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_a_slow_target_is_its_own_fault() {
    let kept = Kept::default();
    let slow = Check { timeout: seconds(5), ..check("slow", seconds(60), target(seconds(100))) };
    once(&[Arc::new(slow)], &runner(&kept), 1, &CancellationToken::new()).await;
    let Verdict::Down(failure) = kept.of("slow")[0].outcome.verdict.clone() else { panic!("it is down") };
    assert_eq!(failure.class, FailureClass::Timeout);
}

#[tokio::test(start_paused = true)]
async fn once_on_a_thousand_checks_takes_as_long_as_the_slowest() {
    // One that is slow among many that are not, and all alike.
    for (jobs, slow) in [(256, Some(3_000)), (1_000, None)] {
        let kept = Kept::default();
        let one = |number: u64| {
            let takes = slow.map_or(500, |slow| if number == 500 { slow } else { number % 200 });
            Arc::new(check(&number.to_string(), seconds(60), target(Duration::from_millis(takes))))
        };
        let checks: Vec<_> = (0..1_000).map(one).collect();
        let begun = Instant::now();
        let verdicts = once(&checks, &runner(&kept), jobs, &CancellationToken::new()).await;
        assert_eq!(verdicts.len(), 1_000);
        let (took, slowest) = (begun.elapsed(), Duration::from_millis(slow.unwrap_or(500)));
        assert!(took < slowest * 6 / 5, "the slowest and 20 %: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn once_runs_side_by_side_up_to_its_jobs() {
    let kept = Kept::default();
    let shared = target(seconds(1));
    let checks: Vec<_> =
        (0..100).map(|number| Arc::new(check(&number.to_string(), seconds(60), shared.clone()))).collect();
    let begun = Instant::now();
    let verdicts = once(&checks, &runner(&kept), 25, &CancellationToken::new()).await;
    assert_eq!(verdicts, vec![Some(Verdict::Up); 100]);
    assert_eq!(shared.most.load(Ordering::SeqCst), 25);
    assert!(begun.elapsed() < Duration::from_millis(4_100), "{:?}", begun.elapsed());
}

/// Waits for a condition that real time brings about.
async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    while !condition().await {
        time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn cron_checks_run_on_whole_seconds_of_the_real_clock() {
    let kept = Kept::default();
    let timing = Timing::Cron { expression: "* * * * * *".to_owned(), zone: chrono_tz::Europe::Berlin };
    let check = Check { timing, ..check("cron", seconds(60), target(Duration::ZERO)) };
    let runner = Runner { wall: WallClock::default(), ..runner(&kept) };
    let runner = Runner { pulse: Pulse::new(WallClock::default()), ..runner };
    let schedule = Schedule::new(vec![Arc::new(check)], runner);
    let stop = CancellationToken::new();
    let running = tokio::spawn(schedule.run(no_changes(), stop.clone(), seconds(1)));
    until(async || kept.of("cron").len() >= 3).await;
    stop.cancel();
    running.await.unwrap();
    for report in kept.of("cron") {
        assert_eq!(report.start.planned.duration_since(UNIX_EPOCH).unwrap().subsec_nanos(), 0);
        assert!(report.start.lag < seconds(2), "{:?}", report.start.lag);
    }
}
