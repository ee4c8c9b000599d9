//! No form of a secret leaves, and nothing else is touched.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

fn redactor(secret: &str) -> Redactor {
    let redactor = Redactor::default();
    redactor.learn([Secret::new(secret)]);
    redactor
}

/// As many ways of writing it as one meets.
fn written(secret: &str) -> Vec<String> {
    let json = |text: &str| Value::from(text).to_string();
    let percent = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let html = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let ascii: String = secret
        .chars()
        .map(|letter| if letter.is_ascii() { letter.to_string() } else { format!("\\u{:04x}", u32::from(letter)) })
        .collect();
    let mut query = url::Url::parse("http://h").unwrap();
    query.set_query(Some(secret));
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    vec![
        secret.to_owned(),
        secret.to_ascii_uppercase(),
        json(secret),
        json(&json(secret)),
        json(secret).replace('/', "\\/"),
        format!("{:?}", json(secret)),
        format!("'{}'", json(secret).replace('\'', "'\\''")),
        percent(secret),
        percent(secret).to_lowercase(),
        percent(&percent(secret)),
        form,
        html(secret),
        html(secret).replace('\'', "&#x27;"),
        ascii.replace('"', "\\\""),
        query.to_string(),
    ]
}

#[test]
fn a_secret_is_masked_however_it_is_written() {
    for secret in
        ["s3cr\"t/+ü w-O.r_d~", "it's-my-s3cr&t<x>", "p^ss!w|rd{s3cr", "back\\slash-s3cr\nline", "a&b\\z\"s3cr%41"]
    {
        let redactor = redactor(secret);
        for text in written(secret) {
            let masked = redactor.redact(&format!("before {text} after")).into_owned();
            assert!(masked.contains(MASK), "{text} became {masked}");
            assert!(!masked.to_lowercase().contains("s3cr"), "{text} became {masked}");
            assert!(masked.starts_with("before ") && masked.ends_with(" after"), "{text} became {masked}");
        }
    }
}

#[test]
fn a_secret_in_a_url_is_masked_as_the_url_writes_it() {
    for (secret, url, want) in [
        ("KanarieTenant", "http://{}.invalid/", "http://[redacted].invalid/"),
        ("müllerkanarie", "http://{}/", "http://[redacted]/"),
        ("kanarie\\vogel", "http://h/{}/y", "http://h/[redacted]/y"),
        ("kanarie/../vogelsingt/./laut", "http://h/{}/y", "http://h/[redacted]/y"),
        ("kan^arie|vog{el}", "http://h/x/{}/y", "http://h/x/[redacted]/y"),
        ("p^ss!word|kanarie", "http://me:{}@h/", "http://me:[redacted]@h/"),
    ] {
        let url = url::Url::parse(&url.replace("{}", secret)).unwrap();
        assert_eq!(redactor(secret).redact(url.as_str()), want, "{url}");
    }
}

