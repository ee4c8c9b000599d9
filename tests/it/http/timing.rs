//! Each phase lasts as long as the target made it last.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_resolver::proto::op::ResponseCode;
use probe_core::FailureClass;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::sleep,
};

use crate::support::{
    certificates::{Authority, Validity, self_signed},
    dns::{NameServer, Reply},
    probe::{Ran, check, probe, run},
    target::{Act, Received, Target, answer, bind, redirect},
};

/// Runs of which the middle one counts.
pub(super) const RUNS: usize = 15;

/// What the middle run may be wrong by, in milliseconds.
const MOST: f64 = 3.0;

/// For each phase, the milliseconds by which what was measured exceeds what happened, in each run.
#[derive(Default)]
pub(super) struct Errors(BTreeMap<&'static str, Vec<f64>>);

// === impl Errors ===

impl Errors {
    pub(super) fn note(&mut self, ran: &Ran, phase: &'static str, happened: Duration) {
        self.add(phase, ran.phase(phase), happened);
    }

    fn add(&mut self, phase: &'static str, measured: Duration, happened: Duration) {
        self.0.entry(phase).or_default().push((measured.as_secs_f64() - happened.as_secs_f64()) * 1e3);
    }

    /// In the middle run, each phase is right; on a machine with more to do than it has cores for, in the third.
    #[track_caller]
    pub(super) fn are_small(self) {
        let busy = is_busy();
        self.judge(|errors| if busy { errors.len() / 5 } else { errors.len() / 2 });
    }

    /// In the quickest run, each phase is right: for what a busy machine holds up on its way to the target.
    #[track_caller]
    pub(super) fn are_small_at_best(self) {
        self.judge(|_| 0);
    }

    #[track_caller]
    fn judge(self, which: impl Fn(&[f64]) -> usize) {
        let one = |(phase, mut errors): (_, Vec<f64>)| {
            errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
            (phase, errors[which(&errors)])
        };
        let counts: BTreeMap<_, _> = self.0.into_iter().map(one).collect();
        show(&counts);
        assert!(counts.values().all(|error| error.abs() <= MOST), "{counts:?}");
    }
}

/// Whether more wants to run than there are cores, twice over (proc(5), loadavg).
fn is_busy() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    load > 2.0 * f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

#[expect(clippy::print_stderr, reason = "the figures are what one runs this for with --nocapture")]
fn show(errors: &BTreeMap<&'static str, f64>) {
    eprintln!("{}: off by ms {errors:.2?}", std::thread::current().name().unwrap_or_default());
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A head after a pause, and the body after another.
fn slowly(_: &Received) -> Vec<Act> {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    vec![Act::pause(30), Act::write(head), Act::pause(20), Act::write("body")]
}

#[tokio::test]
async fn every_phase_lasts_as_long_as_it_took_at_the_target() {
    let (dns, authority) = (NameServer::loopback(ms(25)).await, Authority::new("Test"));
    let target = Target::secure(authority.server(&["api.example"], Validity::now()), ms(40), slowly).await;
    let check = check(&format!(
        "url: 'https://api.example:{}/', dns: '{}', tls: {{ca: {}}}",
        target.address.port(),
        dns.address,
        authority.quoted()
    ));
    let mut errors = Errors::default();
    for number in 0..RUNS {
        let asked = dns.asked().len();
        let ran = run(&check).await;
        let seen = target.seen().swap_remove(number);
        errors.note(ran.is_up(), "net.dns", dns.took(asked));
        errors.note(&ran, "net.tcp", Duration::ZERO);
        errors.note(&ran, "net.tls", seen.secured.unwrap() - seen.accepted);
        errors.note(&ran, "http.send", Duration::ZERO);
        errors.note(&ran, "http.wait", seen.acts[1] - seen.read.unwrap());
        errors.note(&ran, "http.recv", seen.acts[3] - seen.acts[1]);
        assert_eq!(
            ran.phases(),
            ["http.request", "net.conn", "net.dns", "net.tcp", "net.tls", "http.send", "http.wait", "http.recv"]
        );
    }
    errors.are_small();
}

#[tokio::test]
async fn a_name_that_fails_late_took_its_time_in_dns_alone() {
    let dns = NameServer::start(ms(30), |_| Reply::Code(ResponseCode::NXDomain)).await;
    let check = check(&format!("url: 'http://gone.example/', dns: '{}'", dns.address));
    let mut errors = Errors::default();
    for _ in 0..RUNS {
        let asked = dns.asked().len();
        let ran = run(&check).await;
        errors.note(&ran, "net.dns", dns.took(asked));
        assert_eq!(ran.phases(), ["http.request", "net.conn", "net.dns"]);
    }
    errors.are_small();
}

#[tokio::test]
async fn a_refused_connection_costs_its_phase_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let dns = NameServer::loopback(ms(20)).await;
    let check = check(&format!("url: 'http://api.example:{}/', dns: '{}'", free.port(), dns.address));
    let mut errors = Errors::default();
    for _ in 0..RUNS {
        let asked = dns.asked().len();
        let ran = run(&check).await;
        errors.note(&ran, "net.dns", dns.took(asked));
        errors.note(&ran, "net.tcp", Duration::ZERO);
        assert_eq!(ran.phases(), ["http.request", "net.conn", "net.dns", "net.tcp"]);
    }
    errors.are_small();
}

#[tokio::test]
async fn a_handshake_that_fails_late_took_its_time_in_tls() {
    let target = Target::secure(self_signed("localhost"), ms(30), slowly).await;
    let check = check(&format!("url: 'https://localhost:{}/'", target.address.port()));
    let mut errors = Errors::default();
    for number in 0..RUNS {
        let ran = run(&check).await;
        assert_eq!(ran.down().1, "net.tls");
        // The target learns of it by an alert, which is on its way when the probe is done.
        while target.seen()[number].secured.is_none() {
            sleep(ms(1)).await;
        }
        let seen = target.seen().swap_remove(number);
        errors.note(&ran, "net.tcp", Duration::ZERO);
        errors.note(&ran, "net.tls", seen.secured.unwrap() - seen.accepted);
    }
    errors.are_small();
}

#[tokio::test]
async fn an_answer_that_breaks_late_took_its_time_where_it_broke() {
    let target = Target::answering(|request| match request.path.as_str() {
        "/head" => vec![Act::pause(30), Act::Reset],
        _ => vec![Act::pause(10), Act::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), Act::pause(25)],
    })
    .await;
    let (head, body) = (target.url("/head"), target.url("/body"));
    let (head, body) = (check(&format!("url: '{head}'")), check(&format!("url: '{body}'")));
    let mut errors = Errors::default();
    for number in 0..RUNS {
        let ran = run(&head).await;
        let seen = target.seen().swap_remove(2 * number);
        assert_eq!(ran.down().1, "http.wait");
        errors.add("reset", ran.phase("http.wait"), seen.acts[1] - seen.read.unwrap());

        let ran = run(&body).await;
        let seen = target.seen().swap_remove(2 * number + 1);
        assert_eq!(ran.down().1, "http.recv");
        errors.add("wait before", ran.phase("http.wait"), seen.acts[1] - seen.read.unwrap());
        errors.add("truncated", ran.phase("http.recv"), seen.acts[2] - seen.acts[1]);
    }
    errors.are_small();
}

