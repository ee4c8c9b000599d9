//! What a run holds, and what it tells of it.

use std::{sync::Arc, time::Duration};

use probe_keys::Findings;
use probe_script::{Certainty, InitKeys, Origin, Scope, Setters, Template};
use serde_json::json;

use crate::{init_keys, read, run, scope, substituted, written};

fn step(number: usize, from: &str) -> Origin {
    Origin::Step { number, from: from.to_owned() }
}

fn render(scope: &Scope, template: &str) -> Result<String, String> {
    let template = Template::parse(template).map_err(|error| error.to_string())?;
    template.render(scope).map_err(|error| error.to_string())
}

#[test]
fn a_key_that_is_absent_names_who_was_to_set_it() {
    let init = InitKeys::default();
    let mut setters = Setters::new(&init, false);
    setters.add("id", 2, "$.id", Certainty::Perhaps);
    setters.add("id", 4, "header location", Certainty::Perhaps);
    let mut scope = Scope::new(Arc::new(setters), &init, run());
    let reason = "key `id` is not set: step 2 from $.id was to set it, or step 4 from header location was to set it";
    assert_eq!(render(&scope, "/{id:>3}"), Err(format!("`{{id:>3}}`: {reason}")));
    scope.set("id", json!(17), step(2, "$.id"), false);
    assert_eq!(render(&scope, "/{id:>3}"), Ok("/ 17".to_owned()));
}

#[test]
fn an_error_tells_no_value() {
    let scope = scope(&json!({"user": {"name": "ann"}, "list": [1], "token": "hunter22"}));
    assert_eq!(render(&scope, "{user[nme]}"), Err("`{user[nme]}`: the mapping has no field `nme`".to_owned()));
    assert_eq!(render(&scope, "{list[3]}"), Err("`{list[3]}`: there is no element 3 in a list of 1".to_owned()));
    assert_eq!(render(&scope, "{list[a]}"), Err("`{list[a]}`: `[a]` cannot be taken from a list".to_owned()));
    assert_eq!(render(&scope, "{token:d}"), Err("`{token:d}`: type `d` does not go with text".to_owned()));
    assert_eq!(
        render(&scope, "{list:>3}"),
        Err("`{list:>3}`: a list cannot be written by a format spec: `!s` makes text of it first".to_owned())
    );
}

#[test]
fn every_key_can_say_where_it_came_from() {
    let mut scope = scope(&json!({"user": "ann"}));
    scope.set("token", json!("t".repeat(812)), step(1, "$.access_token"), false);
    scope.set("id", json!(17), step(2, "$.id"), false);
    scope.set("names", json!(["a quite long name", "and another one of these", "x"]), step(2, "$..name"), false);
    assert_eq!(
        scope.origins(["token", "id", "token", "now", "user"]),
        "key `token`, set by step 1 from $.access_token, 812 bytes; key `id` = 17, set by step 2 from $.id; key `user` = ann, \
         set by `init_keys`"
    );
    assert_eq!(
        scope.origins(["names"]),
        "key `names` = ['a quite long name', 'and another one o…, set by step 2 from $..name, a list of 3"
    );
}

#[test]
fn secrets_are_kept_even_when_their_key_is_set_anew() {
    let mut scope = scope(&json!({}));
    scope.set("session", json!("first one"), step(1, "cookie sid"), false);
    scope.set("session", json!("second one"), step(2, "cookie sid"), false);
    scope.set("page", json!({"number": 2, "csrf": "third one"}), step(2, "$"), false);
    let secrets = scope.take_secrets();
    let secrets: Vec<&str> = secrets.iter().map(probe_core::Secret::expose).collect();
    assert_eq!(secrets, ["first one", "second one", "third one"]);
    assert!(scope.held("session").unwrap().masked);
    let debug = format!("{scope:?}");
    assert!(!debug.contains("second one") && !debug.contains("third one"), "{debug}");
}

#[test]
fn init_keys_are_secret_by_substitution_or_by_name() {
    let mut node = written(&json!({"user": "ann", "password": "hunter22", "page": 2}));
    let probe_keys::Value::Mapping(entries) = &mut node.value else { panic!("{node:?}") };
    entries[0].node = substituted("env-user");
    let findings = Findings::default();
    let init = <InitKeys as probe_keys::Read>::read(&probe_keys::At::root(&node, &findings)).unwrap();
    let secrets = findings.into_parts().1;
    assert_eq!(secrets.iter().map(probe_core::Secret::expose).collect::<Vec<_>>(), ["env-user", "hunter22"]);
    let scope = Scope::new(Arc::new(Setters::new(&init, false)), &init, run());
    assert_eq!(["user", "password", "page"].map(|key| scope.held(key).unwrap().masked), [true, true, false]);
    assert_eq!(read(&written(&json!([1])), <InitKeys as probe_keys::Read>::read).1.len(), 1);
}

#[test]
fn built_in_keys_tell_the_run_the_time_and_the_place() {
    let mut scope = scope(&json!({}));
    let all = render(&scope, "{run_id} {now} {now_unix:d} {location}");
    assert_eq!(all.as_deref(), Ok("run-7 2023-11-14T22:13:20.250Z 1700000000 fra"));
    scope.tell_time(run().now + Duration::from_secs(5));
    assert_eq!(render(&scope, "{now}").as_deref(), Ok("2023-11-14T22:13:25.250Z"));
    let uuids = render(&scope, "{uuid} {uuid}").unwrap();
    let (one, other) = uuids.split_once(' ').unwrap();
    assert_ne!(one, other);
    assert_eq!((one.len(), one.as_bytes()[14]), (36, b'4'));
}

#[test]
fn a_key_of_the_users_own_stands_before_a_built_in_one() {
    let keys = json!({"location": "my place"});
    assert_eq!(render(&scope(&keys), "{location}").as_deref(), Ok("my place"));
    let init = init_keys(&json!({}));
    let mut setters = Setters::new(&init, false);
    setters.add("uuid", 1, "$.uuid", Certainty::Perhaps);
    let scope = Scope::new(Arc::new(setters), &init, run());
    let reason = "`{uuid}`: key `uuid` is not set: step 1 from $.uuid was to set it";
    assert_eq!(render(&scope, "{uuid}"), Err(reason.to_owned()));
}
