//! Who asks in a step: credentials with templates in them.

use std::sync::Arc;

use probe_core::{Learnt, Secret};
use probe_http::{Auth, ClientAuth, Grant, OAuth2, Part};
use probe_keys::{Findings, Placed, Spot, Text};

use crate::{
    RenderError, Scope, Template, Visible,
    at_load::AtLoad,
    keys::{StepAuthKeys, StepBasicKeys, StepOAuth2Keys},
    request::Unfit,
    written::Written,
};

/// Credentials, ready to be filled.
#[derive(Debug)]
pub(crate) enum AuthTemplate {
    /// User name and password.
    Basic { username: Template, password: Template },
    /// A token.
    Bearer(Template),
    /// A source of tokens that is the same in every run: a token is kept from one run to the next. And the keys of the
    /// start that it was made of.
    Holder(Arc<OAuth2>, Vec<String>),
    /// A source of tokens that is made of each run's own keys.
    Granted(Box<GrantTemplate>),
}

/// What a token is fetched with.
#[derive(Debug)]
pub(crate) struct GrantTemplate {
    token_url: Template,
    client_id: Template,
    client_secret: Template,
    scope: Option<Template>,
    audience: Option<Template>,
    client_auth: ClientAuth,
}

/// Who asks, filled.
#[derive(Debug)]
pub(crate) enum Who {
    /// Whom the request itself names.
    Named(Auth),
    /// Whoever holds a token from there.
    Holder(Arc<OAuth2>),
}

// === impl AuthTemplate ===

impl AuthTemplate {
    /// Compiles what was written; `None` when a mistake was noted.
    pub(crate) fn compile(Placed { value: keys, spot }: &Placed<StepAuthKeys>, load: &AtLoad<'_>) -> Option<Self> {
        let AtLoad { visible, findings, .. } = load;
        match (&keys.basic, &keys.bearer, &keys.oauth2) {
            (Some(StepBasicKeys { username, password }), None, None) => {
                let username = Template::value(&username.at(findings), visible);
                let password = password
                    .as_ref()
                    .map(|password| secret(Template::value(&password.at(findings), visible), findings));
                Some(Self::Basic {
                    username: username?,
                    password: password.unwrap_or_else(|| Some(Template::plain("")))?,
                })
            }
            (None, Some(token), None) => {
                secret(Template::value(&token.at(findings), visible), findings).map(Self::Bearer)
            }
            (None, None, Some(keys)) => GrantTemplate::compile(keys, visible, findings)?.or_holder(keys, spot, load),
            (None, None, None) => {
                findings.wrong(spot, "nobody is named here: give one of `basic`, `bearer`, `oauth2`");
                None
            }
            _ => {
                findings.wrong(spot, "only one of `basic`, `bearer`, `oauth2` can ask");
                None
            }
        }
    }

    /// Who asks, filled; what is secret in it is `learnt`.
    pub(crate) fn fill(&self, scope: &Scope, learnt: &Learnt) -> Result<Who, Unfit> {
        let secret = |template: &Template| {
            let secret = Secret::new(template.render(scope)?);
            learnt.learn(template.constant().is_none().then(|| secret.clone()));
            Ok::<_, RenderError>(secret)
        };
        Ok(match self {
            Self::Basic { username, password } => {
                Who::Named(Auth::Basic { username: username.render(scope)?, password: secret(password)? })
            }
            Self::Bearer(token) => Who::Named(Auth::Bearer(secret(token)?)),
            Self::Holder(tokens, _) => Who::Holder(tokens.clone()),
            Self::Granted(grant) => {
                let tokens = OAuth2::new(grant.fill(scope, secret)?)?;
                learnt.learn(tokens.request().secrets());
                Who::Holder(tokens)
            }
        })
    }

