//! What can be written of the request itself.

use http::Method;
use probe_core::Secret;
use probe_keys::{At, Definitions, Map, OneOrMany, Placed, Read, Text, Value};
use serde_json::{Value as Json, json};

probe_keys::keys! {
    /// What is asked.
    pub struct AskedKeys {
        /// Where to ask: an http or https URL.
        required url: Placed<Text>,
        /// The method, `GET` unless given; `POST` when there is a body or a form.
        optional method: Verb,
        /// Added to the URL's own query, encoded; a list repeats its name.
        optional query: Map<OneOrMany<Scalar>>,
        /// Headers of the request.
        optional headers: Map<Placed<Scalar>>,
        /// The body: text is sent as it is, anything else as JSON with its content type.
        optional body: Body,
        /// The fields of a form, sent url-encoded in place of a body; a list repeats its name.
        optional form: Placed<Map<OneOrMany<Scalar>>>,
        /// Who asks.
        optional auth: Placed<AuthKeys>,
    }
    where excludes(body, form)
}

probe_keys::keys! {
    /// Who asks: one of these.
    pub struct AuthKeys {
        /// User name and password (RFC 7617).
        optional basic: BasicKeys,
        /// A token (RFC 6750).
        optional bearer: Secret,
        /// A token that is fetched with client credentials (RFC 6749, 4.4).
        optional oauth2: OAuth2Keys,
    }
    where one_of(basic, bearer, oauth2)
}

probe_keys::keys! {
    /// User name and password.
    pub struct BasicKeys {
        /// The user name.
        required username: Text,
        /// The password; none unless given.
        optional password: Secret,
    }
}

probe_keys::keys! {
    /// Where a token is fetched, and with what.
    pub struct OAuth2Keys {
        /// The token endpoint: an http or https URL.
        required token_url: Placed<Text>,
        /// The name of the client.
        required client_id: Text,
        /// Its secret.
        required client_secret: Secret,
        /// What the token is to be good for, by names with spaces between them.
        optional scope: Text,
        /// Whom the token is to be good for, where the token endpoint asks for it.
        optional audience: Text,
        /// How name and secret are sent: in the `header`, or in the `body` for those who take nothing else.
        optional client_auth: ClientAuth,
    }
}

/// A method: any token of RFC 9110, written in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verb(pub Method);

/// A single value as it goes into a query or a header; numbers are taken as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub Text);

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Sent as it is.
    Text(Text),
    /// Sent as JSON.
    Json(Json),
}

/// How a client shows the token endpoint who it is (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// As HTTP Basic credentials, which every token endpoint must take.
    #[default]
    Header,
    /// As fields of the form.
    Body,
}

// === impl Verb ===

impl Read for Verb {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| {
            let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok();
            let method = method.filter(|method| *method != Method::CONNECT);
            method.map(Self).ok_or_else(|| format!("{text:?} is not a method that can be sent"))
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"})
    }
}

// === impl Scalar ===

impl Read for Scalar {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Number(_, written) => Some(Self(Text::plain(written))),
            Value::Bool(value) => Some(Self(Text::plain(value.to_string()))),
            Value::Text(_) => Text::read(at).map(Self),
            Value::Null | Value::List(_) | Value::Mapping(_) => {
                at.expected("a single value");
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

// === impl Body ===

impl Read for Body {
    fn read(at: &At<'_>) -> Option<Self> {
        match &at.node.value {
            Value::Text(_) => Text::read(at).map(Self::Text),
            _ => Json::read(at).map(Self::Json),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Json::schema(definitions)
    }
}

// === impl ClientAuth ===

impl Read for ClientAuth {
    fn read(at: &At<'_>) -> Option<Self> {
        at.parse(|text| match text {
            "header" => Ok(Self::Header),
            "body" => Ok(Self::Body),
            _ => Err(format!("{text:?} is neither `header` nor `body`")),
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": ["header", "body"]})
    }
}
