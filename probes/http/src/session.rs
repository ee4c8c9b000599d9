//! What the requests of one run share: connections, cookies, and tokens.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use probe_core::{Failure, FailureClass, Learnt, Propagation, Secret, Span};
use tokio::time::Instant;

use crate::{
    Request, Wire,
    client::{Client, Names},
    connect::Alias,
    cookies::Jar,
    exchange::{Asking, Hop, Seen},
    oauth::OAuth2,
    redirect::Trail,
    reproduce::curl,
    target::literal,
    wire::Way,
};

/// The requests of one run. Made for the run, gone with it: it is cheap until it is asked.
#[derive(Debug)]
pub struct Session {
    clients: Mutex<Vec<Made>>,
    jar: Option<Jar>,
    /// Whether a request brought a token that was fetched for it.
    brought: AtomicBool,
    learnt: Learnt,
}

/// A client and what it is good for.
#[derive(Debug)]
struct Made {
    way: Arc<Way>,
    /// The host that has names of its own; none: any host.
    host: Option<String>,
    client: Arc<Client>,
}

// === impl Session ===

impl Session {
    /// A session without cookies: each request stands alone. Tokens are `learnt`.
    pub fn new(learnt: Learnt) -> Self {
        Self { clients: Mutex::default(), jar: None, brought: AtomicBool::new(false), learnt }
    }

    /// A session in which the cookies of an answer go along with the requests after it. They are `learnt`, and so are
    /// tokens.
    pub fn with_cookies(learnt: Learnt) -> Self {
        Self { jar: Some(Jar::default()), ..Self::new(learnt) }
    }

    /// Asks, and follows redirects; each request, also one for a token, is a span below `parent`. The last answer's span
    /// is still open: it is for [`Expected::judge`](crate::Expected::judge) to end.
    ///
    /// With `tokens`, the request brings a token from there; a 401 gives it up, and a new one is tried once.
    ///
    /// `deadline` is when the caller cuts this off; it only goes into the command line of a failure.
    ///
    /// # Errors
    /// There was no answer, or none that could be followed. The failure has a command line that asks the same.
    pub async fn ask(
        &self,
        parent: &Span,
        request: &Request,
        tokens: Option<&OAuth2>,
        wire: &Wire,
        trace: &Propagation,
        deadline: Instant,
    ) -> Result<Hop, Failure> {
        let begun = Instant::now();
        let limit = Some(deadline.saturating_duration_since(begun));
        let Some(tokens) = tokens else {
            let asked = self.follow(parent, request, wire, Some(trace), begun).await;
            return asked.map_err(|(failure, seen)| self.told(failure, request, wire, seen, limit));
        };
        let (mut stale, mut at) = (None, begun);
        loop {
            let token = self.token(tokens, stale.as_ref(), parent, wire, &mut at).await?;
            let asked = self.follow(parent, &request.with_token(&token), wire, Some(trace), at).await;
            let hop = asked.map_err(|(failure, seen)| self.told(failure, request, wire, seen, limit))?;
            if hop.answer.status != StatusCode::UNAUTHORIZED || stale.is_some() {
                return Ok(hop);
            }
            // The target has given up the token before its time: once, a new one may help.
            at = hop.ended;
            hop.finish(at);
            stale = Some(token);
        }
    }

    /// The failure with a command line that asks the same. `seen` is what was [seen](Hop::seen) on the way to an answer
    /// that did not hold.
    pub fn told(
        &self,
        failure: Failure,
        request: &Request,
        wire: &Wire,
        seen: Seen,
        limit: Option<Duration>,
    ) -> Failure {
        // What a token was is shown nowhere, but that there was one.
        let masked = self.brought.load(Ordering::Relaxed) && !request.is_authorized();
        let shown =
            if masked { Cow::Owned(request.with_token(&Secret::new(Secret::MASK))) } else { Cow::Borrowed(request) };
        failure.reproduce(curl(&shown, wire, seen, limit))
    }

