//! The ssh probe: is the service there, can one log in, does the command answer.
//!
//! Modules in reading order, each using those below it: `probe` chooses the mode; `available` asks without credentials,
//! with a library in this process; `login` starts the ssh program for a session and finds the way through jump hosts,
//! `command` runs in it, `output` judges. Both engines talk over a `wire` of ours, where `plain` sees what is not
//! encrypted, the `host_key` is looked at, and marks are left that become spans in `phases`. `route`, `identity`,
//! `known_hosts` and `ssh_config` are what was written, compiled.

mod available;
mod command;
mod failure;
mod host_key;
mod identity;
mod keys;
mod known_hosts;
mod login;
mod output;
mod paths;
mod phases;
mod plain;
mod probe;
mod route;
mod scratch;
mod ssh_config;
mod talk;
mod tcp;
mod wire;

pub use crate::{
    keys::{Exits, HostKeyRule, Jump, Jumps, Name, Port, Propagate, SshKeys},
    output::Wanted,
    probe::SshProbe,
    scratch::Scratch,
};
