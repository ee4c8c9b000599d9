//! A command in a session: its start, its output, its exit status.

use std::{collections::VecDeque, os::unix::process::ExitStatusExt, process::ExitStatus};

use openssh::Stdio;
use probe_core::{Context, Failure, FailureClass, Op};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::Instant,
};

use crate::{
    login::Login,
    output::{Expected, Finished},
    route::Hop,
};

/// So much of the output is kept; the rest is read and let go, or the command would wait for ever.
const KEPT: usize = 1 << 20;

/// So much of the end of standard error is kept, in bytes and in lines.
const LAST: (usize, usize) = (4 << 10, 5);

/// Runs a command at `hop` and judges what it leaves; the phases are spans below the run's.
pub(crate) async fn run(
    line: &str,
    expected: &Expected,
    login: &Login,
    hop: &Hop,
    context: &Context,
) -> Result<(), Failure> {
    let span = context.root.child_at(Op::SSH_EXEC, login.at);
    let session = login.session();
    let mut command = session.raw_command(line);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = command.spawn().await;
    let begun = Instant::now();
    let child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let failure = lost(login, hop, "a channel was opened").unwrap_or_else(|| {
                let message = format!("{} does not open a channel for the command: {}", hop.place(), whole(&error));
                Failure::new(FailureClass::Command, message)
            });
            span.fail_at(failure.class, begun);
            return Err(failure);
        }
    };
    span.finish_at(begun);

    let span = context.root.child_at(Op::SSH_CMD, begun);
    let finished = finish(child, login, hop).await;
    let ended = Instant::now();
    let judged = finished.and_then(|finished| {
        finished.status.iter().for_each(|status| span.set("ssh.exit_status", *status));
        span.set("ssh.output.size", finished.output.len());
        if finished.cut {
            span.set("ssh.output.truncated", true);
        }
        expected.exit(&finished).map(|()| finished)
    });
    match judged {
        Ok(finished) => {
            span.finish_at(ended);
            expected.output(&finished, context, ended)
        }
        Err(failure) => {
            span.fail_at(failure.class, ended);
            Err(failure)
        }
    }
}

/// Reads what the command says, to its end.
async fn finish(mut child: openssh::Child<&openssh::Session>, login: &Login, hop: &Hop) -> Result<Finished, Failure> {
    let (output, errors) = (child.stdout().take(), child.stderr().take());
    let ((output, cut), errors) = tokio::join!(beginning(output), end(errors));
    // Only now: the crate hangs up as soon as it has the status, and ssh then lets go what it has not written yet.
    let status = match child.wait().await {
        Ok(exit) => status(exit),
        // The crate has an error of its own for it.
        Err(openssh::Error::Remote(_)) => Some(127),
        Err(error) => match (lost(login, hop, "the command ran"), error) {
            (Some(lost), _) => return Err(lost),
            (None, openssh::Error::RemoteProcessTerminated) => None,
            (None, error) => {
                let message = format!("ssh went away while the command ran: {}", whole(&error));
                return Err(Failure::new(FailureClass::Internal, message));
            }
        },
    };
    Ok(Finished { status, output, cut, errors })
}

fn status(exit: ExitStatus) -> Option<u8> {
    exit.code().or_else(|| exit.signal().map(|signal| 128 + signal)).and_then(|code| u8::try_from(code).ok())
}

/// The connection went, and the command's fate is not known.
fn lost(login: &Login, hop: &Hop, meanwhile: &str) -> Option<Failure> {
    login.marks().noted().closed.map(|error| {
        let how = if error.is_some() { "broke" } else { "was closed by the server" };
        let message = format!("the connection to {} {how} while {meanwhile}", hop.place());
        Failure::new(FailureClass::Protocol, message)
    })
}

async fn beginning(from: Option<impl AsyncRead + Unpin>) -> (Vec<u8>, bool) {
    let (mut kept, mut cut) = (Vec::new(), false);
    each(from, |bytes| {
        let room = (KEPT - kept.len()).min(bytes.len());
        kept.extend_from_slice(&bytes[..room]);
        cut |= room < bytes.len();
    })
    .await;
    (kept, cut)
}

async fn end(from: Option<impl AsyncRead + Unpin>) -> String {
    let (mut kept, mut cut) = (VecDeque::new(), false);
    each(from, |bytes| {
        kept.extend(bytes);
        let more = kept.len().saturating_sub(LAST.0);
        cut |= more > 0;
        kept.drain(..more);
    })
    .await;
    let mut text = String::from_utf8_lossy(kept.make_contiguous()).into_owned();
    if cut {
        text.insert(0, '…');
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST.1)..].join("\n")
}

async fn each(from: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 8 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        take(&buffer[..read]);
    }
}

/// An error and its causes, in one line.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_beginning_and_the_end_are_bounded_whatever_comes() {
        let long = vec![b'x'; 3 * KEPT];
        let (kept, cut) = beginning(Some(long.as_slice())).await;
        assert_eq!((kept.len(), cut), (KEPT, true));
        assert_eq!(beginning(Some(&b"all"[..])).await, (b"all".to_vec(), false));
        let told = end(Some(long.as_slice())).await;
        assert!(told.starts_with('…') && told.len() <= LAST.0 + '…'.len_utf8());
        assert_eq!(end(Some(&b"1\n2\n\n3\r\n4\n5\n6\n"[..])).await, "2\n3\n4\n5\n6");
    }
}
