//! A name to addresses, and a TCP connection to one of them.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
};

use probe_core::{Failure, FailureClass, Op, Span, own_fault};
use tokio::{
    net::{self, TcpStream},
    time::{self, Instant},
};

/// More addresses than this are counted, not listed.
const LISTED: usize = 16;

/// Connects to a host; each phase is a span below `parent`, the first of which begins at `start`.
///
/// The system resolves the name, as it does for the ssh program: hosts file and all. Addresses are tried one after the
/// other, as ssh tries them; each gets an equal share of the time left until `deadline`.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    parent: &Span,
    start: Instant,
    deadline: Instant,
) -> Result<TcpStream, Failure> {
    let (addresses, from) = match host.parse::<IpAddr>() {
        Ok(ip) => (vec![SocketAddr::new(ip, port)], start),
        Err(_) => {
            let span = parent.child_at(Op::NET_DNS, start);
            span.set("dns.question.name", host);
            span.set("dns.source", "system");
            let answer = net::lookup_host((host, port)).await;
            let at = Instant::now();
            let addresses = match resolved(host, answer) {
                Ok(addresses) => addresses,
                Err(failure) => {
                    span.fail_at(failure.class, at);
                    return Err(failure);
                }
            };
            let listed: Vec<String> = addresses.iter().take(LISTED).map(|address| address.ip().to_string()).collect();
            span.set("dns.answers", listed);
            span.set("dns.answers.count", addresses.len());
            span.finish_at(at);
            (addresses, at)
        }
    };

    let span = parent.child_at(Op::NET_TCP, from);
    let mut tried: Vec<String> = Vec::new();
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        peer(&span, *address);
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        // The last address has no bound but the run's: what cuts that off says so.
        let limit = if left == 1 { deadline } else { now + deadline.saturating_duration_since(now) / left };
        let connecting = TcpStream::connect(address);
        let connected = if left == 1 { Ok(connecting.await) } else { time::timeout_at(limit, connecting).await };
        match connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                // An ssh packet that waits for the one before it to be acknowledged would be measured as the server's time.
                let _ = stream.set_nodelay(true);
                if !tried.is_empty() {
                    span.set("network.tried", tried);
                }
                span.finish();
                return Ok(stream);
            }
            Err(error) => {
                tried.push(format!("{}: {error}", address.ip()));
                last = Some((*address, error));
            }
        }
    }
    let failure = match last {
        Some((address, error)) => unconnected(host, address, &error, tried.len()),
        None => Failure::new(FailureClass::Dns, format!("{host} has no address")),
    };
    span.fail(failure.class);
    Err(failure)
}

fn resolved(host: &str, answer: io::Result<impl Iterator<Item = SocketAddr>>) -> Result<Vec<SocketAddr>, Failure> {
    match answer {
        Ok(found) => {
            let mut addresses: Vec<SocketAddr> = Vec::new();
            found.for_each(|address| {
                if !addresses.contains(&address) {
                    addresses.push(address)
                }
            });
            match addresses.is_empty() {
                true => Err(Failure::new(FailureClass::Dns, format!("{host} has no address"))),
                false => Ok(addresses),
            }
        }
        Err(error) => match own_fault(&error) {
            Some(fault) => Err(Failure::new(FailureClass::Internal, format!("{fault} (looking up {host})"))),
            None => {
                let text = error.to_string();
                let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
                Err(Failure::new(FailureClass::Dns, format!("{host} could not be resolved: {reason}")))
            }
        },
    }
}

fn unconnected(host: &str, address: SocketAddr, error: &io::Error, tried: usize) -> Failure {
    let target = match host.parse::<IpAddr>() {
        Ok(_) => address.to_string(),
        Err(_) => format!("{host} ({address})"),
    };
    if let Some(fault) = own_fault(error) {
        return Failure::new(FailureClass::Internal, format!("{fault} (on the way to {target})"));
    }
    let mut message = match error.kind() {
        ErrorKind::ConnectionRefused => format!("connection refused by {target}"),
        ErrorKind::ConnectionReset => format!("connection reset by {target}"),
        ErrorKind::HostUnreachable => format!("no way to {target}: a router on the way says it cannot be reached"),
        ErrorKind::TimedOut => format!("no answer from {target}: the system gave up connecting"),
        _ => format!("no connection to {target}: {error}"),
    };
    if tried > 1 {
        message = format!("{message}, the last of {tried} addresses");
    }
    Failure::new(FailureClass::Connect, message)
}

fn peer(span: &Span, address: SocketAddr) {
    span.set("network.peer.address", address.ip().to_string());
    span.set("network.peer.port", address.port());
    span.set("network.type", if address.is_ipv4() { "ipv4" } else { "ipv6" });
}
