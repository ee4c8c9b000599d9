//! Chains of requests against a small shop: log in, create, wait, read, delete.

mod failures;
mod journey;
mod keys;
mod limits;

use sentrynet::check::Check;

use crate::support::{
    app::App,
    probe::{Ran, config, run},
};

/// The check of a script with these keys beside `probe` and `title`, indented by none; `{base}` leads to the shop.
fn script(app: &App, keys: &str) -> Check {
    check(&format!("init_keys: {{base: \"{}\"}}\n{keys}", app.base()))
}

fn check(keys: &str) -> Check {
    let keys: String = keys.lines().map(|line| format!("        {line}\n")).collect();
    config(&format!("groups:\n  - probes:\n      - probe: script\n        title: Shop\n{keys}")).checks.remove(0)
}

async fn ran(app: &App, keys: &str) -> Ran {
    run(&script(app, keys)).await
}
