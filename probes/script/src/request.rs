//! The request of a step: what is asked, with templates in it.

mod early;

use std::sync::Arc;

use http::Method;
use probe_core::{Failure, FailureClass, Learnt};
use probe_http::{Asked, AskedHeader, OAuth2, Payload, Request};
use probe_keys::{At, Findings, Value as Written};
use serde_json::Value;

use crate::{
    Reason, RenderError, Scope, StepKeys, Template, UrlTemplate, ValueTemplate, Visible,
    at_load::AtLoad,
    auth::{AuthTemplate, Who},
    pairs::Pairs,
};

/// A request, ready to be filled.
#[derive(Debug)]
pub(crate) struct RequestTemplate {
    method: Option<Method>,
    url: UrlTemplate,
    query: Pairs,
    headers: Vec<HeaderTemplate>,
    body: BodyTemplate,
    auth: Option<AuthTemplate>,
}

#[derive(Debug)]
struct HeaderTemplate {
    name: String,
    value: Template,
    /// Whether some of it came by substitution.
    secret: bool,
}

#[derive(Debug)]
enum BodyTemplate {
    Empty,
    Value(ValueTemplate),
    Form(Pairs),
}

/// A request, filled, and where its token comes from.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) request: Request,
    pub(crate) tokens: Option<Arc<OAuth2>>,
}

/// Why the keys of this run make no request.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// A template cannot be filled.
    Unfilled(RenderError),
    /// It was filled with what no request can hold.
    Refused(Box<Failure>),
}

// === impl RequestTemplate ===

impl RequestTemplate {
    /// Compiles what was written for a step that sees these keys; `None` when a mistake was noted.
    pub(crate) fn compile(keys: &StepKeys, load: &AtLoad<'_>) -> Option<Self> {
        let AtLoad { visible, findings, .. } = load;
        // All is compiled before the first bad one ends it: all mistakes at once.
        let url = UrlTemplate::compile(&keys.url.at(findings), visible);
        let pairs = |at: Option<At<'_>>| at.map_or_else(|| Some(Pairs::default()), |at| Pairs::compile(&at, visible));
        let query = pairs(keys.query.as_ref().map(|query| query.at(findings)));
        let headers = headers(keys, visible, findings);
        let body = body(keys, visible, findings);
        let auth = keys.auth.as_ref().map(|auth| AuthTemplate::compile(auth, load));
        let template = Self {
            method: keys.method.as_ref().map(|method| method.0.clone()),
            url: url?,
            query: query?,
            headers: headers?,
            body: body?,
            auth: auth.map_or(Some(None), |auth| auth.map(Some))?,
        };
        template.is_sound(keys, load).then_some(template)
    }

    /// The method; when none is given, `GET`, or `POST` with a body.
    pub(crate) fn method(&self) -> Method {
        let usual = if matches!(self.body, BodyTemplate::Empty) { Method::GET } else { Method::POST };
        self.method.clone().unwrap_or(usual)
    }

    /// Whether it has a `host` header of its own.
    pub(crate) fn names_host(&self) -> bool {
        self.headers.iter().any(|header| header.name.eq_ignore_ascii_case("host"))
    }

    /// The URL with its keys.
    pub(crate) const fn url(&self) -> &UrlTemplate {
        &self.url
    }

    /// The request of a URL that is known at load, and nothing beside it.
    pub(crate) fn known(&self, keys: &StepKeys, load: &AtLoad<'_>) -> Option<Request> {
        let url = load.fill(&keys.url.spot(), self.url.keys(), |start| self.url.render(start)).ok()??;
        Request::build(Asked { url, ..Asked::default() }).ok()
    }

