//! The forms of a secret: how libraries and targets write a value.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use url::{Host, Url};

use super::{SHORTEST, view};

/// The ways in which libraries and targets write a value that nobody undoes by looking at it: see [`view`](super::view) for
/// the others.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    // In a query, a blank is a plus.
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    // URLs leave out what ends a line.
    forms.push(secret.replace(['\n', '\r', '\t'], ""));
    // In a path, `a/../b` is `b` and `\` is `/`; in a host, other letters than ASCII are written in it (RFC 3492).
    let path = Url::parse("http://h").ok().map(|mut url| {
        url.set_path(secret);
        url.path().trim_start_matches('/').to_owned()
    });
    let host = Some(secret).filter(|secret| !secret.is_ascii()).and_then(|secret| Host::parse(secret).ok());
    forms.extend(path.filter(|path| path.len() >= secret.len() / 2));
    forms.extend(host.map(|host| host.to_string()));
    // What looks like an escape in it is undone, too, when those around it are.
    let undone = view::layers(secret.as_bytes(), false);
    forms.extend(undone.into_iter().filter_map(|view| String::from_utf8(view.bytes().to_vec()).ok()));
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
