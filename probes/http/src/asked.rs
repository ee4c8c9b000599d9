//! What is asked, in values; and what is wrong with them.

use http::Method;
use serde_json::Value as Json;

use crate::auth::Auth;

/// What is asked, in values: what was written, once every template in it is filled.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The method; when none is given, `GET`, or `POST` with a body.
    pub method: Option<Method>,
    /// The URL, credentials included.
    pub url: String,
    /// Names and values that are added to the URL's own query.
    pub query: Vec<(String, String)>,
    /// The headers; a name may repeat.
    pub headers: Vec<AskedHeader>,
    /// The body.
    pub body: Payload,
    /// Who asks.
    pub auth: Option<Auth>,
}

/// A header of a request, in values.
#[derive(Clone, Debug)]
pub struct AskedHeader {
    /// Its name, in any case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value must not reach another host; credentials never do.
    pub secret: bool,
}

/// The body of a request, in values.
#[derive(Clone, Debug, Default)]
pub enum Payload {
    /// None.
    #[default]
    Empty,
    /// Text, sent as it is.
    Text(String),
    /// JSON, with its content type.
    Json(Json),
    /// Names and values of a form, sent url-encoded, with its content type.
    Form(Vec<(String, String)>),
}

/// Why values make no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The value that is wrong.
    pub part: Part,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

/// The part of the values that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The URL.
    Url,
    /// The name of a header, by its index.
    HeaderName(usize),
    /// The value of a header, by its index.
    HeaderValue(usize),
    /// Who asks.
    Auth,
}
