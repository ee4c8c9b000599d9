//! Name to addresses: never from a cache, always within a bound.

use std::{
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    system_conf::read_system_conf,
};
use thiserror::Error;
use tokio::time;

/// How long one look-up may take in all, whatever the resolver's own limits add up to (resolv.conf: 5 s, twice).
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Where names are asked for.
pub(crate) struct Resolver {
    config: ResolverConfig,
    options: ResolverOpts,
    hosts: Arc<Hosts>,
    source: String,
    servers: Vec<SocketAddr>,
}

/// Why a name gave no address.
#[derive(Clone, Debug, Error)]
pub(crate) enum ResolveError {
    /// The name does not exist.
    #[error("no such name")]
    NoName,
    /// The name exists, and has no address.
    #[error("no address")]
    NoAddress,
    /// The name servers answered that they could not tell (`SERVFAIL`, `REFUSED` …).
    #[error("answered {0}")]
    Refused(String),
    /// Nothing came back in time.
    #[error("no answer")]
    Silence,
    /// They could not be asked.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

// === impl Resolver ===

impl Resolver {
    /// The system's name servers and hosts file; without any, the one on this machine, as resolv.conf(5) says.
    pub(crate) fn system() -> Result<Self, NetError> {
        let (config, options) = match read_system_conf() {
            Ok(read) => read,
            Err(NetError::Io(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Other) => {
                let local = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
                (ResolverConfig::from_name_servers(vec![local]), ResolverOpts::default())
            }
            Err(error) => return Err(error),
        };
        let hosts = Arc::new(Hosts::from_system().unwrap_or_default());
        Ok(Self::new(config, options, hosts, "system".to_owned()))
    }

    /// Just these name servers.
    pub(crate) fn servers(servers: &[SocketAddr]) -> Self {
        let server = |address: &SocketAddr| {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            server.connections.iter_mut().for_each(|connection| connection.port = address.port());
            server
        };
        let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
        Self::new(config, ResolverOpts::default(), Arc::default(), list(servers))
    }

    fn new(config: ResolverConfig, mut options: ResolverOpts, hosts: Arc<Hosts>, source: String) -> Self {
        // A cached answer would be measured as no time at all.
        options.cache_size = 0;
        // The hosts file is read once and handed in, not read again for each look-up.
        options.use_hosts_file = ResolveHosts::Never;
        let address = |server: &NameServerConfig| {
            let port = server.connections.first().map_or(53, |connection| connection.port);
            SocketAddr::new(server.ip, port)
        };
        let servers = config.name_servers().iter().map(address).collect();
        Self { config, options, hosts, source, servers }
    }

    /// Asks now. Each look-up has a resolver of its own (some microseconds): a shared one merges look-ups of one name
    /// that are under way at once, and the later one would look faster than it was.
    pub(crate) async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let builder = TokioResolver::builder_with_config(self.config.clone(), TokioRuntimeProvider::default());
        let mut resolver = builder.with_options(self.options.clone()).build()?;
        resolver.set_hosts(self.hosts.clone());
        let answer = time::timeout(LIMIT, resolver.lookup_ip(name)).await.map_err(|_| ResolveError::Silence)?;
        let addresses: Vec<IpAddr> = match answer {
            Ok(answer) => answer.iter().collect(),
            Err(NetError::NoConnections) => return Err(self.no_connection()),
            Err(error) => return Err(error.into()),
        };
        if addresses.is_empty() { Err(ResolveError::NoAddress) } else { Ok(addresses) }
    }

    /// Why no server could be asked: hickory keeps it to itself, so the way to each is tried. Nothing is sent.
    fn no_connection(&self) -> ResolveError {
        let reason = self.servers.iter().find_map(|server| reach(*server).err());
        let reason = reason.map(|error| ResolveError::Io(Arc::new(error)));
        reason.unwrap_or_else(|| NetError::NoConnections.into())
    }

    /// Where it asks: `system`, or the servers given for the check.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whom it asks, for messages: `10.0.0.2, 10.0.0.3:5353`.
    pub(crate) fn asked(&self) -> String {
        list(&self.servers)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("servers", &self.servers).finish_non_exhaustive()
    }
}

// === impl ResolveError ===

impl From<NetError> for ResolveError {
    fn from(error: NetError) -> Self {
        match error {
            error if error.is_nx_domain() => Self::NoName,
            NetError::Dns(DnsError::NoRecordsFound(none)) => match u16::from(none.response_code) {
                0 => Self::NoAddress,
                _ => Self::Refused(code(none.response_code)),
            },
            NetError::Dns(DnsError::ResponseCode(response)) => Self::Refused(code(response)),
            NetError::Timeout => Self::Silence,
            NetError::Io(error) => Self::Io(error),
            other => Self::Other(other.to_string()),
        }
    }
}

/// Whether this machine can send to a name server.
fn reach(server: SocketAddr) -> io::Result<()> {
    let own: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((own, 0))?.connect(server)
}

/// A response code as people know it (IANA, DNS RCODEs).
fn code(code: hickory_resolver::proto::op::ResponseCode) -> String {
    match u16::from(code) {
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        _ => code.to_str().to_owned(),
    }
}

fn list(servers: &[SocketAddr]) -> String {
    let one = |address: &SocketAddr| if address.port() == 53 { address.ip().to_string() } else { address.to_string() };
    servers.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_keeps_us_from_asking_is_told() {
        // A broadcast address: nobody may send there unasked.
        let resolver = Resolver::servers(&[SocketAddr::from(([127, 255, 255, 255], 53))]);
        let Err(ResolveError::Io(error)) = resolver.lookup("a.example").await else { panic!("it cannot be asked") };
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}
