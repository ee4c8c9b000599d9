//! What the requests of one run share: connections, cookies, and tokens.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{
    StatusCode,
    header::{COOKIE, SET_COOKIE},
};
use probe_core::{Failure, FailureClass, Learnt, Propagation, Secret, Span};
use tokio::time::{self, Instant};

use crate::{
    Request, Wire,
    client::{Client, Names},
    connect::Alias,
    cookies::Jar,
    exchange::{Asking, Hop, Seen},
    oauth::OAuth2,
    redirect::{Trail, same_keeper},
    reproduce::curl,
    target::literal,
    wire::Way,
};

/// The requests of one run. Made for the run, gone with it: it is cheap until it is asked.
#[derive(Debug)]
pub struct Session {
    clients: Mutex<Vec<Made>>,
    jar: Jar,
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

/// What is asked, and how.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The span above those of the requests.
    pub parent: &'a Span,
    /// The request.
    pub request: &'a Request,
    /// Where it gets a token to bring; a 401 gives that up, and a new one is tried once.
    pub tokens: Option<&'a OAuth2>,
    /// The way to the target.
    pub wire: &'a Wire,
    /// What the target is told of our trace.
    pub trace: &'a Propagation,
    /// How long it may take.
    pub bound: Bound,
}

/// The bound on asking.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// When asking is cut off.
    pub until: Instant,
    /// The time that is given for it where nothing was used up before.
    pub whole: Duration,
}

/// Where asking has come to, for whoever cuts it off.
#[derive(Clone, Debug, Default)]
struct OnWay {
    /// Whether what asks now asks for a token.
    fetches: bool,
    seen: Seen,
}

// === impl Session ===

impl Session {
    /// A session in which the cookies of an answer go along with the requests after it. They are `learnt`, and so are
    /// tokens.
    pub fn new(learnt: Learnt) -> Self {
        Self { clients: Mutex::default(), jar: Jar::default(), brought: AtomicBool::new(false), learnt }
    }

