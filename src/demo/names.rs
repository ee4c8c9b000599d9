//! A name server that knows the demo's targets: RFC 1035, as little as a resolver needs.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::UdpSocket, task::JoinSet, time};

/// How long it thinks, so that the phase can be seen.
const THINKS: Duration = Duration::from_millis(4);

/// The first label of the one name that is not there.
const MISSING: &[u8] = b"nowhere";

/// The length of a message's header.
const HEADER: usize = 12;

/// The type of an address record.
const TYPE_A: [u8; 2] = [0, 1];

/// Serves until the tasks end.
pub(super) async fn serve(tasks: &mut JoinSet<()>) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = socket.local_addr()?;
    tasks.spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let Ok((length, asker)) = socket.recv_from(&mut buffer).await else { continue };
            time::sleep(THINKS).await;
            if let Some(answer) = answer(&buffer[..length]) {
                // Whoever does not hear asks again.
                let _ = socket.send_to(&answer, asker).await;
            }
        }
    });
    Ok(address)
}

/// 127.0.0.1 for every name but one; no other type of record is there.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let labels = query.get(HEADER..)?;
    let mut end = 0;
    loop {
        match usize::from(*labels.get(end)?) {
            0 => break,
            length => end += length + 1,
        }
    }
    let question = labels.get(..end + 5)?;
    let kind = question.get(end + 1..end + 3)?;
    let missing = question.get(1..=MISSING.len()) == Some(MISSING);
    let found = !missing && kind == TYPE_A;

    let mut answer = query.get(..2)?.to_vec();
    // A response, recursion wanted and available; 3 is "no such name".
    answer.extend([0x81, if missing { 0x83 } else { 0x80 }]);
    answer.extend([0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    answer.extend(question);
    if found {
        // The name of the question, type A, class IN, no time to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend(Ipv4Addr::LOCALHOST.octets());
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, kind: u8) -> Vec<u8> {
        let mut query = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend(label.bytes());
        }
        query.extend([0, 0, kind, 0, 1]);
        query
    }

    #[test]
    fn a_name_has_the_loopback_address_and_no_other() {
        let of = |name, kind| answer(&query(name, kind)).unwrap();
        assert!(of("www.demo.test", 1).ends_with(&[127, 0, 0, 1]));
        assert_eq!(of("www.demo.test", 28)[3..8], [0x80, 0, 1, 0, 0]);
        assert_eq!(of("nowhere.demo.test", 1)[3], 0x83);
    }

    #[test]
    fn what_is_no_query_is_not_answered() {
        let whole = query("www.demo.test", 1);
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length]), None);
        }
    }
}