    /// The request of a run; what is secret in it beyond its keys is `learnt`.
    pub(crate) fn fill(&self, scope: &Scope, learnt: &Learnt) -> Result<Filled, Unfit> {
        let headers = self.headers.iter().map(|header| {
            let value = header.value.render(scope)?;
            let secret =
                header.secret || header.value.keys().any(|key| scope.held(key).is_some_and(|held| held.masked));
            Ok(AskedHeader { name: header.name.clone(), value, secret })
        });
        let headers = headers.collect::<Result<Vec<_>, RenderError>>()?;
        let who = self.auth.as_ref().map(|auth| auth.fill(scope, learnt)).transpose()?;
        let (auth, tokens) = match who {
            None => (None, None),
            Some(Who::Named(auth)) => (Some(auth), None),
            Some(Who::Holder(tokens)) => (None, Some(tokens)),
        };
        let request = Request::new(Asked {
            method: self.method.clone(),
            url: self.url.render(scope)?,
            query: self.query.render(scope)?,
            headers,
            body: self.body.render(scope)?,
            auth,
        })?;
        learnt.learn(request.secrets());
        Ok(Filled { request, tokens })
    }

    /// The keys it names, each once, in the order of use.
    pub(crate) fn keys(&self) -> Vec<String> {
        let headers = self.headers.iter().flat_map(|header| header.value.keys());
        let auth = self.auth.iter().flat_map(AuthTemplate::keys);
        let all = self.url.keys().chain(self.query.keys()).chain(headers).chain(auth).chain(self.body.keys());
        let mut keys: Vec<String> = Vec::new();
        for key in all {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        }
        keys
    }
}

// === impl BodyTemplate ===

impl BodyTemplate {
    fn render(&self, scope: &Scope) -> Result<Payload, RenderError> {
        Ok(match self {
            Self::Empty => Payload::Empty,
            Self::Form(pairs) => Payload::Form(pairs.render(scope)?),
            Self::Value(value) => match value.render(scope)? {
                Value::String(text) => Payload::Text(text),
                json => Payload::Json(json),
            },
        })
    }

    fn keys(&self) -> Vec<&str> {
        match self {
            Self::Empty => Vec::new(),
            Self::Form(pairs) => pairs.keys().collect(),
            Self::Value(value) => value.keys(),
        }
    }
}

// === impl Unfit ===

impl Unfit {
    /// Whether a key has no value, so that there is nothing to ask for.
    pub(crate) const fn is_absence(&self) -> bool {
        matches!(self, Self::Unfilled(RenderError { reason: Reason::Absent { .. }, .. }))
    }
}

impl From<RenderError> for Unfit {
    fn from(error: RenderError) -> Self {
        Self::Unfilled(error)
    }
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        Self::Refused(Box::new(failure))
    }
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            // The value came, or did not come, with an answer.
            Unfit::Unfilled(error) => Self::new(FailureClass::Body, format!("the request cannot be made: {error}")),
            Unfit::Refused(failure) => *failure,
        }
    }
}

fn headers(keys: &StepKeys, visible: &Visible<'_>, findings: &Findings) -> Option<Vec<HeaderTemplate>> {
    let Some(written) = &keys.headers else { return Some(Vec::new()) };
    let at = written.at(findings);
    let Written::Mapping(entries) = &at.node.value else { return Some(Vec::new()) };
    let one = |entry: &probe_keys::Entry| {
        let mut secret = false;
        entry.node.value.texts(&mut |text| secret |= text.is_secret());
        let value = Template::value(&at.key(&entry.key, &entry.node), visible)?;
        Some(HeaderTemplate { name: entry.key.clone(), value, secret })
    };
    let each: Vec<Option<HeaderTemplate>> = entries.iter().map(one).collect();
    each.into_iter().collect()
}

fn body(keys: &StepKeys, visible: &Visible<'_>, findings: &Findings) -> Option<BodyTemplate> {
    let body = keys.body.as_ref().map(|body| body.at(findings)).filter(|at| at.node.value != Written::Null);
    let form = keys.form.as_ref().map(|form| form.at(findings));
    if let (Some(_), Some(form)) = (&body, &form) {
        form.wrong_with("there is a `body` already", "a form is a body: leave one of the two out");
    }
    let read = [
        body.as_ref().map(|at| ValueTemplate::compile(at, visible).map(BodyTemplate::Value)),
        form.as_ref().map(|at| Pairs::compile(at, visible).map(BodyTemplate::Form)),
    ];
    match read {
        [None, None] => Some(BodyTemplate::Empty),
        [Some(one), None] | [None, Some(one)] => one,
        [Some(_), Some(_)] => None,
    }
}
