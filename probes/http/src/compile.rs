//! What was written of a request to a request: every mistake at its place.

use std::sync::Arc;

use http::Method;
use probe_core::Secret;
use probe_keys::{Findings, Map, OneOrMany, Placed, Spot, Text};

use crate::{
    AskedKeys, Auth,
    asked::{Asked, AskedHeader, Part, Payload},
    keys::{AuthKeys, BasicKeys, Body, OAuth2Keys, Scalar},
    oauth::{Grant, OAuth2},
    request::Request,
    tokens::Tokens,
};

/// Who asks, as it was written.
enum Who {
    /// Whom the request itself names.
    Named(Auth),
    /// Whoever holds a token from there.
    Holder(Arc<OAuth2>),
}

/// Compiles what was written to a request, and the source of its tokens where there is one; `None` when a mistake was
/// noted.
pub(crate) fn request(
    keys: &AskedKeys,
    tokens: &Tokens,
    findings: &Findings,
) -> Option<(Request, Option<Arc<OAuth2>>)> {
    let who = keys.auth.as_ref().map(|auth| self::auth(auth, tokens, findings));
    let (auth, tokens, mistaken) = match who {
        None => (None, None, false),
        Some(None) => (None, None, true),
        Some(Some(Who::Named(auth))) => (Some(auth), None, false),
        Some(Some(Who::Holder(tokens))) => (None, Some(tokens), false),
    };
    let sound = body_is_one(keys, findings);
    let method: Option<Method> = keys.method.as_ref().map(|method| method.0.clone());
    let headers = keys.headers.as_ref().map_or(&[][..], |headers| &headers.0);
    let asked = Asked {
        method,
        url: keys.url.value.text.clone(),
        query: pairs(keys.query.as_ref()),
        headers: headers.iter().map(|(name, value)| header(&name.value, &value.value.0)).collect(),
        body: match (&keys.body, &keys.form) {
            (Some(Body::Text(text)), _) => Payload::Text(text.text.clone()),
            (Some(Body::Json(json)), _) => Payload::Json(json.clone()),
            (None, Some(form)) => Payload::Form(pairs(Some(&form.value))),
            (None, None) => Payload::Empty,
        },
        auth,
    };
    let auth_spot = || keys.auth.as_ref().map_or(&keys.url.spot, |auth| &auth.spot);
    match Request::build(asked) {
        Ok(request) => {
            request.secrets().into_iter().for_each(|secret| findings.secret(secret));
            let twice = tokens.is_some() && request.is_authorized();
            if twice {
                findings.wrong(auth_spot(), "there are credentials in the URL, or in a header, already");
            }
            // A mistake in `auth`, or two bodies: noted already.
            (sound && !mistaken && !twice).then_some((request, tokens))
        }
        Err(refusals) => {
            for refusal in refusals {
                let spot = match refusal.part {
                    Part::Url => &keys.url.spot,
                    Part::HeaderName(index) => headers.get(index).map_or(&keys.url.spot, |(name, _)| &name.spot),
                    Part::HeaderValue(index) => headers.get(index).map_or(&keys.url.spot, |(_, value)| &value.spot),
                    Part::Auth => auth_spot(),
                };
                match refusal.hint {
                    Some(hint) => findings.wrong_with(spot, refusal.reason, hint),
                    None => findings.wrong(spot, refusal.reason),
                }
            }
            None
        }
    }
}

fn body_is_one(keys: &AskedKeys, findings: &Findings) -> bool {
    let Some(form) = keys.form.as_ref().filter(|_| keys.body.is_some()) else { return true };
    findings.wrong_with(&form.spot, "there is a `body` already", "a form is a body: leave one of the two out");
    false
}

fn pairs(map: Option<&Map<OneOrMany<Scalar>>>) -> Vec<(String, String)> {
    let pairs = map.iter().flat_map(|map| &map.0);
    pairs
        .flat_map(|(name, values)| values.0.iter().map(|Scalar(value)| (name.value.clone(), value.text.clone())))
        .collect()
}

fn header(name: &str, value: &Text) -> AskedHeader {
    AskedHeader { name: name.to_owned(), value: value.text.clone(), secret: value.is_secret() }
}

fn auth(Placed { value: keys, spot }: &Placed<AuthKeys>, tokens: &Tokens, findings: &Findings) -> Option<Who> {
    match (&keys.basic, &keys.bearer, &keys.oauth2) {
        (Some(BasicKeys { username, password }), None, None) => {
            let password = password.clone().unwrap_or_else(|| Secret::new(""));
            Some(Who::Named(Auth::Basic { username: username.text.clone(), password }))
        }
        (None, Some(token), None) => Some(Who::Named(Auth::Bearer(token.clone()))),
        (None, None, Some(keys)) => oauth2(keys, spot, tokens, findings).map(Who::Holder),
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

fn oauth2(keys: &OAuth2Keys, spot: &Spot, tokens: &Tokens, findings: &Findings) -> Option<Arc<OAuth2>> {
    let grant = Grant {
        token_url: keys.token_url.value.text.clone(),
        client_id: keys.client_id.text.clone(),
        client_secret: keys.client_secret.clone(),
        scope: keys.scope.as_ref().map(|scope| scope.text.clone()),
        audience: keys.audience.as_ref().map(|audience| audience.text.clone()),
        client_auth: keys.client_auth.unwrap_or_default(),
    };
    match tokens.source(grant) {
        Ok(oauth) => {
            oauth.request().secrets().into_iter().for_each(|secret| findings.secret(secret));
            Some(oauth)
        }
        Err(refusals) => {
            for refusal in refusals {
                let spot = if refusal.part == Part::Url { &keys.token_url.spot } else { spot };
                match refusal.hint {
                    Some(hint) => findings.wrong_with(spot, refusal.reason, hint),
                    None => findings.wrong(spot, refusal.reason),
                }
            }
            None
        }
    }
}