    /// The same with these texts; none for tokens that are fetched.
    pub(crate) fn sketch(&self, mut text: impl FnMut(&Template) -> String) -> Option<Auth> {
        match self {
            Self::Basic { username, password } => {
                Some(Auth::Basic { username: text(username), password: Secret::new(text(password)) })
            }
            Self::Bearer(token) => Some(Auth::Bearer(Secret::new(text(token)))),
            Self::Holder(..) | Self::Granted(_) => None,
        }
    }

    /// Whether tokens are fetched.
    pub(crate) const fn fetches(&self) -> bool {
        matches!(self, Self::Holder(..) | Self::Granted(_))
    }

    /// The keys it names; one may come twice.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Basic { username, password } => username.keys().chain(password.keys()).collect(),
            Self::Bearer(token) => token.keys().collect(),
            Self::Holder(_, keys) => keys.iter().map(String::as_str).collect(),
            Self::Granted(grant) => grant.templates().flat_map(Template::keys).collect(),
        }
    }
}

// === impl GrantTemplate ===

impl GrantTemplate {
    fn compile(keys: &StepOAuth2Keys, visible: &Visible<'_>, findings: &Findings) -> Option<Self> {
        let template = |written: &Written<Text>| Template::value(&written.at(findings), visible);
        let optional = |written: &Option<Written<Text>>| written.as_ref().map(template);
        // All are compiled before the first bad one ends it: all mistakes at once.
        let (token_url, client_id) = (template(&keys.token_url), template(&keys.client_id));
        let client_secret = secret(template(&keys.client_secret), findings);
        let (scope, audience) = (optional(&keys.scope), optional(&keys.audience));
        Some(Self {
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?,
            scope: scope.map_or(Some(None), |scope| scope.map(Some))?,
            audience: audience.map_or(Some(None), |audience| audience.map(Some))?,
            client_auth: keys.client_auth.unwrap_or_default(),
        })
    }

    /// Where all is known at load, one source of tokens serves every run.
    fn or_holder(self, keys: &StepOAuth2Keys, spot: &Spot, load: &AtLoad<'_>) -> Option<AuthTemplate> {
        let names: Vec<String> = self.templates().flat_map(Template::keys).map(str::to_owned).collect();
        let secret = |template: &Template| template.render(load.start).map(Secret::new);
        let known = load.fill(spot, names.iter().map(String::as_str), |start| self.fill(start, secret)).ok()?;
        let Some(grant) = known else { return Some(AuthTemplate::Granted(Box::new(self))) };
        load.findings.secret(grant.client_secret.clone());
        match load.tokens.source(grant) {
            Ok(tokens) => {
                tokens.request().secrets().into_iter().for_each(|secret| load.findings.secret(secret));
                Some(AuthTemplate::Holder(tokens, names))
            }
            Err(refusals) => {
                for refusal in refusals {
                    let spot = if refusal.part == Part::Url { keys.token_url.spot() } else { spot.clone() };
                    match refusal.hint {
                        Some(hint) => load.findings.wrong_with(&spot, refusal.reason, hint),
                        None => load.findings.wrong(&spot, refusal.reason),
                    }
                }
                None
            }
        }
    }

    fn fill(
        &self,
        scope: &Scope,
        secret: impl Fn(&Template) -> Result<Secret, RenderError>,
    ) -> Result<Grant, RenderError> {
        let optional =
            |template: &Option<Template>| template.as_ref().map(|template| template.render(scope)).transpose();
        Ok(Grant {
            token_url: self.token_url.render(scope)?,
            client_id: self.client_id.render(scope)?,
            client_secret: secret(&self.client_secret)?,
            scope: optional(&self.scope)?,
            audience: optional(&self.audience)?,
            client_auth: self.client_auth,
        })
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let always = [&self.token_url, &self.client_id, &self.client_secret];
        always.into_iter().chain(&self.scope).chain(&self.audience)
    }
}

/// Notes the text of a template that is a secret as a whole.
fn secret(template: Option<Template>, findings: &Findings) -> Option<Template> {
    if let Some(text) = template.as_ref().and_then(Template::constant) {
        findings.secret(Secret::new(text));
    }
    template
}
