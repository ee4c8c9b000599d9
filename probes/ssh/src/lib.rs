//! The ssh probe: is the service there, can one log in, does the command answer.
//!
//! Modules in reading order, each using those below it: `probe` chooses the mode; `available` asks without credentials,
//! with a library in this process; `login` logs in and finds the way through jump hosts, with a `program` of ours for each session,
//! `command` runs in it, `output` judges. Both engines talk over a `wire` of ours, where `plain` sees what is not
//! encrypted, the `host_key` is looked at, and marks are left that become spans in `phases`. `route`, `identity`,
//! `known_hosts` and `ssh_config` are what was written, compiled.

mod available;
mod command;
mod failure;
mod host_key;
mod identity;
mod jump;
mod keys;
mod known_hosts;
mod login;
mod name;
mod output;
mod paths;
mod phases;
mod plain;
mod probe;
mod program;
mod route;
mod scratch;
mod ssh_config;
mod talk;
mod tcp;
mod wanted;
mod wire;

pub use crate::{
    jump::{Jump, Jumps},
    keys::{Exits, HostKeyRule, Port, Propagate, SshKeys},
    name::Name,
    probe::SshProbe,
    scratch::Scratch,
    wanted::Wanted,
};
