//! Tokens by client credentials (RFC 6749, 4.4): fetched when needed, kept until shortly before they expire.

use std::{fmt, sync::Arc, time::Duration};

use http::Method;
use probe_core::{Failure, FailureClass, Secret};
use serde_json::Value as Json;
use tokio::{sync::Mutex, time::Instant};
use url::form_urlencoded;

use crate::{
    asked::{Asked, Payload, Refusal},
    auth::{self, Auth},
    exchange::Hop,
    keys::ClientAuth,
    request::Request,
    target::shown,
};

/// The most that a token is given up before it expires; of a short life, a tenth.
const MARGIN: Duration = Duration::from_secs(30);

/// What a token is fetched with, in values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The token endpoint.
    pub token_url: String,
    /// The name of the client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the token is to be good for.
    pub scope: Option<String>,
    /// Whom the token is to be good for.
    pub audience: Option<String>,
    /// How name and secret are sent.
    pub client_auth: ClientAuth,
}

/// A source of tokens, and the token it gave last.
pub struct OAuth2 {
    request: Request,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    token: Secret,
    /// None: it does not say.
    until: Option<Instant>,
}

// === impl OAuth2 ===

impl OAuth2 {
    /// A source that asks with these values.
    ///
    /// # Errors
    /// Of class `body`, as of any request that cannot be made of its values.
    pub fn new(grant: Grant) -> Result<Arc<Self>, Failure> {
        let request = Request::new(asked(grant))?;
        Ok(Arc::new(Self { request, kept: Mutex::default() }))
    }

    /// The same, with every reason.
    ///
    /// # Errors
    /// Everything that is wrong with the values.
    pub fn build(grant: Grant) -> Result<Arc<Self>, Vec<Refusal>> {
        let request = Request::build(asked(grant))?;
        Ok(Arc::new(Self { request, kept: Mutex::default() }))
    }

    /// What asks for a token.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// A token that is not `stale`: the one that is kept, or what `fetch` brings.
    pub(crate) async fn token(
        &self,
        stale: Option<&Secret>,
        fetch: impl AsyncFnOnce(&Request) -> Result<Hop, Failure>,
    ) -> Result<Secret, Failure> {
        // Held while a token is fetched: who also needs one waits for it.
        let mut kept = self.kept.lock().await;
        if let Some(good) = kept.as_ref().filter(|kept| kept.is_good() && Some(&kept.token) != stale) {
            return Ok(good.token.clone());
        }
        *kept = None;
        let fetched = match fetch(&self.request).await {
            Ok(hop) => read(hop),
            Err(failure) => Err(failure),
        };
        let fetched = fetched.map_err(|failure| self.failed(failure))?;
        let token = fetched.token.clone();
        *kept = Some(fetched);
        Ok(token)
    }

    /// Without a token nothing can be asked, and that is not the target's own fault; nor is it ours, unless it is.
    fn failed(&self, mut failure: Failure) -> Failure {
        if failure.class != FailureClass::Internal {
            failure.class = FailureClass::Auth;
        }
        failure.message = format!("no token from {}: {}", shown(&self.request.url), failure.message);
        failure.excerpt = None;
        failure
    }
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2").field("request", &self.request).finish_non_exhaustive()
    }
}

// === impl Kept ===

impl Kept {
    fn is_good(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

fn asked(grant: Grant) -> Asked {
    let Grant { token_url, client_id, client_secret, scope, audience, client_auth } = grant;
    let mut form = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
    form.extend(scope.map(|scope| ("scope".to_owned(), scope)));
    form.extend(audience.map(|audience| ("audience".to_owned(), audience)));
    let credentials = match client_auth {
        // Both are url-encoded first, so that a colon can stand in them (RFC 6749, 2.3.1).
        ClientAuth::Header => {
            Some(Auth::Basic { username: encoded(&client_id), password: Secret::new(encoded(client_secret.expose())) })
        }
        ClientAuth::Body => {
            form.push(("client_id".to_owned(), client_id));
            form.push(("client_secret".to_owned(), client_secret.expose().to_owned()));
            None
        }
    };
    let headers = Vec::new();
    Asked {
        method: Some(Method::POST),
        url: token_url,
        query: Vec::new(),
        headers,
        body: Payload::Form(form),
        auth: credentials,
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Judges the token endpoint's answer (RFC 6749, 5), and ends its span. What it says is shown only where it cannot be a
/// token.
fn read(hop: Hop) -> Result<Kept, Failure> {
    let status = hop.answer.status.as_u16();
    let json: Option<Json> = serde_json::from_slice(&hop.answer.body.bytes).ok();
    let text = |key: &str| json.as_ref().and_then(|json| json.get(key)?.as_str().map(str::to_owned));
    let broken = |message: String| Failure::new(FailureClass::Auth, message);
    let read = match (status, text("access_token"), text("token_type")) {
        (200, Some(_), Some(kind)) if !kind.eq_ignore_ascii_case("bearer") => {
            Err(broken(format!("it gave a token of the type {kind:?}, where only bearer tokens are known")))
        }
        (200, Some(token), _) if auth::bearer(&Secret::new(&token)).is_some() => {
            Ok(Kept { token: Secret::new(token), until: json.as_ref().and_then(|json| until(json, hop.ended)) })
        }
        (200, ..) => Err(broken("its answer holds no `access_token`".to_owned())),
        (status, ..) => {
            let said = [text("error"), text("error_description")];
            let said: Vec<String> = said.into_iter().flatten().map(probe_expect::shown).collect();
            let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
            Err(broken(format!("it answered {status}{said}")).expected("200", status.to_string()))
        }
    };
    let ended = hop.ended;
    match read {
        Ok(kept) => {
            hop.finish(ended);
            Ok(kept)
        }
        Err(failure) => Err(hop.fail(failure, ended)),
    }
}

/// Until when a token that came now is used; seconds are a number, and in some answers the text of one.
fn until(json: &Json, now: Instant) -> Option<Instant> {
    let seconds = json.get("expires_in")?;
    let seconds = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok())?;
    let life = Duration::from_secs(seconds);
    now.checked_add(life - MARGIN.min(life / 10))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn grant(client_auth: ClientAuth) -> Grant {
        Grant {
            token_url: "https://id.example/token".into(),
            client_id: "me:too".into(),
            client_secret: Secret::new("s p"),
            scope: Some("a b".into()),
            audience: None,
            client_auth,
        }
    }

    #[test]
    fn the_client_shows_who_it_is_in_one_place() {
        let header = OAuth2::new(grant(ClientAuth::Header)).unwrap();
        assert_eq!(&*header.request.body, b"grant_type=client_credentials&scope=a+b");
        let secrets: Vec<_> = header.request.secrets().iter().map(|secret| secret.expose().to_owned()).collect();
        assert!(secrets.contains(&"s+p".to_owned()), "{secrets:?}");
        let body = OAuth2::new(grant(ClientAuth::Body)).unwrap();
        assert!(!body.request.headers.contains_key(AUTHORIZATION));
        let want = b"grant_type=client_credentials&scope=a+b&client_id=me%3Atoo&client_secret=s+p";
        assert_eq!(&*body.request.body, want);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_given_up_shortly_before_it_expires() {
        let now = Instant::now();
        for (json, seconds) in [
            (serde_json::json!({"expires_in": 3600}), Some(3570)),
            (serde_json::json!({"expires_in": "100"}), Some(90)),
            (serde_json::json!({"expires_in": 0}), Some(0)),
            (serde_json::json!({}), None),
        ] {
            assert_eq!(until(&json, now), seconds.map(|seconds| now + Duration::from_secs(seconds)), "{json}");
        }
    }
}