#[tokio::test]
async fn each_redirect_has_phases_of_its_own() {
    let dns = NameServer::loopback(ms(15)).await;
    let target = Target::answering(|request| match request.path.as_str() {
        "/a" => vec![Act::pause(30), redirect(302, "/b")],
        "/b" => vec![Act::pause(10), redirect(307, "/c")],
        _ => vec![Act::pause(20), answer(503, "")],
    })
    .await;
    let check = check(&format!("url: 'http://api.example:{}/a', dns: '{}'", target.address.port(), dns.address));
    let mut errors = Errors::default();
    for number in 0..RUNS {
        let ran = run(&check).await;
        assert_eq!(ran.down().0, FailureClass::Status);
        let (hops, dns_spans) = (ran.spans("http.request"), ran.spans("net.dns"));
        assert_eq!((hops.len(), dns_spans.len(), dns.asked().len()), (3, 3, 6 * (number + 1)));
        for (hop, name) in ["1: wait", "2: wait", "3: wait"].into_iter().enumerate() {
            let seen = target.seen().swap_remove(3 * number + hop);
            errors.add(name, ran.spans("http.wait")[hop].duration(), seen.acts[1] - seen.read.unwrap());
            let questions = &dns.asked()[6 * number + 2 * hop..][..2];
            let took = questions.iter().filter_map(|q| q.answered).max().unwrap() - questions[0].came;
            errors.add("dns", dns_spans[hop].duration(), took);
            // Its own connection.
            assert!(ran.spans("http.request")[hop].datum("connection.reused").is_none());
        }
    }
    errors.are_small();
}

