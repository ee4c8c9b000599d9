//! A name server that answers as it is told, and notes when.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, RecordType},
};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep},
};

/// What to answer for a name.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These addresses, the answer to each question those of its family.
    Addresses(Vec<IpAddr>),
    /// A refusal.
    Code(ResponseCode),
    /// None at all.
    Silence,
}

/// A name server on a port of its own.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Question>>>,
}

/// A question that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) came: Instant,
    pub(crate) answered: Option<Instant>,
}

// === impl NameServer ===

impl NameServer {
    /// One that answers after `delay` what `reply` says of the name.
    pub(crate) async fn start(delay: Duration, reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
        let address = socket.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<Question>>> = Arc::default();
        let noted = asked.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 1_500];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(&buffer[..length]).expect("a resolver asks");
                let name = question.queries[0].name().to_ascii();
                let name = name.trim_end_matches('.').to_owned();
                let answer = answer(&question, reply(&name));
                let number = {
                    let mut asked = noted.lock().unwrap();
                    asked.push(Question { name, came: Instant::now(), answered: None });
                    asked.len() - 1
                };
                let (socket, noted) = (socket.clone(), noted.clone());
                tokio::spawn(async move {
                    let Some(answer) = answer else { return };
                    sleep(delay).await;
                    let _ = socket.send_to(&answer, client).await;
                    noted.lock().unwrap()[number].answered = Some(Instant::now());
                });
            }
        });
        Self { address, asked }
    }

    /// One that knows every name to be on this machine.
    pub(crate) async fn loopback(delay: Duration) -> Self {
        Self::start(delay, |_| Reply::Addresses(vec![Ipv4Addr::LOCALHOST.into()])).await
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> MutexGuard<'_, Vec<Question>> {
        self.asked.lock().unwrap()
    }

    /// From the first question, of those since number `from`, to the last answer.
    pub(crate) fn took(&self, from: usize) -> Duration {
        let asked = self.asked();
        let last = asked[from..].iter().filter_map(|question| question.answered).max();
        last.expect("it answered") - asked[from].came
    }
}

fn answer(question: &Message, reply: Reply) -> Option<Vec<u8>> {
    let query = &question.queries[0];
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    match reply {
        Reply::Silence => return None,
        Reply::Code(code) => answer.metadata.response_code = code,
        Reply::Addresses(addresses) => {
            for address in addresses {
                let data = match (address, query.query_type()) {
                    (IpAddr::V4(ip), RecordType::A) => RData::A(ip.into()),
                    (IpAddr::V6(ip), RecordType::AAAA) => RData::AAAA(ip.into()),
                    _ => continue,
                };
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
        }
    }
    Some(answer.to_vec().expect("an answer"))
}