    /// A token; what asks for one begins `at` this moment, and what follows then where that ended.
    async fn token(
        &self,
        tokens: &OAuth2,
        stale: Option<&Secret>,
        parent: &Span,
        wire: &Wire,
        at: &mut Instant,
    ) -> Result<Secret, Failure> {
        let fetch = async |request: &Request| {
            let asked = self.follow(parent, request, wire, None, *at).await;
            *at = asked.as_ref().map_or_else(|_| Instant::now(), |hop| hop.ended);
            asked.map_err(|(failure, seen)| failure.reproduce(curl(request, wire, seen, None)))
        };
        let token = tokens.token(stale, fetch).await.map_err(|failure| match failure.reproduce {
            Some(_) => failure,
            None => failure.reproduce(curl(tokens.request(), wire, Seen::default(), None)),
        })?;
        self.learnt.learn([token.clone()]);
        self.brought.store(true, Ordering::Relaxed);
        Ok(token)
    }

    /// Asks until an answer is the last one.
    async fn follow(
        &self,
        parent: &Span,
        first: &Request,
        wire: &Wire,
        trace: Option<&Propagation>,
        mut begun: Instant,
    ) -> Result<Hop, (Failure, Seen)> {
        let mut trail = Trail::new(wire.redirects);
        let (mut seen, chain_begun) = (Seen::default(), begun);
        let mut next: Option<Request> = None;
        loop {
            let request = next.as_ref().unwrap_or(first);
            let client = self.client(wire, request, first).map_err(|failure| (failure, seen))?;
            let mut headers = request.headers.clone();
            if let Some(jar) = &self.jar {
                jar.give(&request.url, &mut headers);
            }
            // The trace is for the host that the configuration names, and for no other.
            let trace = trace.filter(|trace| trace.targets.hold(request.host(), first.host()));
            let asking = Asking { client: &client, way: &wire.way, parent, max_body: wire.max_body };
            let asked = asking.ask(request, headers, begun, trace).await;
            let peer = |found: Seen| if next.is_none() { found.peer } else { seen.peer };
            let mut hop = match asked {
                Ok(hop) => hop,
                Err((failure, found)) => return Err((failure, Seen { peer: peer(found), ..seen })),
            };
            seen.peer = peer(hop.seen);
            (hop.seen, hop.chain_begun) = (seen, chain_begun);
            if let Some(jar) = &self.jar {
                self.learnt.learn(jar.take(&request.url, &hop.answer.headers));
            }
            let ended = hop.ended;
            match trail.next(request, &hop.answer) {
                Ok(None) => return Ok(hop),
                Ok(Some(to)) => {
                    hop.finish(ended);
                    next = Some(to);
                    begun = ended;
                    seen.redirects += 1;
                }
                Err(failure) => return Err((hop.fail(failure, ended), Seen { redirects: seen.redirects + 1, ..seen })),
            }
        }
    }

    /// The client for this request of a chain that began with `first`; made when there is none yet.
    fn client(&self, wire: &Wire, request: &Request, first: &Request) -> Result<Arc<Client>, Failure> {
        let named = (!wire.resolve.is_empty() || wire.server_name.is_some()) && request.host() == first.host();
        let host = named.then(|| request.host());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |made: &&Made| {
            made.host.as_deref() == host && (Arc::ptr_eq(&made.way, &wire.way) || made.way.is_same(&wire.way))
        };
        // Names differ from wire to wire: such a client is only for its own.
        let found = clients.iter().filter(|made| host.is_none() || Arc::ptr_eq(&made.way, &wire.way)).find(is_good);
        if let Some(made) = found {
            return Ok(made.client.clone());
        }
        let names = if named { names(wire, request) } else { Names::default() };
        let client = Client::new(&wire.way, names).map_err(|error| {
            Failure::new(FailureClass::Internal, format!("the HTTP client could not be built: {error}"))
        })?;
        let client = Arc::new(client);
        clients.push(Made { way: wire.way.clone(), host: host.map(str::to_owned), client: client.clone() });
        Ok(client)
    }
}

fn names(wire: &Wire, request: &Request) -> Names {
    let host = request.host().to_owned();
    let server_name = wire.server_name.as_ref().map(|name| name.as_ref().to_owned());
    let stands_for = match (wire.resolve.is_empty(), literal(&host)) {
        (false, _) => Alias::Addresses(wire.resolve.clone()),
        (true, Some(address)) => Alias::Addresses([address].into()),
        (true, None) => Alias::Name(host.clone()),
    };
    Names { alias: Some((server_name.clone().unwrap_or(host), stands_for)), server_name }
}
