//! The same against nginx: HTTP/2, certificates of our own, gzip, basic credentials.

use std::{fs, path::Path};

use probe_core::FailureClass;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{
    certificates::Authority,
    probe::probe,
    program::{self, Server},
};

struct Nginx {
    _server: Server,
    directory: TempDir,
    authority: Authority,
    secure: u16,
    plain: u16,
    /// HTTP/2 without TLS.
    h2c: u16,
}

// === impl Nginx ===

impl Nginx {
    /// One of our own; none where it is not installed.
    async fn start() -> Option<Self> {
        let program = program::find("nginx", "nginx-light")?;
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let authority = Authority::new("House Authority");
        let (certificate, key) = authority.issue(&["127.0.0.1", "localhost"]);
        let (own, own_key) = authority.issue(&["prober.example"]);
        let body = format!("{{\"status\": \"ok\", \"padding\": \"{}\"}}", "a".repeat(5_000));
        for (name, text) in [
            ("ca.pem", authority.pem()),
            ("server.pem", certificate),
            ("server.key", key),
            ("own.pem", own),
            ("own.key", own_key),
            ("users", "me:{PLAIN}hush-hush\n".to_owned()),
            ("body.json", body),
        ] {
            fs::write(at(name), text).unwrap();
        }
        let [secure, plain, h2c] = [(); 3].map(|()| program::port());
        fs::write(at("nginx.conf"), configuration(directory.path(), [secure, plain, h2c])).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(directory.path()).arg("-c").arg(at("nginx.conf")).arg("-e").arg(at("error.log"));
        let server = Server::start(command, plain).await;
        Some(Self { _server: server, directory, authority, secure, plain, h2c })
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// A URL by TLS, and the trust in its certificate.
    fn secure(&self, path: &str) -> String {
        format!("url: 'https://127.0.0.1:{}{path}', tls: {{ca: '{}'}}", self.secure, self.path("ca.pem"))
    }
}

fn configuration(directory: &Path, [secure, plain, h2c]: [u16; 3]) -> String {
    let at = directory.display();
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    format!(
        "daemon off; worker_processes 1; {user} pid {at}/pid; error_log {at}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; default_type application/json;
    client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f;
    uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
    server {{
        listen 127.0.0.1:{secure} ssl http2;
        ssl_certificate {at}/server.pem; ssl_certificate_key {at}/server.key;
        ssl_protocols TLSv1.2 TLSv1.3; ssl_client_certificate {at}/ca.pem; ssl_verify_client optional;
        root {at};
        location = /told {{ return 200 '{{\"protocol\": \"$server_protocol\", \"host\": \"$host\", \"own\": \"$ssl_client_verify\"}}'; }}
        location = /old {{ return 301 /told; }}
        location = /away {{ return 302 https://localhost:{secure}/told; }}
    }}
    server {{
        listen 127.0.0.1:{h2c} http2;
        location / {{ return 200 '{{\"protocol\": \"$server_protocol\"}}'; }}
    }}
    server {{
        listen 127.0.0.1:{plain};
        root {at};
        gzip on; gzip_types *; gzip_min_length 1;
        location = /closed/body.json {{ alias {at}/body.json; auth_basic house; auth_basic_user_file {at}/users; }}
    }}
}}
"
    )
}

#[tokio::test]
async fn http_2_is_negotiated_and_can_be_turned_off() {
    let Some(nginx) = Nginx::start().await else { return };
    let keys = "set_keys: {p: $.protocol, h: $.host}";
    for (version, protocol) in
        [("", "HTTP/2.0"), (", http_version: 2", "HTTP/2.0"), (", http_version: 1.1", "HTTP/1.1")]
    {
        let keys = format!("{}{version}, {keys}, assertions: {{p: {protocol}, h: 127.0.0.1}}", nginx.secure("/told"));
        probe(&keys).await.is_up();
    }
    let ran = probe(&format!("{}, reuse: true", nginx.secure("/old"))).await;
    let reused: Vec<_> =
        ran.is_up().spans("http.request").iter().map(|span| span.datum("connection.reused").is_some()).collect();
    assert_eq!(reused, [false, true]);
    let ran = probe(&nginx.secure("/old")).await;
    assert!(ran.is_up().spans("http.request").iter().all(|span| span.datum("connection.reused").is_none()));
}

#[tokio::test]
async fn a_host_header_of_its_own_goes_by_http_1() {
    let Some(nginx) = Nginx::start().await else { return };
    let keys = "headers: {Host: shop.example}, set_keys: {p: $.protocol, h: $.host}";
    let keys = format!("{}, {keys}, assertions: {{p: HTTP/1.1, h: shop.example}}", nginx.secure("/told"));
    probe(&keys).await.is_up();
}

#[tokio::test]
async fn our_own_certificate_does_not_follow_to_another_host() {
    let Some(nginx) = Nginx::start().await else { return };
    let (ca, cert, key) = (nginx.path("ca.pem"), nginx.path("own.pem"), nginx.path("own.key"));
    for (path, own) in [("/old", "SUCCESS"), ("/away", "NONE")] {
        let tls = format!("tls: {{ca: '{ca}', cert: '{cert}', key: '{key}'}}");
        let url = format!("url: 'https://127.0.0.1:{}{path}'", nginx.secure);
        probe(&format!("{url}, {tls}, set_keys: {{own: $.own}}, assertions: {{own: {own}}}")).await.is_up();
    }
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_at_once() {
    let Some(nginx) = Nginx::start().await else { return };
    let keys = format!("url: 'http://127.0.0.1:{}/', http_version: 2, set_keys: {{p: $.protocol}}", nginx.h2c);
    let ran = probe(&format!("{keys}, assertions: {{p: HTTP/2.0}}")).await;
    assert_eq!(ran.is_up().datum("http.request", "network.protocol.version"), "\"2\"");
    let ran = probe(&format!("{keys}, assertions: {{p: other}}")).await;
    assert!(ran.failure().reproduce.as_ref().is_some_and(|line| line.contains("--http2-prior-knowledge")));
}

#[tokio::test]
async fn our_own_certificate_is_shown_from_files_and_from_text() {
    let Some(nginx) = Nginx::start().await else { return };
    let (cert, key) = (nginx.path("own.pem"), nginx.path("own.key"));
    let inline = |path: &str| format!("{:?}", fs::read_to_string(path).unwrap());
    for (cert, key) in [(format!("'{cert}'"), format!("'{key}'")), (inline(&cert), inline(&key))] {
        let ca = nginx.authority.quoted();
        let port = nginx.secure;
        let keys = format!("url: 'https://127.0.0.1:{port}/told', tls: {{ca: {ca}, cert: {cert}, key: {key}}}");
        probe(&format!("{keys}, set_keys: {{own: $.own}}, assertions: {{own: SUCCESS}}")).await.is_up();
    }
    let keys = format!("{}, set_keys: {{own: $.own}}, assertions: {{own: NONE}}", nginx.secure("/told"));
    probe(&keys).await.is_up();
}

#[tokio::test]
async fn gzip_and_basic_credentials_go_together() {
    let Some(nginx) = Nginx::start().await else { return };
    let url = format!("url: 'http://127.0.0.1:{}/closed/body.json'", nginx.plain);
    let keys = "set_keys: {s: $.status}, assertions: {s: ok}";
    let ran = probe(&format!("{url}, auth: {{basic: {{username: me, password: hush-hush}}}}, {keys}")).await;
    assert_eq!(ran.is_up().datum("http.recv", "http.response.body.encoding"), "\"gzip\"");
    assert_eq!(ran.datum("http.recv", "http.response.body.decoded_size"), "5031");
    let ran = probe(&format!("{url}, auth: {{basic: {{username: me, password: other}}}}, {keys}")).await;
    assert_eq!(ran.down().0, FailureClass::Status);
}

#[tokio::test]
async fn the_command_line_works_for_files_and_for_http_2() {
    let Some(nginx) = Nginx::start().await else { return };
    let Some(curl) = program::find("curl", "curl") else { return };
    drop(curl);
    let (cert, key) = (nginx.path("own.pem"), nginx.path("own.key"));
    let ca = nginx.path("ca.pem");
    let keys = format!(
        "url: 'https://localhost:{}/told', resolve: 127.0.0.1, http_version: 2, expected: 500, \
         tls: {{ca: '{ca}', cert: '{cert}', key: '{key}', min_version: 1.3}}",
        nginx.secure
    );
    let line = probe(&keys).await.failure().reproduce.clone().unwrap();
    let output = Command::new("sh").arg("-c").arg(&line).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("HTTP/2 200") && said.contains("\"own\": \"SUCCESS\""), "{line}\n{said}{output:?}");
}
