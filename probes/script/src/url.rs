//! URLs with fields: what is inserted stays inside the part of the URL where it is inserted.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use probe_keys::At;
use url::Url;

use crate::{Reason, RenderError, Scope, Template, Visible, template::Part};

/// All but what RFC 3986 (2.3) calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A URL with fields, ready to be filled.
///
/// A value that is inserted into the path, the query or the fragment is percent-encoded, so that a `/`, a `?`, a space in
/// it stays its own; in the user name and password, too. In the host it is inserted as it is, and must hold nothing that
/// ends a host. A field at the very beginning holds the beginning of a URL, or a whole one, as it is (`{base}/things`).
/// One right behind it may hold the rest of one as it is, from a `/`, `?` or `#` on (`{base}{link}`): whose host is asked is
/// not for it to say.
#[derive(Clone, Debug)]
pub struct UrlTemplate {
    parts: Vec<(Place, Part)>,
}

/// Where in a URL a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the beginning: a key here, and one right behind it, hold the beginning of a URL as it is.
    Base,
    /// Behind text that does not say where (`{base}-{id}`): what stands before it in the run's own URL does.
    Open,
    /// User name or password.
    Credentials,
    /// Host or port.
    Host,
    Path,
    /// Query or fragment.
    Query,
}

// === impl UrlTemplate ===

impl UrlTemplate {
    /// Reads the text here as the URL of a step that sees these keys; `None` when a mistake was noted.
    pub fn compile(at: &At<'_>, keys: &Visible<'_>) -> Option<Self> {
        let template = Template::value(at, keys)?;
        if let Some(Part::Text(beginning)) = template.parts().first()
            && !begins_a_url(beginning, template.constant().is_some())
        {
            at.wrong_with("the URL does not begin with `http://` or `https://`", "or with a key that holds such a URL");
            return None;
        }
        Some(Self::place(&template))
    }

    /// Finds out where each part stands.
    fn place(template: &Template) -> Self {
        let mut place = Place::Base;
        let mut parts = Vec::new();
        for (index, part) in template.parts().iter().enumerate() {
            match part {
                Part::Text(text) => {
                    parts.push((place, part.clone()));
                    place = place.after(text);
                }
                Part::Field(_) if place == Place::Host && is_before_at(&template.parts()[index + 1..]) => {
                    parts.push((Place::Credentials, part.clone()));
                }
                Part::Field(_) => parts.push((place, part.clone())),
            }
        }
        Self { parts }
    }

    /// The URL as text, filled.
    ///
    /// # Errors
    /// When a key is absent, or holds what cannot stand at its place.
    pub fn render(&self, scope: &Scope) -> Result<String, RenderError> {
        let mut url = String::new();
        for (place, part) in &self.parts {
            let text = part.render(scope)?;
            match part {
                Part::Text(_) => url.push_str(&text),
                Part::Field(field) => {
                    let fail = |reason| RenderError { field: format!("{{{}}}", field.written), reason };
                    let inserted = match place {
                        Place::Base if !url.is_empty() => Place::Base.after(&url).go_on(&url, &field.key, text),
                        Place::Open => Place::Base.after(&url).insert(&field.key, text),
                        place => place.insert(&field.key, text),
                    };
                    url.push_str(&inserted.map_err(fail)?);
                }
            }
        }
        Ok(url)
    }

    /// The host that is asked, as far as these keys tell it.
    pub(crate) fn host(&self, scope: &Scope) -> Option<String> {
        let mut front = String::new();
        for (place, part) in self.parts.iter().take_while(|(place, _)| !matches!(place, Place::Path | Place::Query)) {
            match (place, part) {
                (Place::Credentials, Part::Field(_)) => front.push('x'),
                _ => front.push_str(&part.render(scope).ok()?),
            }
        }
        Url::parse(&front).ok()?.host_str().map(str::to_owned)
    }

