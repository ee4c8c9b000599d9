//! What stands in the clear at the beginning of a connection: identification line, key exchange, host key (RFC 4253).

/// The longest line before or as an identification (OpenSSH takes no longer one either), in bytes.
const LONGEST_LINE: usize = 8 << 10;

/// The largest packet (OpenSSH's own limit), in bytes.
const LARGEST_PACKET: usize = 256 << 10;

/// The message numbers of RFC 4253, RFC 4419 and RFC 5656 that matter here.
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const KEX_REPLY: u8 = 31;
const GROUP_EXCHANGE_REPLY: u8 = 33;

/// Takes one direction of a connection apart, until it is encrypted.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    buffer: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Lines; the identification is the last.
    #[default]
    Lines,
    /// Packets in the clear.
    Packets,
    /// Encrypted, or not understood: passed by unseen.
    Opaque,
}

/// What stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A line before the identification.
    Line(String),
    /// `SSH-2.0-…`.
    Identification(String),
    /// The key exchanges on offer, the preferred first.
    Exchanges(Vec<String>),
    /// What may be a host key: the first field of message 31 or 33. Message 31 is something else in a group exchange.
    Reply {
        /// Whether it is message 33.
        group_exchange: bool,
        /// The field.
        key: Vec<u8>,
    },
    /// From here on it is encrypted.
    NewKeys,
    /// It is not understood from here on.
    Garbled,
}

// === impl Plain ===

impl Plain {
    /// Everything that is complete once `bytes` are there.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::new();
        if self.stage == Stage::Opaque {
            return seen;
        }
        self.buffer.extend_from_slice(bytes);
        while let Some(one) = self.next() {
            seen.extend(one);
            if self.stage == Stage::Opaque {
                self.buffer = Vec::new();
                break;
            }
        }
        seen
    }

    /// Takes the next line or packet off; the inner `None` is one that does not matter.
    #[allow(clippy::option_option)]
    fn next(&mut self) -> Option<Option<Seen>> {
        match self.stage {
            Stage::Lines => self.line().map(Some),
            Stage::Packets => self.packet(),
            Stage::Opaque => None,
        }
    }

    fn line(&mut self) -> Option<Seen> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else {
            return (self.buffer.len() > LONGEST_LINE).then(|| self.garbled());
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if text.starts_with("SSH-") {
            self.stage = Stage::Packets;
            return Some(Seen::Identification(text));
        }
        Some(Seen::Line(text))
    }

    #[allow(clippy::option_option)]
    fn packet(&mut self) -> Option<Option<Seen>> {
        let length = usize::try_from(u32::from_be_bytes(*self.buffer.first_chunk()?)).unwrap_or(usize::MAX);
        if !(5..=LARGEST_PACKET).contains(&length) {
            return Some(Some(self.garbled()));
        }
        if self.buffer.len() < 4 + length {
            return None;
        }
        let packet: Vec<u8> = self.buffer.drain(..4 + length).collect();
        let padding = usize::from(packet[4]);
        let Some(payload) = packet.get(5..(4 + length).saturating_sub(padding)).filter(|payload| !payload.is_empty())
        else {
            return Some(Some(self.garbled()));
        };
        Some(match payload[0] {
            KEXINIT => payload
                .get(17..)
                .and_then(field)
                .map(|list| Seen::Exchanges(String::from_utf8_lossy(list).split(',').map(str::to_owned).collect())),
            number @ (KEX_REPLY | GROUP_EXCHANGE_REPLY) => field(&payload[1..])
                .map(|key| Seen::Reply { group_exchange: number == GROUP_EXCHANGE_REPLY, key: key.to_vec() }),
            NEWKEYS => {
                self.stage = Stage::Opaque;
                Some(Seen::NewKeys)
            }
            _ => None,
        })
    }

    fn garbled(&mut self) -> Seen {
        self.stage = Stage::Opaque;
        Seen::Garbled
    }
}

/// The first field of a packet: its length and as many bytes (RFC 4251, 5).
fn field(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
    bytes.get(4..4 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 1 + 6).unwrap();
        [&length.to_be_bytes()[..], &[6], payload, &[0; 6]].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn talk() -> Vec<u8> {
        [
            b"hello\r\nSSH-2.0-test\r\n".to_vec(),
            packet(&[&[KEXINIT][..], &[7; 16], &text("a,b"), &text("rest")].concat()),
            packet(&[2, 0, 0, 0, 0]),
            packet(&[&[KEX_REPLY][..], &text("the key"), &text("more")].concat()),
            packet(&[NEWKEYS]),
            b"encrypted".to_vec(),
        ]
        .concat()
    }

    fn want() -> Vec<Seen> {
        vec![
            Seen::Line("hello".to_owned()),
            Seen::Identification("SSH-2.0-test".to_owned()),
            Seen::Exchanges(vec!["a".to_owned(), "b".to_owned()]),
            Seen::Reply { group_exchange: false, key: b"the key".to_vec() },
            Seen::NewKeys,
        ]
    }

    #[test]
    fn what_is_in_the_clear_is_seen_however_it_is_cut() {
        for size in [1, 2, 3, 7, 64, 4096] {
            let mut plain = Plain::default();
            let seen: Vec<Seen> = talk().chunks(size).flat_map(|chunk| plain.feed(chunk)).collect();
            assert_eq!(seen, want(), "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_understood_ends_the_looking() {
        let huge = [b"SSH-2.0-x\r\n".to_vec(), u32::MAX.to_be_bytes().to_vec()].concat();
        assert_eq!(Plain::default().feed(&huge).last(), Some(&Seen::Garbled));
        let all_padding = [b"SSH-2.0-x\r\n".to_vec(), vec![0, 0, 0, 8, 255], vec![0; 7]].concat();
        assert_eq!(Plain::default().feed(&all_padding).last(), Some(&Seen::Garbled));
        let mut endless = Plain::default();
        let seen: Vec<Seen> = (0..100).flat_map(|_| endless.feed(&[b'x'; 1024])).collect();
        assert_eq!(seen, [Seen::Garbled]);
        assert!(endless.buffer.is_empty());
    }
}
