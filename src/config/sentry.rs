//! The key `sentry` to settings of the sink.

use probe_core::Secret;
use probe_keys::{Findings, Placed, Spot};

use super::{
    delivery,
    environment::{Environment, Variable},
    keys::Sentry,
    line::Line,
};
use crate::{
    report::sentry::{
        Dsn, DsnError, Settings,
        limits::{ENVIRONMENT, RELEASE},
    },
    trace::{Propagate, Tracing},
};

/// Where the DSN is looked for when the file gives none.
const DSN: &str = "SENTRY_DSN";

/// Where results go; `None` when nothing is sent, or a mistake was noted.
pub(super) fn settings(
    Placed { value: sentry, spot }: Placed<Sentry>,
    location: Option<String>,
    environment: &Environment,
    findings: &Findings,
) -> Option<Settings> {
    let sending = environment.sending().unwrap_or_else(|reason| {
        findings.wrong(&spot, reason);
        false
    });
    let sending = sending && sentry.enabled != Some(false);
    lint(&sentry, findings);
    let delivery = delivery::settings(sentry.spool, sentry.ca.as_ref(), sentry.proxy.as_ref(), findings);
    let written = sentry.dsn.map(|dsn| (dsn.value.text, dsn.spot));
    let found = written.or_else(|| match environment.variable(DSN) {
        Variable::Text(text) => Some((text, spot.clone())),
        Variable::NotText | Variable::Unset => None,
    });
    let Some((text, place)) = found.filter(|(text, _)| !text.is_empty()) else {
        if sending {
            let hint = format!("give `dsn` or set {DSN}; `enabled: false` says that this is meant");
            findings.warn(&spot, "there is no DSN: nothing will be sent", hint);
        }
        return None;
    };
    let dsn = dsn(text, &place, findings)?;
    let delivery = delivery?;
    let server_name = sentry.server_name.map_or_else(|| environment.host().to_owned(), |Line(name)| name);
    let heartbeat = (sentry.heartbeat == Some(true)).then(|| location.unwrap_or_else(|| server_name.clone()));
    sending.then(|| Settings {
        dsn,
        heartbeat,
        success_sample: sentry.success_sample.map(|sample| sample.0).unwrap_or_default(),
        environment: sentry.environment.map_or_else(|| "production".to_owned(), |placed| placed.value.0),
        release: sentry
            .release
            .map_or_else(|| concat!("sentrynet@", env!("CARGO_PKG_VERSION")).to_owned(), |placed| placed.value.0),
        server_name,
        delivery,
    })
}

/// What traces say of this daemon, and what of them goes out; of this daemon nothing when nothing is sent.
pub(super) fn tracing(settings: Option<&Settings>, propagate: Propagate) -> Tracing {
    Tracing {
        public_key: settings.map(|settings| settings.dsn.public_key().to_owned()),
        release: settings.map(|settings| settings.release.clone()),
        environment: settings.map(|settings| settings.environment.clone()),
        propagate,
        success_sample: settings.map(|settings| settings.success_sample).unwrap_or_default(),
    }
}

fn dsn(text: String, spot: &Spot, findings: &Findings) -> Option<Dsn> {
    // The public key alone is no secret: targets see it in `baggage`. The whole is, and the old secret part.
    let password = url::Url::parse(&text).ok().and_then(|url| url.password().map(Secret::new));
    let dsn = text.parse().map_err(|error: DsnError| findings.wrong(spot, error.to_string())).ok();
    password.into_iter().chain([Secret::new(text)]).for_each(|secret| findings.secret(secret));
    dsn
}

/// What Sentry would drop without a word. It counts bytes where people count characters.
fn lint(sentry: &Sentry, findings: &Findings) {
    let environment = sentry.environment.as_ref().map(|name| (&name.value.0, &name.spot, ENVIRONMENT));
    let release = sentry.release.as_ref().map(|name| (&name.value.0, &name.spot, RELEASE));
    for (line, spot, most) in [environment, release].into_iter().flatten() {
        if line.len() > most {
            findings.wrong(spot, format!("{} bytes are too many: Sentry takes {most}", line.len()));
        }
    }
    if let Some(Placed { value: Line(name), spot }) = &sentry.environment
        && name.contains('/')
    {
        findings.wrong(spot, "Sentry takes no `/` in an environment");
    }
    if let Some(Placed { value: Line(name), spot }) = &sentry.release
        && name.contains(['/', '\\'])
    {
        findings.wrong(spot, "Sentry takes no `/` and no `\\` in a release");
    }
}