/// A listener whose queue is full: a connection stays half open until there is room.
async fn full(address: SocketAddr) -> Option<(TcpListener, TcpStream)> {
    let listener = bind(address, 0).ok()?;
    let first = TcpStream::connect(listener.local_addr().ok()?).await.ok()?;
    Some((listener, first))
}

#[tokio::test]
async fn the_addresses_tried_in_vain_are_in_the_tcp_phase() {
    /// After which an address of the other family is tried (RFC 8305 says 250 ms; hyper waits this long).
    const FALL_BACK: Duration = Duration::from_millis(300);
    let dns = NameServer::start(Duration::ZERO, |_| {
        Reply::Addresses(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()])
    })
    .await;
    let target = Target::always(vec![answer(200, "")]).await;
    let Some(_dead) = full(SocketAddr::from((Ipv6Addr::LOCALHOST, target.address.port()))).await else {
        return no_ipv6();
    };
    let check = check(&format!("url: 'http://api.example:{}/', dns: '{}'", target.address.port(), dns.address));
    let mut took = Vec::new();
    for _ in 0..7 {
        let ran = run(&check).await;
        assert_eq!(ran.is_up().datum("net.tcp", "network.peer.address"), "\"127.0.0.1\"");
        assert_eq!(ran.datum("net.dns", "dns.answers"), "[\"::1\",\"127.0.0.1\"]");
        took.push(ran.phase("net.tcp"));
    }
    // On a busy machine the fall-back itself comes late, and nobody but the probe can see when: the quickest counts.
    let quickest = took.iter().min().unwrap();
    assert!((FALL_BACK - ms(1)..FALL_BACK + ms(4)).contains(quickest), "{took:?}");
}

#[expect(clippy::print_stderr, reason = "a test that was not made must say so")]
fn no_ipv6() {
    eprintln!("SKIPPED: this machine has no ::1, so there is no second family to fall back from");
}

#[tokio::test]
async fn a_target_that_accepts_late_is_waited_for_in_the_tcp_phase() {
    let (listener, first) = full(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    let check = check(&format!("url: 'http://{address}/'"));
    let room = async {
        sleep(ms(300)).await;
        drop(first);
        Target::on(listener, |_| vec![Act::pause(20), answer(200, "")])
    };
    let (ran, _target) = tokio::join!(run(&check), room);
    // The kernel asks again after a second (RFC 6298), more or less a tick of its coarse clock.
    assert!((ms(900)..ms(1_500)).contains(&ran.is_up().phase("net.tcp")), "{ran:#?}");
    assert!(ran.phase("http.wait") < ms(100), "{ran:#?}");
}

#[tokio::test]
async fn a_slow_upload_is_sending_and_not_waiting() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let slow = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        sleep(ms(300)).await;
        let (mut seen, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        while !seen.ends_with(b"xend") {
            let length = stream.read(&mut buffer).await.unwrap();
            seen.extend_from_slice(&buffer[..length]);
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    let keys = format!("url: 'http://{address}/', body: '{}end'", "x".repeat(7 << 20));
    let (ran, ()) = tokio::join!(probe(&keys), slow);
    assert!(ran.is_up().phase("http.send") >= ms(295), "{ran:#?}");
    assert!(ran.phase("http.wait") < ms(150), "{ran:#?}");
}
