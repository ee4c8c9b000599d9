//! What is expected of an answer itself.

mod body;
mod named;

use std::time::Duration;

use http::Version;
use probe_core::{Failure, FailureClass, Secret};
use probe_keys::{At, Definitions, Read, Value};
use serde_json::{Value as Json, json};

use self::{
    body::ExpectBody,
    named::{Headers, Paths},
};
use crate::{Answer, Extent};

probe_keys::keys! {
    /// What is expected of an answer itself.
    struct ExpectKeys {
        /// Header of the answer, and what must hold of it.
        optional headers: Headers,
        /// What must be in the body's text, and what must not.
        optional body: ExpectBody,
        /// The whole request, redirects and body included, must take less than this.
        optional time: Limit,
        /// How many bytes the body must have.
        optional size: Extent,
        /// What must hold of the certificate.
        optional certificate: ExpectCertificate,
        /// The version of HTTP by which the answer must come.
        optional http_version: HttpVersion,
        /// JSONPath into the body, and what must hold of what stands there.
        optional json: Paths,
    }
}

/// What is expected of an answer itself.
#[derive(Clone, Debug)]
pub struct Expect(ExpectKeys);

probe_keys::keys! {
    /// What must hold of a certificate.
    struct ExpectCertificate {
        /// For how many whole days more it must be valid.
        required days_left: u32,
    }
}

/// A time that is more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit(Duration);

/// `1.1` or `2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HttpVersion(Version);

// === impl Expect ===

impl Expect {
    /// Whether the body must be JSON.
    pub const fn needs_json(&self) -> bool {
        self.0.json.is_some()
    }

    /// Whether there must be a body.
    pub const fn needs_body(&self) -> bool {
        self.0.json.is_some() || self.0.body.is_some()
    }

    /// Whether there must be a certificate.
    pub const fn needs_certificate(&self) -> bool {
        self.0.certificate.is_some()
    }

    /// What of the answer must not be told, because its name speaks of a secret.
    pub fn secrets(&self, answer: &Answer<'_>) -> Vec<Secret> {
        self.0.json.as_ref().map(|paths| paths.secrets(answer)).unwrap_or_default()
    }

    /// Checks everything, what is known without looking into the body first.
    ///
    /// # Errors
    /// The first that does not hold: of class `body` what is in the body and how large it is, of class `assertion` the
    /// rest.
    pub fn check(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        self.time(answer)?;
        self.http_version(answer)?;
        self.0.certificate.as_ref().map_or(Ok(()), |certificate| certificate.check(answer))?;
        self.0.headers.as_ref().map_or(Ok(()), |headers| headers.check(answer))?;
        self.size(answer)?;
        self.0.body.as_ref().map_or(Ok(()), |body| body.check(answer))?;
        self.0.json.as_ref().map_or(Ok(()), |paths| paths.check(answer))
    }

    fn time(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        match self.0.time {
            Some(Limit(limit)) if answer.duration() >= limit => {
                let took = format!("{:.3?}", answer.duration());
                Err(broken(format!("the request took {took}, expected less than {limit:?}"))
                    .expected(format!("less than {limit:?}"), took)
                    .origin("time of the whole request"))
            }
            _ => Ok(()),
        }
    }

    fn http_version(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        match self.0.http_version {
            Some(HttpVersion(expected)) if expected != answer.came_by() => {
                let (expected, actual) = (format!("{expected:?}"), format!("{:?}", answer.came_by()));
                Err(broken(format!("the answer came by {actual}, expected {expected}")).expected(expected, actual))
            }
            _ => Ok(()),
        }
    }

    fn size(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        let Some(extent) = self.0.size else { return Ok(()) };
        let size = answer.whole()?.len();
        if u64::try_from(size).is_ok_and(|size| extent.contains(size)) {
            return Ok(());
        }
        let message = format!("the body has {size} bytes, expected {extent}");
        Err(Failure::new(FailureClass::Body, message)
            .expected(format!("{extent} bytes"), format!("{size} bytes"))
            .origin("size of the body"))
    }
}

impl Read for Expect {
    fn read(at: &At<'_>) -> Option<Self> {
        if let Value::Mapping(_) = at.node.value {
            return ExpectKeys::read(at).map(Self);
        }
        at.wrong_with("what is expected of the answer itself is a mapping", "the status stands under `expected`");
        None
    }

    fn schema(definitions: &mut Definitions) -> Json {
        ExpectKeys::schema(definitions)
    }
}

fn broken(message: String) -> Failure {
    Failure::new(FailureClass::Assertion, message)
}

// === impl ExpectCertificate ===

impl ExpectCertificate {
    fn check(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        let least = self.days_left;
        let expected = format!("{least} days or more");
        let Some(days) = answer.certificate_holds() else {
            let message = "no certificate was shown for this request, so its end is not known";
            return Err(broken(message.to_owned()).expected(expected, "no certificate"));
        };
        if days >= i64::from(least) {
            return Ok(());
        }
        let message = format!("the certificate is valid for {days} more days, expected {least} or more");
        Err(broken(message).expected(expected, format!("{days} days")).origin("end of the certificate"))
    }
}

// === impl Limit ===

impl Read for Limit {
    fn read(at: &At<'_>) -> Option<Self> {
        let limit = Duration::read(at)?;
        if limit.is_zero() {
            at.wrong("nothing takes less than no time");
        }
        (!limit.is_zero()).then_some(Self(limit))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Duration::schema(definitions)
    }
}

// === impl HttpVersion ===

impl Read for HttpVersion {
    fn read(at: &At<'_>) -> Option<Self> {
        let written = match &at.node.value {
            Value::Number(_, written) => written.as_str(),
            Value::Text(text) => &text.text,
            _ => "",
        };
        let version = match written {
            "1.1" => Some(Version::HTTP_11),
            "2" => Some(Version::HTTP_2),
            _ => None,
        };
        if version.is_none() {
            at.expected("1.1 or 2");
        }
        version.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"enum": [1.1, 2, "1.1", "2"]})
    }
}
