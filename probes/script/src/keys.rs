//! What can be written of a script.

use std::time::Duration;

use probe_http::{AnswerKeys, ClientAuth, Scalar, Verb, WireKeys};
use probe_keys::{At, Definitions, Fields, Keys as _, Map, OneOrMany, Placed, Read, Text};
use serde_json::{Value as Json, json};

use crate::{InitKeys, written::Written};

/// What is said of the whole script, and of no step. `timeout` is a step's own key, too.
const OF_THE_SCRIPT: [&str; 18] = [
    "probe",
    "title",
    "id",
    "every",
    "cron",
    "timezone",
    "burst",
    "tags",
    "enabled",
    "monitor",
    "runbook",
    "retries",
    "retry_delay",
    "slow",
    "failures",
    "recoveries",
    "remind",
    "init_keys",
];

probe_keys::keys! {
    /// Requests in a chain.
    pub struct ScriptKeys {
        /// Keys that the script begins with, each with its value.
        optional init_keys: InitKeys,
        /// The requests, one after the other.
        required steps: Steps,
    }
}

probe_keys::keys! {
    /// One request of a script. In `url`, `query`, `headers`, `body`, `form` and `auth`, `{name}` is the value of a key.
    pub struct StepKeys {
        /// Where to ask: an http or https URL.
        required url: Written<Text>,
        /// The method, `GET` unless given; `POST` when there is a body or a form.
        optional method: Verb,
        /// Added to the URL's own query, encoded; a list repeats its name.
        optional query: Written<Map<OneOrMany<Scalar>>>,
        /// Headers of the request.
        optional headers: Written<Map<Scalar>>,
        /// The body: text is sent as it is, anything else as JSON with its content type.
        optional body: Written<Json>,
        /// The fields of a form, sent url-encoded in place of a body; a list repeats its name.
        optional form: Written<Map<OneOrMany<Scalar>>>,
        /// Who asks.
        optional auth: Placed<StepAuthKeys>,
        /// How the target is reached; here, `reuse` is `true` unless given.
        flatten wire: WireKeys,
        /// What is expected of the answer.
        flatten answer: AnswerKeys,
        /// A pause before the step.
        optional delay: Duration,
        /// The bound on each request of this step, redirects and body included; the script's own bound holds for all.
        optional timeout: Placed<Duration>,
        /// Asks again until what is expected holds.
        optional retry: RetryKeys,
        /// Whether it runs even after a failure, to clean up; false unless given.
        optional always: bool,
    }
    where excludes(body, form)
}

probe_keys::keys! {
    /// How often a step is asked until what is expected of it holds.
    pub struct RetryKeys {
        /// How many more times, after the first.
        required times: Times,
        /// The pause before each; 1 second unless given.
        optional delay: Duration,
    }
}

probe_keys::keys! {
    /// Who asks: one of these.
    pub struct StepAuthKeys {
        /// User name and password (RFC 7617).
        optional basic: StepBasicKeys,
        /// A token (RFC 6750).
        optional bearer: Written<Text>,
        /// A token that is fetched with client credentials (RFC 6749, 4.4).
        optional oauth2: StepOAuth2Keys,
    }
    where one_of(basic, bearer, oauth2)
}

probe_keys::keys! {
    /// User name and password.
    pub struct StepBasicKeys {
        /// The user name.
        required username: Written<Text>,
        /// The password; none unless given.
        optional password: Written<Text>,
    }
}

probe_keys::keys! {
    /// Where a token is fetched, and with what.
    pub struct StepOAuth2Keys {
        /// The token endpoint: an http or https URL.
        required token_url: Written<Text>,
        /// The name of the client.
        required client_id: Written<Text>,
        /// Its secret.
        required client_secret: Written<Text>,
        /// What the token is to be good for, by names with spaces between them.
        optional scope: Written<Text>,
        /// Whom the token is to be good for, where the token endpoint asks for it.
        optional audience: Written<Text>,
        /// How name and secret are sent: in the `header`, or in the `body` for those who take nothing else.
        optional client_auth: ClientAuth,
    }
}

/// The steps of a script: at least one.
#[derive(Clone, Debug)]
pub struct Steps(pub Vec<StepKeys>);

/// How many more times a step is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times(pub u32);

/// A step, where the keys of the whole script are known to stand elsewhere.
struct OneStep(StepKeys);

// === impl Steps ===

impl Read for Steps {
    fn read(at: &At<'_>) -> Option<Self> {
        let steps: Vec<OneStep> = Vec::read(at)?;
        if steps.is_empty() {
            at.wrong("a script has at least one step");
            return None;
        }
        Some(Self(steps.into_iter().map(|OneStep(keys)| keys).collect()))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "array", "minItems": 1, "items": StepKeys::schema(definitions)})
    }
}

impl Read for OneStep {
    fn read(at: &At<'_>) -> Option<Self> {
        let mut fields = Fields::of(at)?;
        let keys = StepKeys::take(&mut fields);
        fields.refuse(&OF_THE_SCRIPT, |key| {
            let reason = format!("`{key}` is said of the whole script, not of a step: one run is all of its steps");
            let hint = match key {
                "retries" | "retry_delay" => "a step has `retry: {times, delay}`; or move it up, beside `steps`",
                "title" => "a step goes by its number, method and URL",
                _ => "move it up, beside `steps`",
            };
            (reason, hint.to_owned())
        });
        fields.finish();
        keys.map(Self)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        StepKeys::schema(definitions)
    }
}

// === impl Times ===

impl Times {
    /// More would never end.
    const MOST: u64 = 10_000;
}

impl Read for Times {
    fn read(at: &At<'_>) -> Option<Self> {
        let times = u64::read(at)?;
        let sound = u32::try_from(times).ok().filter(|_| (1..=Self::MOST).contains(&times));
        if sound.is_none() {
            at.expected(&format!("a number of times from 1 to {}", Self::MOST));
        }
        sound.map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": Self::MOST})
    }
}
