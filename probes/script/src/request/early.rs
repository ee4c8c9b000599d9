//! What is wrong with a request whatever the answers will be: what `init_keys` alone fill is filled at load.

use probe_http::{Asked, AskedHeader, Part, Refusal, Request};
use probe_keys::{Findings, Spot, Value as Written};

use super::RequestTemplate;
use crate::{
    StepKeys,
    at_load::{AtLoad, Noted},
    auth::AuthTemplate,
};

/// What stands for a value that only a run knows.
const UNKNOWN: &str = "x";

/// Where the parts of a request are written.
struct Spots {
    url: Spot,
    headers: Vec<Spot>,
    auth: Spot,
}

// === impl RequestTemplate ===

impl RequestTemplate {
    /// Whether all that is known of it at load makes a request; each mistake is noted, and so are the secrets that stand
    /// in the file.
    pub(super) fn is_sound(&self, keys: &StepKeys, load: &AtLoad<'_>) -> bool {
        let spots = Spots::new(keys, load.findings);
        let mut sound = self.pairs_and_body_fill(keys, load);
        // A mistake does not keep the other parts from being looked at: all mistakes at once.
        let mut or_unknown = |text: Result<Option<String>, Noted>| {
            sound &= text.is_ok();
            text.ok().flatten()
        };
        let url = or_unknown(load.fill(&spots.url, self.url.keys(), |start| self.url.render(start)));
        let headers: Vec<_> = self
            .headers
            .iter()
            .zip(&spots.headers)
            .map(|(header, spot)| (header, or_unknown(load.text(spot, &header.value))))
            .collect();
        let auth = self.auth.as_ref().and_then(|auth| {
            auth.sketch(|template| or_unknown(load.text(&spots.auth, template)).unwrap_or_else(|| UNKNOWN.to_owned()))
        });
        let headers_asked = |known: bool| {
            let headers = headers.iter().filter(move |(_, value)| !known || value.is_some());
            headers.map(|(header, value)| AskedHeader {
                name: header.name.clone(),
                value: value.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
                secret: header.secret,
            })
        };
        let asked = Asked {
            url: url.unwrap_or_else(|| format!("http://{UNKNOWN}/")),
            headers: headers_asked(false).collect(),
            auth,
            ..Asked::default()
        };
        match Request::build(asked.clone()) {
            Ok(request) if self.auth.as_ref().is_some_and(AuthTemplate::fetches) && request.is_authorized() => {
                load.findings.wrong(&spots.auth, "there are credentials in the URL, or in a header, already");
                false
            }
            Ok(_) => {
                let known = Asked { headers: headers_asked(true).collect(), auth: None, ..asked };
                let secrets = Request::build(known).map(|request| request.secrets()).unwrap_or_default();
                secrets.into_iter().for_each(|secret| load.findings.secret(secret));
                sound
            }
            Err(refusals) => {
                refusals.into_iter().for_each(|refusal| spots.note(refusal, load.findings));
                false
            }
        }
    }

    fn pairs_and_body_fill(&self, keys: &StepKeys, load: &AtLoad<'_>) -> bool {
        let query = keys.query.as_ref().map(|query| {
            load.fill(&query.spot(), self.query.keys(), |start| self.query.render(start).map(drop)).is_ok()
        });
        let spot = keys.body.as_ref().map(|body| body.spot()).or(keys.form.as_ref().map(|form| form.spot()));
        let body =
            spot.map(|spot| load.fill(&spot, self.body.keys(), |start| self.body.render(start).map(drop)).is_ok());
        query.unwrap_or(true) & body.unwrap_or(true)
    }
}

// === impl Spots ===

impl Spots {
    fn new(keys: &StepKeys, findings: &Findings) -> Self {
        let url = keys.url.spot();
        let headers = keys.headers.as_ref().map(|headers| headers.at(findings)).map_or_else(Vec::new, |at| {
            let Written::Mapping(entries) = &at.node.value else { return Vec::new() };
            entries.iter().map(|entry| at.key(&entry.key, &entry.node).spot()).collect()
        });
        let auth = keys.auth.as_ref().map_or_else(|| url.clone(), |auth| auth.spot.clone());
        Self { url, headers, auth }
    }

    fn note(&self, refusal: Refusal, findings: &Findings) {
        let spot = match refusal.part {
            Part::HeaderName(index) | Part::HeaderValue(index) => self.headers.get(index).unwrap_or(&self.url),
            Part::Auth => &self.auth,
            Part::Url => &self.url,
        };
        match refusal.hint {
            Some(hint) => findings.wrong_with(spot, refusal.reason, hint),
            None => findings.wrong(spot, refusal.reason),
        }
    }
}
