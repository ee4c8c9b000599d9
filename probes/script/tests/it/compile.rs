//! What is found when a script is loaded.

use probe_core::Secret;
use probe_keys::{Node, Place, Text, Value as Written};
use probe_script::{Certainty, Setters, Template, UrlTemplate, ValueTemplate};
use serde_json::{Value, json};

use crate::{init_keys, read, scope, substituted, written};

/// `init_keys` sets `user`; step 1 sets `token` for sure, step 2 perhaps `id`, step 3 `late`.
fn setters() -> Setters {
    let mut setters = Setters::new(&init_keys(&json!({"user": "ann"})), false);
    setters.add("token", 1, "$.access_token", Certainty::Sure);
    setters.add("id", 2, "$.id", Certainty::Perhaps);
    setters.add("late", 3, "header etag", Certainty::Perhaps);
    setters
}

fn complaints(text: &str) -> Vec<String> {
    read(&written(&text.into()), |at| Template::compile(at, &setters().before(3))).1
}

#[test]
fn a_key_that_nothing_sets_is_a_mistake_with_the_nearest_name() {
    assert_eq!(complaints("{user} {token} {id} {uuid} {now} {now_unix} {run_id}"), [""; 0]);
    assert_eq!(complaints("{tokn}{tokn}"), [": nothing sets the key `tokn` (did you mean `token`?)"]);
    assert_eq!(complaints("{ user}"), [": nothing sets the key ` user` (did you mean `user`?)"]);
    assert_eq!(
        complaints("{elsewhere[0]:{wide}}"),
        [
            ": nothing sets the key `elsewhere` (set before this step: id, now, now_unix, run_id, token, user, uuid)",
            ": nothing sets the key `wide` (set before this step: id, now, now_unix, run_id, token, user, uuid)"
        ]
    );
    let rule = "a step can name what `init_keys` and the steps before it set";
    assert_eq!(complaints("{late}"), [format!(": key `late` is set by this step itself, from its answer ({rule})")]);
    let early = read(&written(&"{late}".into()), |at| Template::compile(at, &setters().before(2))).1;
    assert_eq!(early, [format!(": key `late` is set only later, by step 3 ({rule})")]);
    assert_eq!(complaints("{location}"), [": key `location` has no value (set `location` at the top of the file)"]);
}

#[test]
fn it_is_known_which_keys_may_be_absent() {
    let setters = setters();
    let certainty = |key| setters.before(3).certainty(key);
    assert_eq!(["user", "token", "id", "late", "uuid"].map(certainty), {
        use Certainty::{Perhaps, Sure};
        [Some(Sure), Some(Sure), Some(Perhaps), None, Some(Sure)]
    });
    assert_eq!(setters.before_always(3).certainty("token"), Some(Certainty::Perhaps));
    assert_eq!(setters.before_always(3).certainty("user"), Some(Certainty::Sure));
}