    /// The URL for people, the same in every run: what these keys tell is filled in unless it is masked, other fields
    /// stay in their braces. Without credentials and without a query.
    pub(crate) fn shown(&self, scope: &Scope) -> String {
        let tells = |key: &str| scope.held(key).is_some_and(|held| !held.masked);
        let mut shown = String::new();
        for (place, part) in self.parts.iter().take_while(|(place, _)| *place != Place::Query) {
            match part {
                Part::Text(text) => shown.push_str(text),
                Part::Field(field) if part.keys().into_iter().all(tells) => {
                    let value = part.render(scope).ok().and_then(|text| place.insert(&field.key, text).ok());
                    shown.push_str(&value.unwrap_or_else(|| format!("{{{}}}", field.written)));
                }
                Part::Field(field) => shown.push_str(&format!("{{{}}}", field.written)),
            }
        }
        shown.truncate(shown.find(['?', '#']).unwrap_or(shown.len()));
        let host = shown.find("://").map_or(0, |scheme| scheme + 3);
        let end = shown[host..].find('/').map_or(shown.len(), |slash| host + slash);
        if let Some(at) = shown[host..end].rfind('@') {
            shown.replace_range(host..=host + at, "");
        }
        shown
    }

    /// The keys it names; one may come twice.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|(_, part)| part.keys())
    }
}

// === impl Place ===

impl Place {
    /// Where one stands after literal text.
    fn after(self, text: &str) -> Self {
        match self {
            Self::Base | Self::Open => match text.find(['/', '?', '#']) {
                None => Self::Open,
                Some(at) if text[..at].ends_with(':') && text[at..].starts_with("//") => {
                    Self::Host.after(&text[at + 2..])
                }
                Some(at) => Self::Path.after(&text[at..]),
            },
            Self::Host | Self::Credentials => match text.find(['/', '?', '#']) {
                None => Self::Host,
                Some(at) => Self::Path.after(&text[at..]),
            },
            Self::Path if text.contains(['?', '#']) => Self::Query,
            Self::Path | Self::Query => self,
        }
    }

    /// A value as it is inserted here.
    fn insert(self, key: &str, value: String) -> Result<String, Reason> {
        let refuse = |found, place| Err(Reason::Url { key: key.to_owned(), found, place });
        match self {
            Self::Base | Self::Open => Ok(value),
            Self::Host => match value
                .chars()
                .find(|letter| "/?#@\\".contains(*letter) || letter.is_whitespace() || letter.is_control())
            {
                Some('/') => refuse("a `/`", "host"),
                Some('?') => refuse("a `?`", "host"),
                Some('#') => refuse("a `#`", "host"),
                Some('@') => refuse("an `@`", "host"),
                Some(_) => refuse("white space or a `\\`", "host"),
                None => Ok(value),
            },
            // Encoded or not, URLs take these for a way up (WHATWG URL, "double-dot path segment").
            Self::Path if value == "." || value == ".." => refuse("only dots", "path"),
            Self::Credentials | Self::Path | Self::Query => Ok(utf8_percent_encode(&value, ENCODED).to_string()),
        }
    }

    /// A value that goes on here, as it is, from where a key before it left off. It does not say whose host is asked: that
    /// the key before it did.
    fn go_on(self, url: &str, key: &str, value: String) -> Result<String, Reason> {
        let refuse = |found, place| Err(Reason::Url { key: key.to_owned(), found, place });
        let has_host = url.split_once("://").is_some_and(|(_, host)| !host.is_empty());
        match self {
            Self::Host if !has_host => self.insert(key, value),
            Self::Host if !value.is_empty() && !value.starts_with(['/', '?', '#']) => {
                refuse("more than what follows a host", "host")
            }
            Self::Host | Self::Path if leads_up(&value) => refuse("a way up", "path"),
            _ => Ok(value),
        }
    }
}

/// Whether there is a part of its path that URLs take for a way up, or for no way (WHATWG URL, "double-dot path segment").
fn leads_up(value: &str) -> bool {
    let path = &value[..value.find(['?', '#']).unwrap_or(value.len())];
    path.split(['/', '\\']).any(|segment| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// Whether an `@` ends the credentials before the host ends.
fn is_before_at(parts: &[Part]) -> bool {
    for part in parts {
        if let Part::Text(text) = part
            && let Some(at) = text.find(['@', '/', '?', '#'])
        {
            return text[at..].starts_with('@');
        }
    }
    false
}

/// Whether literal text can be how an http URL begins; whole, or up to the first field.
fn begins_a_url(text: &str, whole: bool) -> bool {
    let lower = text.to_ascii_lowercase();
    ["http://", "https://"].iter().any(|scheme| lower.starts_with(scheme) || (!whole && scheme.starts_with(&lower)))
}