    /// Asks, and follows redirects; each request, also one for a token, is a span below the parent. The last answer's span
    /// is still open: it is for [`Expected::judge`](crate::Expected::judge) to end.
    ///
    /// # Errors
    /// There was no answer in time, or none that could be followed. The failure has a command line that asks the same.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Hop, Failure> {
        let Question { parent, request, tokens, wire, bound, .. } = *question;
        let begun = Instant::now();
        let way = Mutex::default();
        let failed = match time::timeout_at(bound.until, self.asked(question, begun, &way)).await {
            Ok(Ok(hop)) => return Ok(hop),
            Ok(Err(failure)) => failure,
            Err(_) => {
                let place = parent.settle(FailureClass::Timeout, Instant::now()).unwrap_or_default();
                Failure::new(FailureClass::Timeout, format!("not done within {}: {place}", bound.told(begun)))
            }
        };
        let OnWay { seen, fetches } = lock(&way).clone();
        Err(match tokens.filter(|_| fetches) {
            Some(tokens) => failed.reproduce(curl(tokens.request(), wire, &seen, Some(bound.whole))),
            None => self.told(failed, request, wire, &seen, Some(bound.whole)),
        })
    }

    async fn asked(&self, question: &Question<'_>, begun: Instant, way: &Mutex<OnWay>) -> Result<Hop, Failure> {
        let Question { request, tokens, trace, .. } = *question;
        let Some(tokens) = tokens else { return self.follow(question, request, Some(trace), begun, way).await };
        let (mut stale, mut at) = (None, begun);
        loop {
            let token = self.token(question, tokens, stale.as_ref(), &mut at, way).await?;
            let hop = self.follow(question, &request.with_token(&token), Some(trace), at, way).await?;
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
        seen: &Seen,
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
        question: &Question<'_>,
        tokens: &OAuth2,
        stale: Option<&Secret>,
        at: &mut Instant,
        way: &Mutex<OnWay>,
    ) -> Result<Secret, Failure> {
        *lock(way) = OnWay { fetches: true, ..OnWay::default() };
        let fetch = async |request: &Request| {
            let asked = self.follow(question, request, None, *at, way).await;
            *at = asked.as_ref().map_or_else(|_| Instant::now(), |hop| hop.ended);
            asked
        };
        let token = tokens.token(stale, fetch).await?;
        lock(way).fetches = false;
        self.learnt.learn([token.clone()]);
        self.brought.store(true, Ordering::Relaxed);
        Ok(token)
    }

    /// Asks until an answer is the last one; what is seen on the way is noted there.
    async fn follow(
        &self,
        question: &Question<'_>,
        first: &Request,
        trace: Option<&Propagation>,
        mut begun: Instant,
        way: &Mutex<OnWay>,
    ) -> Result<Hop, Failure> {
        let Question { parent, wire, .. } = *question;
        let mut trail = Trail::new(wire.redirects);
        let chain_begun = begun;
        let mut next: Option<Request> = None;
        lock(way).seen = Seen::default();
        loop {
            let request = next.as_ref().unwrap_or(first);
            let over = wire.way(same_keeper(&first.url, &request.url));
            let client = self.client(wire, over, request, first)?;
            let mut headers = request.headers.clone();
            self.jar.give(&request.url, &mut headers);
            if next.is_none() {
                lock(way).seen.brought = headers.get(COOKIE).cloned();
            }
            // The trace is for the host that the configuration names, and for no other.
            let trace = trace.filter(|trace| trace.targets.hold(request.host(), first.host()));
            let asking = Asking { client: &client, way: over, parent, max_body: wire.max_body };
            let asked = asking.ask(request, headers, begun, trace).await;
            if next.is_none() {
                lock(way).seen.peer = asked.as_ref().map_or_else(|(_, found)| found.peer, |hop| hop.seen.peer);
            }
            let mut hop = asked.map_err(|(failure, _)| failure)?;
            (hop.seen, hop.chain_begun) = (lock(way).seen.clone(), chain_begun);
            let ended = hop.ended;
            let to = trail.next(request, &hop.answer);
            self.learnt.learn(self.jar.take(&request.url, &hop.answer.headers));
            lock(way).seen.cookies |= hop.answer.headers.contains_key(SET_COOKIE);
            match to {
                Ok(None) => return Ok(hop),
                Ok(Some(to)) => {
                    hop.finish(ended);
                    next = Some(to);
                    begun = ended;
                    lock(way).seen.redirects += 1;
                }
                Err(failure) => {
                    lock(way).seen.redirects += 1;
                    return Err(hop.fail(failure, ended));
                }
            }
        }
    }

    /// The client for this request of a chain that began with `first`; made when there is none yet.
    fn client(&self, wire: &Wire, way: &Arc<Way>, request: &Request, first: &Request) -> Result<Arc<Client>, Failure> {
        let named = (!wire.resolve.is_empty() || wire.server_name.is_some()) && request.host() == first.host();
        let host = named.then(|| request.host());
        let mut clients = lock(&self.clients);
        let is_good =
            |made: &&Made| made.host.as_deref() == host && (Arc::ptr_eq(&made.way, way) || made.way.is_same(way));
        // Names differ from wire to wire: such a client is only for its own.
        let found = clients.iter().filter(|made| host.is_none() || Arc::ptr_eq(&made.way, way)).find(is_good);
        if let Some(made) = found {
            return Ok(made.client.clone());
        }
        let names = if named { names(wire, request) } else { Names::default() };
        let client = Client::new(way, names).map_err(|error| {
            Failure::new(FailureClass::Internal, format!("the HTTP client could not be built: {error}"))
        })?;
        let client = Arc::new(client);
        clients.push(Made { way: way.clone(), host: host.map(str::to_owned), client: client.clone() });
        Ok(client)
    }
}

// === impl Bound ===

impl Bound {
    /// How much time there was when asking had `begun`.
    fn told(&self, begun: Instant) -> String {
        /// What a busy machine needs to come from the beginning of a run to its first request.
        const DUE: Duration = Duration::from_millis(20);
        let left = self.until.saturating_duration_since(begun);
        let millis = Duration::from_millis(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        if left + DUE < self.whole {
            format!("{millis:?}, which was left of {:?}", self.whole)
        } else {
            format!("{:?}", self.whole)
        }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
