//! Programs that tests talk to.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

/// A program that serves until it is dropped.
pub(crate) struct Server {
    _child: Child,
}

/// Where a program is; none, with a word about it, when it is not installed. With `CI` set, that is a failure.
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
pub(crate) fn find(program: &str, package: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers are not on everybody's path.
    let directories = env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = directories.map(|directory| directory.join(program)).find(|path| path.is_file());
    if found.is_none() {
        let message = format!("{program} is missing: apt-get install {package}");
        assert!(env::var_os("CI").is_none(), "{message}");
        eprintln!("left out: {message}");
    }
    found
}

/// A port that was free a moment ago.
pub(crate) fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Server {
    /// Starts it, and waits until it takes connections there.
    pub(crate) async fn start(mut command: Command, port: u16) -> Self {
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("it starts");
        let taken = async {
            while TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), taken).await.expect("it takes connections");
        Self { _child: child }
    }
}
