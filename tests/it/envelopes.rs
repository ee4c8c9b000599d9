//! What a run becomes in Sentry, to the letter.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use probe_core::{Excerpt, Failure, FailureClass, Op, Verdict};
use sentrynet::{
    report::{
        Report,
        sentry::{
            Envelope, Settings, envelopes,
            spool::{Category, Lane},
        },
    },
    trace::SuccessSample,
};
use serde_json::{Value, json};

use crate::runs::{self, Read, check, failed, report, request, settings, span, tree};

fn start() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_763_685_115, 123_456_789)
}

fn down(class: FailureClass) -> Verdict {
    Verdict::Down(Failure::new(class, "expected status 200, got 503").expected("200", "503"))
}

fn sent(report: &Report) -> Vec<Envelope> {
    envelopes(&settings(), report)
}

fn only(report: &Report) -> Read {
    let sent = sent(report);
    assert_eq!(sent.len(), 1);
    runs::read(&sent[0])
}

fn pair(report: &Report) -> (Read, Read) {
    let sent = sent(report);
    assert_eq!(sent.len(), 2);
    (runs::read(&sent[0]), runs::read(&sent[1]))
}

#[test]
fn a_run_that_is_up_becomes_exactly_this_transaction() {
    let report = report(check("GET https://shop.example/"), request(start()), Verdict::Up);
    let envelope = &sent(&report)[0];
    assert_eq!((envelope.lane, envelope.category), (Lane::Routine, Category::Transaction));
    let Read { header, item, payload, text } = only(&report);

    let trace = report.trace_id.to_string();
    let id = |index: usize| report.outcome.tree.spans[index].id.to_string();
    assert_eq!(item["type"], "transaction");
    let context = json!({
        "trace_id": trace, "public_key": "0123456789abcdef0123456789abcdef", "release": "sentrynet@0.1.0",
        "environment": "production", "transaction": "GET https://shop.example/", "sample_rate": "1", "sampled": "true",
    });
    assert_eq!(header, json!({"event_id": payload["event_id"], "trace": context}));

    let span = |index: usize, parent: usize, op: &str, description: &str, from: f64, to: f64| {
        json!({
            "span_id": id(index), "parent_span_id": id(parent), "trace_id": trace, "op": op, "description": description,
            "status": "ok", "origin": "auto.probe.http", "start_timestamp": from, "timestamp": to,
        })
    };
    let mut spans = json!([
        span(1, 0, "http.request", "GET https://shop.example/", 1763685115.123456, 1763685115.265656),
        span(2, 1, "net.conn", "Creating connection", 1763685115.123456, 1763685115.183456),
        span(3, 2, "net.dns", "DNS resolution", 1763685115.123456, 1763685115.143456),
        span(4, 2, "net.tcp", "TCP connect", 1763685115.143456, 1763685115.153456),
        span(5, 2, "net.tls", "TLS handshake", 1763685115.153456, 1763685115.183456),
        span(6, 1, "http.send", "Send request", 1763685115.183456, 1763685115.183656),
        span(7, 1, "http.wait", "Awaiting response", 1763685115.183656, 1763685115.253656),
        span(8, 1, "http.recv", "Receiving response", 1763685115.253656, 1763685115.265656),
    ]);
    spans[0]["data"] = json!({"http.response.status_code": 503});
    spans[7]["data"] = json!({"http.response.body.size": 1234});
    let millis = |value: f64| json!({"value": value, "unit": "millisecond"});
    let want = json!({
        "event_id": payload["event_id"],
        "type": "transaction",
        "transaction_info": {"source": "custom"},
        "platform": "other",
        "sdk": {"name": "sentrynet", "version": env!("CARGO_PKG_VERSION")},
        "release": "sentrynet@0.1.0",
        "environment": "production",
        "server_name": "prober-1",
        "transaction": "GET https://shop.example/",
        "tags": {"location": "london", "probe": "http", "team": "shop", "verdict": "up"},
        "start_timestamp": 1763685115.123456,
        "timestamp": 1763685115.265656,
        "contexts": {"trace": {
            "trace_id": trace, "span_id": id(0), "op": "probes.http", "status": "ok", "origin": "auto.probe.http",
            "data": {
                "probe.id": "shop-1", "schedule.planned": "2025-11-21T00:31:55.120206Z", "schedule.lag_ms": 3.25,
                "schedule.missed": 2,
            },
        }},
        "measurements": {
            "dns": millis(20.0), "tcp": millis(10.0), "tls": millis(30.0), "ttfb": millis(130.2),
            "download": millis(12.0), "response_size": {"value": 1234.0, "unit": "byte"},
        },
        "spans": spans,
    });
    assert_eq!(payload, want);
    assert!(text.contains(r#""start_timestamp":1763685115.123456,"timestamp":1763685115.265656"#), "{text}");
}

#[test]
fn a_run_that_is_down_becomes_exactly_this_event_before_its_transaction() {
    let mut check = check("Shop");
    check.runbook = Some("https://wiki.example/shop".to_owned());
    let excerpt = Excerpt { head: "HTTP/1.1 503".to_owned(), body: "{\"a\": 1}".to_owned(), truncated: false };
    let failure = Failure::new(FailureClass::Status, "expected status 200, got 503")
        .expected("200", "503")
        .origin("status of the answer")
        .excerpt(excerpt)
        .reproduce("curl https://shop.example/");
    let tree = failed(start(), Op::HTTP_WAIT, FailureClass::Status);
    let report = report(check, tree, Verdict::Down(failure));
    let lanes: Vec<_> = sent(&report).iter().map(|envelope| (envelope.lane, envelope.category)).collect();
    assert_eq!(lanes, [(Lane::Urgent, Category::Error), (Lane::Urgent, Category::Transaction)]);

    let (event, transaction) = pair(&report);
    assert_eq!((&event.item["type"], &transaction.item["type"]), (&json!("event"), &json!("transaction")));
    assert_eq!(event.header["trace"], transaction.header["trace"]);
    assert_ne!(event.header["event_id"], transaction.header["event_id"]);
    let want = json!({
        "event_id": event.header["event_id"],
        "level": "error",
        "platform": "other",
        "sdk": transaction.payload["sdk"],
        "release": "sentrynet@0.1.0",
        "environment": "production",
        "server_name": "prober-1",
        "transaction": "Shop",
        "tags": {"location": "london", "probe": "http", "team": "shop", "verdict": "down"},
        "timestamp": 1763685115.253656,
        "fingerprint": ["shop-1", "status"],
        "exception": {"values": [{
            "type": "StatusMismatch", "value": "expected status 200, got 503",
            "mechanism": {"type": "probe", "handled": true},
        }]},
        "contexts": {
            "trace": {
                "trace_id": report.trace_id.to_string(), "span_id": report.outcome.tree.spans[0].id.to_string(),
                "op": "probes.http", "status": "failed_precondition",
            },
            "probe": {
                "id": "shop-1", "title": "Shop", "kind": "http", "planned": "2025-11-21T00:31:55.120206Z",
                "lag_ms": 3.25, "missed": 2,
            },
            "failure": {
                "class": "status", "expected": "200", "actual": "503", "origin": "status of the answer",
                "phase": "http.wait (Awaiting response)", "duration_ms": 130.2,
                "phases_ms": {
                    "http.request": 130.2, "http.send": 0.2, "http.wait": 70.0, "net.conn": 60.0, "net.dns": 20.0,
                    "net.tcp": 9.999, "net.tls": 30.0,
                },
            },
            "runbook": {"text": "https://wiki.example/shop"},
            "reproduce": {"text": "curl https://shop.example/"},
            "excerpt": {"head": "HTTP/1.1 503", "body": "{\"a\": 1}", "truncated": false},
        },
    });
    assert_eq!(event.payload, want);

    let payload = &transaction.payload;
    assert_eq!(payload["tags"], event.payload["tags"]);
    assert_eq!(payload["contexts"]["trace"]["trace_id"], event.payload["contexts"]["trace"]["trace_id"]);
    assert_eq!(payload["contexts"]["trace"]["span_id"], event.payload["contexts"]["trace"]["span_id"]);
    assert_eq!(payload["contexts"]["trace"]["data"]["error.type"], "status");
    assert_eq!(payload["contexts"]["trace"]["data"]["error.message"], "expected status 200, got 503");
}

#[test]
fn the_phase_that_failed_and_all_above_it_carry_the_status() {
    let report = report(check("x"), failed(start(), Op::NET_TLS, FailureClass::Tls), down(FailureClass::Tls));
    let (event, transaction) = pair(&report);
    let spans = transaction.payload["spans"].as_array().unwrap();
    let statuses: Vec<_> =
        spans.iter().map(|span| (span["op"].as_str().unwrap(), span["status"].as_str().unwrap())).collect();
    let want = [
        ("http.request", "unavailable"),
        ("net.conn", "unavailable"),
        ("net.dns", "ok"),
        ("net.tcp", "ok"),
        ("net.tls", "unavailable"),
    ];
    assert_eq!(statuses, want);
    assert_eq!(transaction.payload["contexts"]["trace"]["status"], "unavailable");
    assert_eq!(event.payload["contexts"]["failure"]["phase"], "net.tls (TLS handshake)");
    let measured: Vec<_> = transaction.payload["measurements"].as_object().unwrap().keys().collect();
    assert_eq!(measured, ["dns", "tcp"], "what failed was not measured");
}

#[test]
fn every_class_has_an_issue_of_its_own_for_each_probe_whatever_the_message() {
    let mut seen = std::collections::HashSet::new();
    for class in FailureClass::ALL.into_iter().filter(|class| *class != FailureClass::Internal) {
        let of = |message: &str| {
            let verdict = Verdict::Down(Failure::new(class, message));
            pair(&report(check("x"), failed(start(), Op::HTTP_WAIT, class), verdict)).0.payload
        };
        let (first, second) = (of("one"), of("two"));
        assert_eq!(first["fingerprint"], second["fingerprint"]);
        assert_eq!(first["exception"]["values"][0]["type"], class.title());
        assert!(seen.insert(first["fingerprint"].to_string()));
    }
}

#[test]
fn an_inconclusive_run_is_no_error_of_the_probe() {
    let verdict = Verdict::Inconclusive(Failure::new(FailureClass::Internal, "no descriptors left"));
    let report = report(check("x"), failed(start(), Op::NET_TCP, FailureClass::Internal), verdict);
    assert_eq!(sent(&report)[0].lane, Lane::Urgent);
    let payload = only(&report).payload;
    assert_eq!(payload["type"], "transaction");
    assert_eq!(payload["tags"]["verdict"], "inconclusive");
    assert_eq!(payload["contexts"]["trace"]["data"]["error.message"], "no descriptors left");
}

#[test]
fn the_measurements_are_those_of_the_last_request() {
    let mut first = request(start());
    let offset = first.spans.len();
    let second = request(start());
    first.spans.extend(second.spans.into_iter().skip(1).map(|mut span| {
        span.start += Duration::from_secs(1);
        span.end += Duration::from_secs(1);
        // The second one found its connection, and its answer was larger.
        span.parent = span.parent.filter(|parent| *parent > 0).map_or(Some(0), |parent| Some(parent + offset - 1));
        span
    }));
    let reused = first.spans.split_off(offset + 2);
    first.spans.extend(reused.into_iter().skip(3));
    for span in &mut first.spans[offset + 1..] {
        span.parent = Some(offset);
    }
    let last = first.spans.len() - 1;
    first.spans[last].data = vec![("http.response.body.size", 99.into())];
    let measurements = only(&report(check("x"), first, Verdict::Up)).payload["measurements"].take();
    let measured: Vec<_> = measurements.as_object().unwrap().keys().collect();
    assert_eq!(measured, ["ttfb", "download", "response_size"], "{measurements}");
    assert_eq!(measurements["response_size"]["value"], 99.0);
    assert_eq!(measurements["ttfb"]["value"], 130.2);
}

#[test]
fn nothing_secret_by_name_or_shape_leaves() {
    let mut tree = failed(start(), Op::HTTP_WAIT, FailureClass::Body);
    tree.spans[1].description = "GET https://shop.example/?access_token=SECRET-1&page=2".to_owned();
    tree.spans[1].data = vec![
        ("url.full", "https://user:SECRET-2@shop.example/?API_KEY=SECRET-3".into()),
        ("auth_token", "SECRET-4".into()),
        ("values", json!({"Password": "SECRET-5", "card": "4111-1111-1111-1111", "n": 4_111_111_111_111_111_u64})),
    ];
    tree.spans[0].data = vec![("credentials", json!(["SECRET-6"]))];
    let excerpt = Excerpt {
        head: "HTTP/1.1 500\nx-api-key: SECRET 7".to_owned(),
        body: "{\"user\": \"a\", \"stripeToken\": \"SECRET-8\", \"mysql_pwd\": \"SECR".to_owned(),
        truncated: true,
    };
    let failure = Failure::new(FailureClass::Body, "wrong body, passwd=SECRET-9")
        .expected("secret: SECRET-10", "apikey=SECRET-11")
        .excerpt(excerpt)
        .reproduce("curl -H 'X-Api-Key: SECRET 12' 'https://shop.example/?client_secret=SECRET-13'");
    let mut check = check("pay with 4111 1111 1111 1111");
    check.tags.insert("password".to_owned(), "SECRET-14".to_owned());
    let (event, transaction) = pair(&report(check, tree, Verdict::Down(failure)));
    for Read { text, .. } in [&event, &transaction] {
        assert!(!text.contains("SECR") && !text.contains("4111"), "{text}");
    }
    let data = &transaction.payload["spans"][0]["data"];
    assert_eq!(data["values"], json!({"Password": "[redacted]", "card": "[redacted]", "n": "[redacted]"}));
    assert_eq!(data["url.full"], "https://[redacted]@shop.example/?API_KEY=[redacted]");
    let spans = &transaction.payload["spans"][0];
    assert_eq!(spans["description"], "GET https://shop.example/?access_token=[redacted]&page=2");
    assert_eq!(event.payload["contexts"]["excerpt"]["head"], "HTTP/1.1 500\nx-api-key: [redacted]");
    assert_eq!(transaction.payload["tags"]["password"], "[redacted]");
    assert_eq!(transaction.payload["transaction"], "pay with [redacted]");
    assert_eq!(transaction.header["trace"]["transaction"], "pay with [redacted]");
}

#[test]
fn names_and_texts_are_cut_between_characters() {
    let mut check = check(&"ü".repeat(300));
    check.tags.insert("long".to_owned(), "ü".repeat(300));
    check.tags.insert("lines".to_owned(), "a\nb".to_owned());
    check.tags.insert("empty".to_owned(), String::new());
    check.tags.insert("no key".to_owned(), "x".to_owned());
    check.runbook = Some("ü".repeat(20_000));
    let excerpt = Excerpt { head: "h".repeat(9_000), body: "ü".repeat(9_000), truncated: false };
    let failure = Failure::new(FailureClass::Body, "ü".repeat(20_000)).excerpt(excerpt);
    let mut settings = settings();
    settings.environment = "ü".repeat(64);
    settings.release = "ü".repeat(200);
    settings.server_name = "ü".repeat(256);
    let report = report(check, failed(start(), Op::HTTP_WAIT, FailureClass::Body), Verdict::Down(failure));
    let [event, transaction] = envelopes(&settings, &report).try_into().unwrap();
    let (event, transaction) = (runs::read(&event).payload, runs::read(&transaction).payload);

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for payload in [&event, &transaction] {
        assert_eq!(text(&payload["transaction"]), format!("{}…", "ü".repeat(199)));
        assert_eq!(text(&payload["tags"]["long"]), format!("{}…", "ü".repeat(199)));
        assert_eq!(payload["tags"]["lines"], "a b");
        assert!(payload["tags"].get("empty").is_none() && payload["tags"].get("no key").is_none());
        assert_eq!(text(&payload["server_name"]).chars().count(), 200);
        assert!(text(&payload["environment"]).len() <= 64 && text(&payload["release"]).len() <= 200);
    }
    assert_eq!(transaction["contexts"]["trace"]["data"]["tags.dropped"], json!(["empty", "no key"]));
    assert!(text(&event["exception"]["values"][0]["value"]).len() <= 8_192);
    for context in ["runbook", "excerpt", "failure"] {
        assert!(event["contexts"][context].to_string().len() <= 8_192, "{context}");
    }
    assert_eq!(event["contexts"]["excerpt"]["truncated"], true);
}

/// Every parent is there before its children, and the bounds hold.
fn assert_honest(transaction: &Read, all: usize) -> Vec<&Value> {
    let payload = &transaction.payload;
    let spans: Vec<&Value> = payload["spans"].as_array().unwrap().iter().collect();
    let mut known = vec![&payload["contexts"]["trace"]["span_id"]];
    for span in &spans {
        assert!(known.contains(&&span["parent_span_id"]), "a parent was cut off");
        known.push(&span["span_id"]);
    }
    let dropped = payload["contexts"]["trace"]["data"]["spans.dropped"].as_u64().unwrap_or_default();
    assert_eq!(spans.len() + usize::try_from(dropped).unwrap(), all);
    assert!(spans.len() <= 1_000);
    assert!(payload["spans"].to_string().len() <= 819_200);
    assert!(transaction.item["length"].as_u64().unwrap() <= 1 << 20);
    spans
}

/// Chains of ten spans, the last one of which failed.
fn large(size: usize, data: usize) -> probe_core::SpanTree {
    let below = (0..size).map(|index| {
        let mut span = span(Op::HTTP_WAIT, Some(if index % 10 == 0 { 0 } else { index }), 1_000, 2_000);
        span.data = vec![("n", index.into()), ("text", "\u{1}".repeat(data).into())];
        span
    });
    let mut tree = tree(start(), below.collect());
    let class = FailureClass::Timeout;
    let mut at = Some(size);
    while let Some(index) = at {
        tree.spans[index].status = class.status();
        at = tree.spans[index].parent;
    }
    tree
}

#[test]
fn a_tree_that_is_too_large_is_cut_honestly() {
    for (size, data, kept) in [(1_000, 0, 1_000), (2_200, 0, 1_000), (900, 200, 0), (30, 40_000, 0)] {
        let report = report(check("x"), large(size, data), down(FailureClass::Timeout));
        let (_, transaction) = pair(&report);
        let spans = assert_honest(&transaction, size);
        if kept > 0 {
            assert_eq!(spans.len(), kept);
        } else {
            assert!(spans.len() < size || data > 10_000, "{size} spans of {data}");
        }
        assert_eq!(spans[spans.len() - 1]["data"]["n"], size - 1, "where it broke is kept");
    }
}

#[test]
fn data_that_is_too_large_is_named_and_the_item_stays_within_a_mebibyte() {
    let mut tree = large(2_000, 500);
    let names = ["a", "b", "c", "d", "e"];
    tree.spans[0].data = names.map(|name| (name, Value::from("\u{1}".repeat(10_000)))).to_vec();
    tree.spans[0].data.push(("small", 1.into()));
    let mut check = check(&"\u{1}".repeat(300));
    for number in 0..500 {
        check.tags.insert(format!("tag-{number:028}"), "\u{1}".repeat(200));
    }
    let (_, transaction) = pair(&report(check, tree, down(FailureClass::Timeout)));
    assert_honest(&transaction, 2_000);
    let data = &transaction.payload["contexts"]["trace"]["data"];
    assert_eq!(data["data.dropped"], json!(["b", "c", "d", "e"]));
    assert_eq!((&data["small"], data["a"].as_str().map(str::len)), (&json!(1), Some(10_000)));
    let tags = transaction.payload["tags"].as_object().unwrap().len();
    assert_eq!(tags + data["tags.dropped"].as_array().unwrap().len(), 504);
}

#[test]
fn a_sample_of_what_is_up_is_sent_and_all_that_is_not() {
    let settings = Settings { success_sample: SuccessSample::new(0.25).unwrap(), ..settings() };
    let context = |envelope: &Envelope| -> Value {
        let header = envelope.bytes.split(|byte| *byte == b'\n').next().unwrap();
        serde_json::from_slice::<Value>(header).unwrap()["trace"].clone()
    };
    let mut kept = 0;
    for _ in 0..400 {
        let up = report(check("x"), request(start()), Verdict::Up);
        let sent = envelopes(&settings, &up);
        for envelope in &sent {
            let context = context(envelope);
            assert_eq!((&context["sample_rate"], &context["sampled"]), (&"0.25".into(), &"true".into()));
            assert!(context["sample_rand"].as_str().unwrap() < "0.25", "{context}");
            kept += 1;
        }
        assert_eq!(sent.len(), usize::from(settings.success_sample.keeps(up.trace_id)));

        let tree = failed(start(), Op::HTTP_WAIT, FailureClass::Status);
        let sent = envelopes(&settings, &report(check("x"), tree, down(FailureClass::Status)));
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|envelope| context(envelope)["sample_rate"] == "1"), "a failure stands for itself");
    }
    assert!((60..=140).contains(&kept), "{kept} of 400");

    let none = Settings { success_sample: SuccessSample::new(0.0).unwrap(), ..settings };
    let up = report(check("x"), request(start()), Verdict::Up);
    assert!(envelopes(&none, &up).is_empty());
    let again = envelopes(&none, &Report { after_failure: true, ..up });
    assert_eq!((again.len(), again[0].lane), (1, Lane::Urgent), "that it is up again is sent");
    assert_eq!(context(&again[0])["sample_rate"], "1");
}
