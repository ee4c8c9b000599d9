//! What an ssh_config(5) file means for a host: the ssh program is asked, once, when the configuration is read.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::jump::{Jump, Jumps};

/// What it means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    /// `HostName`.
    pub(crate) host: String,
    /// `Port`.
    pub(crate) port: u16,
    /// `HostKeyAlias`.
    pub(crate) alias: Option<String>,
    /// `UserKnownHostsFile`, then `GlobalKnownHostsFile`.
    pub(crate) known_hosts: Vec<PathBuf>,
    /// `ProxyJump`.
    pub(crate) jumps: Vec<Jump>,
}

/// Asks `ssh -G`.
pub(crate) fn ask(file: &Path, host: &str, port: Option<u16>, username: Option<&str>) -> Result<Meant, String> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(file).stdin(Stdio::null());
    port.iter().for_each(|port| _ = command.args(["-p", &port.to_string()]));
    username.iter().for_each(|username| _ = command.args(["-l", username]));
    let answer = command.arg(host).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => "it is read by the ssh program, and there is none: install openssh-client".to_owned(),
        _ => format!("it is read by the ssh program, which could not be started: {error}"),
    })?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(format!(
            "ssh cannot use this file: {}",
            said.lines().map(str::trim).collect::<Vec<_>>().join("; ")
        ));
    }
    read(&String::from_utf8_lossy(&answer.stdout))
}

fn read(answer: &str) -> Result<Meant, String> {
    let mut meant = Meant::default();
    for (key, value) in answer.lines().filter_map(|line| line.split_once(' ')) {
        match key {
            "hostname" => value.clone_into(&mut meant.host),
            "port" => meant.port = value.parse().map_err(|_| format!("ssh says that the port is {value}"))?,
            "hostkeyalias" => meant.alias = Some(value.to_owned()),
            "userknownhostsfile" => drop(meant.known_hosts.splice(0..0, files(value))),
            "globalknownhostsfile" => meant.known_hosts.extend(files(value)),
            "proxyjump" if value != "none" => meant.jumps = Jumps::parse(value)?.0,
            "proxycommand" if value != "none" => {
                return Err(format!("it has a ProxyCommand for this host ({value}): use ProxyJump, or `jump` here"));
            }
            _ => {}
        }
    }
    Ok(meant)
}

fn files(value: &str) -> impl Iterator<Item = PathBuf> {
    value.split(' ').filter(|file| *file != "none").map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_answers_is_understood() {
        let answer = "user me\nhostname 192.0.2.1\nport 2222\nproxyusefdpass no\nhostkeyalias web\n\
                      globalknownhostsfile /etc/ssh/ssh_known_hosts\nuserknownhostsfile /home/me/.ssh/known_hosts\n\
                      proxyjump me@a,b:33\n";
        let jump = |username: Option<&str>, host: &str, port| Jump {
            username: username.map(str::to_owned),
            host: host.to_owned(),
            port,
        };
        let want = Meant {
            host: "192.0.2.1".to_owned(),
            port: 2222,
            alias: Some("web".to_owned()),
            known_hosts: vec!["/home/me/.ssh/known_hosts".into(), "/etc/ssh/ssh_known_hosts".into()],
            jumps: vec![jump(Some("me"), "a", None), jump(None, "b", Some(33))],
        };
        assert_eq!(read(answer), Ok(want));
        assert!(read("proxycommand nc %h %p\n").unwrap_err().contains("ProxyJump"));
    }
}
