//! The forms of a secret: how libraries and targets write a value.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::SHORTEST;

/// All but what RFC 3986 (2.3) calls unreserved: how templates encode a value for a URL.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The ways in which libraries and targets write a value.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for encoded in [NON_ALPHANUMERIC, RESERVED] {
        let percent = utf8_percent_encode(secret, encoded).to_string();
        forms.extend([lower_hex(&percent), percent]);
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = url::Url::parse("http://h").ok().map(|mut url| {
        url.set_query(Some(secret));
        url.query().unwrap_or_default().to_owned()
    });
    forms.push(form);
    forms.extend(url);
    forms.push(Value::from(secret).to_string().trim_matches('"').to_owned());
    // Base64 of a longer text that holds the secret depends on where in a group of three bytes the secret begins.
    for shift in 0..3 {
        let padded = [&b"\0\0"[..shift], secret.as_bytes()].concat();
        // Six bits are a letter: those that also hold bits of a neighbour are left out, at the end when one follows.
        let begin = (shift * 8).div_ceil(6);
        let own = padded.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            let alone = shift == 0;
            let cores = [encoded.get(begin..own), encoded.get(begin..)];
            let long = |core: &&str| alone || core.len() >= 2 * SHORTEST;
            forms.extend(cores.into_iter().flatten().filter(long).map(str::to_owned));
        }
    }
    forms
}

/// The same with the digits of what is percent-encoded in lower case, as some write them (RFC 3986, 2.1).
fn lower_hex(percent: &str) -> String {
    let mut digits = 0;
    percent
        .chars()
        .map(|letter| {
            let digit = digits > 0;
            digits = if letter == '%' { 2 } else { u32::saturating_sub(digits, 1) };
            if digit { letter.to_ascii_lowercase() } else { letter }
        })
        .collect()
}