#[test]
fn parts_of_a_secret_are_secrets() {
    let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n";
    let hook = "HTTPS://me:hunter22@Hooks.example:443/services/T0123456789ABCDEFG/B0?sig=abcdefghi#top";
    let login = r#"{"user": "monitor-user", "password": "hunter22", "n": 1}"#;
    for (secret, text, want) in [
        (
            pem,
            "key:\r\n  MIIEvQIBADANBgkqhkiG9w0\r\n  AQEFAASCBKcwggSjAgEAAoIB",
            "key:\r\n  [redacted]\r\n  [redacted]",
        ),
        (pem, "-----BEGIN KEY----- nothing", "-----BEGIN KEY----- nothing"),
        (hook, "Cannot GET /services/T0123456789ABCDEFG/B0", "Cannot GET [redacted]"),
        (hook, "GET https://hooks.example/services/T0123456789ABCDEFG/B0?sig=abcdefghi", "GET [redacted]"),
        (hook, "the signature abcdefghi of hunter22", "the signature [redacted] of [redacted]"),
        (hook, "hooks.example", "hooks.example"),
        (login, r#"{"password":"hunter22"}"#, r#"{"password":"[redacted]"}"#),
        ("hunter22\n", "a hunter22 b", "a [redacted] b"),
    ] {
        assert_eq!(redactor(secret).redact(text), want);
    }
}

#[test]
fn base64_is_masked_wherever_the_secret_begins() {
    let redactor = redactor("correct horse battery");
    for user in ["", "a", "ab", "abc", "abcd"] {
        let encoded = STANDARD.encode(format!("{user}correct horse battery:tail"));
        let masked = redactor.redact(&encoded);
        assert!(masked.contains(MASK), "{user}: {masked}");
        assert!(masked.len() - MASK.len() <= encoded.len() - 24, "{user}: {masked}");
    }
}

#[test]
fn of_base64_no_letter_stays_that_is_the_secret_s_alone() {
    for (secret, text, want) in [
        ("hunter22", "user:hunter22", "dXNlcjp[redacted]=="),
        ("hunter2!", "a:hunter2!", "YTp[redacted]=="),
        ("hunter2!", "ab:hunter2!", "YWI6[redacted]="),
        ("hunter22!", "a:hunter22!:", "YTp[redacted]6"),
    ] {
        let encoded = STANDARD.encode(text);
        let want = want.replace("[redacted]", MASK);
        assert_eq!(redactor(secret).redact(&encoded), want, "{encoded}");
    }
}

#[test]
fn secrets_across_each_other_are_masked_as_one() {
    let redactor = redactor("hunter22").with([Secret::new("Basic dXNlcjpodW50ZXIyMg=="), Secret::new("22-tail")]);
    for (text, want) in [
        ("authorization: Basic dXNlcjpodW50ZXIyMg==", "authorization: [redacted]"),
        ("a hunter22-tail b", "a [redacted] b"),
        ("hunter22hunter22", "[redacted][redacted]"),
    ] {
        assert_eq!(redactor.redact(text), want);
    }
    assert_eq!(self::redactor("hunter22").redact("22-tail"), "22-tail");
}

#[test]
fn what_is_known_besides_stays_there() {
    let redactor = redactor("hunter22");
    let more = redactor.with([Secret::new("only-now")]);
    redactor.learn([Secret::new("for-ever")]);
    let mut text = "hunter22 only-now for-ever only-…".to_owned();
    assert_eq!(redactor.redact(&text), "[redacted] only-now [redacted] only-…");
    more.redact_cut(&mut text, false);
    assert_eq!(text, "[redacted] [redacted] [redacted] [redacted]…");
}

#[test]
fn other_text_is_untouched_and_not_copied() {
    let redactor = redactor("hunter22");
    assert!(matches!(redactor.redact("expected status 200, got 503"), Cow::Borrowed(_)));
    assert!(matches!(Redactor::default().redact("hunter22"), Cow::Borrowed(_)));
}

#[test]
fn a_secret_that_was_cut_is_masked_where_it_begins() {
    let redactor = redactor("eyJhbGciOiJIUzI1NiJ9.eyJz");
    for (text, cut, want) in [
        ("got \"eyJhbGciOi…, expected eyJhbG…!", false, "got \"[redacted]…, expected [redacted]…!"),
        ("the token is eyJhb", true, "the token is [redacted]"),
        ("the token is eyJhb", false, "the token is eyJhb"),
        ("eyJ…", false, "eyJ…"),
        ("…", true, "…"),
        ("…NiJ9.eyJz said: …J9%2eeyJz", false, "…[redacted] said: …[redacted]"),
        ("… eyJz", false, "… eyJz"),
        ("the token eyJhbGci... is wrong", false, "the token [redacted]... is wrong"),
        ("got eyJ%68bGciOiJ%…", false, "got [redacted]…"),
        (r"got ey\u004ahbGci\u00", true, "got [redacted]"),
    ] {
        let mut text = text.to_owned();
        redactor.redact_cut(&mut text, cut);
        assert_eq!(text, want);
    }
}

#[test]
fn of_a_long_secret_all_that_can_leave_is_masked() {
    let page = "<html>".to_owned() + &"0123456789abcdef".repeat(100_000);
    let redactor = redactor(&page);
    let mut excerpt = page[..2_048].to_owned();
    redactor.redact_cut(&mut excerpt, true);
    assert_eq!(excerpt, MASK);
}

#[test]
fn keys_and_values_of_json_are_masked() {
    let mut value = serde_json::json!({"hunter22": ["a hunter22 b", {"k": 1}]});
    redactor("hunter22").redact_json(&mut value);
    assert_eq!(value, serde_json::json!({"[redacted]": ["a [redacted] b", {"k": 1}]}));
}