#[test]
fn a_mistake_says_what_to_do_about_it() {
    for (text, reason) in [
        ("{user", "`{user` is never closed: write `{{` for a brace that is to stay"),
        ("a } b", "a `}` that closes nothing: write `}}` for a brace that is to stay"),
        ("{}", "`{}` counts its fields: a template names keys, as in `{id}`; write `{{` for a brace that is to stay"),
        (
            "{user!x}",
            "`{user!x}`: unknown conversion `!x`; there are `!s` (text), `!r` (in quotes) and `!a` (in quotes, ASCII only)",
        ),
        ("{user:q}", "`{user:q}`: type `q` does not go with any value"),
        ("{user!s:d}", "`{user!s:d}`: type `d` does not go with text"),
        ("{user:.}", "`{user:.}`: the precision is missing after `.`"),
        (
            "{user:>>10x8}",
            "`{user:>>10x8}`: `>>10x8` is not a format spec: [[fill]align][sign][#][0][width][grouping][.precision][type]",
        ),
    ] {
        assert_eq!(complaints(text), [format!(": {reason} ()")]);
    }
    let json = complaints(r#"{"user": "{user}"}"#);
    assert!(json[0].contains("write the body as a mapping, and it is sent as JSON"), "{json:?}");
    let json = complaints(r#"{"user": "}"#);
    assert!(json[0].contains("write the body as a mapping, and it is sent as JSON"), "{json:?}");
}

#[test]
fn all_mistakes_of_a_body_are_found_at_their_places() {
    let body = written(&json!({"a": ["{user}", "{x"], "b": {"c": "{idd}", "{y": 1}}));
    let (value, told) = read(&body, |at| ValueTemplate::compile(at, &setters().before(3)));
    assert!(value.is_none());
    assert_eq!(told.iter().map(|told| told.split(':').next().unwrap()).collect::<Vec<_>>(), ["a[1]", "b.c"]);
}

#[test]
fn text_that_is_just_a_keys_name_stands_for_its_value_with_its_type() {
    let keys = json!({"test": true, "list": [1, {"a": null}], "now": "mine", "n": 1.5});
    let body =
        json!({"thing": "test", "test": "{test}", "deep": [["list"], "n", "uuid", "now", "Test", "test "], "n": 3});
    let setters = Setters::new(&init_keys(&keys), true);
    let (value, told) = read(&written(&body), |at| ValueTemplate::compile(at, &setters.before(1)));
    assert_eq!(told, [""; 0]);
    let value = value.unwrap();
    assert_eq!(
        value.render(&scope(&keys)).unwrap(),
        json!({"thing": true, "test": "true", "deep": [[[1, {"a": null}]], 1.5, "uuid", "mine", "Test", "test "], "n": 3})
    );
    assert_eq!(value.keys(), ["test", "test", "list", "n", "now"]);
}

#[test]
fn what_came_by_substitution_is_never_a_template() {
    let keys = json!({"user": "ann"});
    let setters = Setters::new(&init_keys(&keys), true);
    let body = |node: &Node| {
        let (value, told) = read(node, |at| ValueTemplate::compile(at, &setters.before(1)));
        value.unwrap_or_else(|| panic!("{told:?}")).render(&scope(&keys)).unwrap()
    };
    assert_eq!(body(&substituted("user")), "user");
    assert_eq!(body(&substituted("p{a}s}s{")), "p{a}s}s{");
    let text = Text { text: "{user}:p{s".to_owned(), secrets: vec![Secret::new("p{s")] };
    assert_eq!(body(&Node { value: Written::Text(text), place: Place::default() }), "ann:p{s");
}

/// The URL, filled with these keys.
fn url(template: &str, keys: &Value) -> Result<String, String> {
    let setters = Setters::new(&init_keys(keys), true);
    let (url, told) = read(&written(&template.into()), |at| UrlTemplate::compile(at, &setters.before(1)));
    url.ok_or_else(|| told.join("; "))?.render(&scope(keys)).map_err(|error| error.to_string())
}

#[test]
fn what_is_inserted_into_a_url_stays_in_its_part() {
    let keys = json!({
        "base": "https://h:8443/api?v=1", "host": "h:8443", "id": "a/b?c=d&e#f g", "ü": "ü~-._", "n": 17, "s": "s",
        "api": "https://h/api/", "site": "https://h", "path": "/things", "link": "/a/b?c=d", "climb": "/a/%2E./b", "none": "", "up": "..", "at": "u@h", "user": "a@b", "pass": "p/:w", "scheme": "http",
    });
    let url = |template| url(template, &keys);
    for (template, expected) in [
        (
            "https://h/things/{id}?q={id}#{id}",
            "https://h/things/a%2Fb%3Fc%3Dd%26e%23f%20g?q=a%2Fb%3Fc%3Dd%26e%23f%20g#a%2Fb%3Fc%3Dd%26e%23f%20g",
        ),
        ("https://h/{ü}/{n:05d}", "https://h/%C3%BC~-._/00017"),
        ("{base}", "https://h:8443/api?v=1"),
        ("{base}&n={user}", "https://h:8443/api?v=1&n=a%40b"),
        ("{site}{path}", "https://h/things"),
        ("{site}{link}", "https://h/a/b?c=d"),
        ("{site}{none}", "https://h"),
        ("{api}{s}", "https://h/api/s"),
        ("{site}{path}-{id}", "https://h/things-a%2Fb%3Fc%3Dd%26e%23f%20g"),
        ("{site}:{n}/{path}", "https://h:17/%2Fthings"),
        ("{scheme}://{host}/{n}", "http://h:8443/17"),
        ("http{s}://{host}/?next={base}", "https://h:8443/?next=https%3A%2F%2Fh%3A8443%2Fapi%3Fv%3D1"),
        ("https://{user}:{pass}@{host}/@{user}", "https://a%40b:p%2F%3Aw@h:8443/@a%40b"),
        ("https://h/?dots={up}", "https://h/?dots=.."),
    ] {
        assert_eq!(url(template).as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(
        url("https://h/things/{up}/x").unwrap_err(),
        "`{up}`: key `up` holds only dots, which cannot stand in the path of a URL"
    );
    assert_eq!(
        url("https://{at}/x").unwrap_err(),
        "`{at}`: key `at` holds an `@`, which cannot stand in the host of a URL"
    );
    for (template, found) in [
        ("{site}{at}", "more than what follows a host"),
        ("{site}{s}", "more than what follows a host"),
        ("{site}{climb}", "a way up"),
        ("{api}{up}", "a way up"),
    ] {
        assert!(url(template).unwrap_err().contains(&format!("holds {found}, which")), "{template}");
    }
    assert!(url("https://{path}").unwrap_err().contains("holds a `/`"));
    assert!(url("{site}.{path}").unwrap_err().contains("holds a `/`"));
    for template in ["/things/{id}", "things", "ftp://h/{id}", "http", "h://{id}"] {
        assert!(url(template).unwrap_err().contains("does not begin with `http://`"), "{template}");
    }
}
