//! Whatever bytes come back: a verdict, never a panic, and phases that tile.

use probe_core::{FailureClass, Verdict};

use crate::support::{
    probe::{check, run},
    target::{Act, Target},
};

/// Answers that are tried; each is one run.
const ANSWERS: usize = 300;

/// An answer that everything below looks into.
const SOUND: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-id: 17\r\nset-cookie: session=abc; path=/\r\n\
    content-encoding: identity\r\nlocation: /next\r\ncontent-length: 31\r\n\r\n{\"status\": \"ok\", \"list\": [1, 2]}";

/// Reads the answer in every way there is.
const KEYS: &str = "redirects: 3, timeout: 2s, expected: [2xx, 3xx, 4xx, 5xx], \
    set_keys: {json: '$..list[?(@ > 1)]', id: {header: x-id}, cookie: {cookie: session}, text: {regex: 'o(k+)'}}, \
    assertions: {id: {matches: '^[0-9]+$', length: {lt: 9}}}, \
    expect: {headers: {content-type: {contains: json}}, body: {not_matches: 'x{9}'}, json: {$.status: ok}, size: {lt: 999}}";

/// The sound answer, changed: bytes flipped, cut, repeated, put in; or noise alone.
fn answer(random: &mut fastrand::Rng) -> Vec<u8> {
    let noise = |random: &mut fastrand::Rng| -> Vec<u8> { (0..random.usize(..200)).map(|_| random.u8(..)).collect() };
    let mut answer = SOUND.to_vec();
    for _ in 0..random.usize(..6) {
        let at = random.usize(..answer.len().max(1));
        match random.u8(..5) {
            0 => answer.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
            1 => answer.truncate(at),
            2 => drop(answer.splice(at..at, noise(random))),
            3 => {
                let again = answer.get(at..).unwrap_or_default().to_vec();
                answer.extend(again);
            }
            _ => {
                let words: [&[u8]; 5] =
                    [b"\r\n", b"\0", b"transfer-encoding: chunked\r\n", b"\xff\xfe", b"content-encoding: gzip\r\n"];
                answer.splice(at..at, words[random.usize(..words.len())].iter().copied());
            }
        }
    }
    if random.u8(..10) == 0 { noise(random) } else { answer }
}

#[tokio::test]
async fn whatever_bytes_come_back_there_is_a_verdict() {
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let mut up = 0;
    for number in 0..ANSWERS {
        let answer = answer(&mut random);
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let target = Target::always(vec![Act::write(answer)]).await;
        // Each run is held to its tiling by `run` itself.
        let ran = run(&check(&format!("url: '{}', {KEYS}", target.url("/")))).await;
        match &ran.0.verdict {
            Verdict::Up => up += 1,
            Verdict::Down(failure) => assert_ne!(failure.class, FailureClass::Internal),
            Verdict::Inconclusive(failure) => panic!("answer {number} is our fault: {}\n{shown}", failure.message),
        }
    }
    assert!((1..ANSWERS).contains(&up), "{up} of {ANSWERS} were well");
}
