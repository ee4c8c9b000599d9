//! The script probe: its steps, compiled, and what each run begins with.

use std::{sync::Arc, time::SystemTime};

use probe_core::{BoxFuture, Context, Failure, Probe};
use probe_http::Network;
use probe_keys::Findings;

use crate::{InitKeys, Run, Scope, ScriptKeys, Setters, run::Running, step, step::Step};

/// Requests in a chain, compiled.
#[derive(Debug)]
pub struct ScriptProbe {
    pub(crate) steps: Vec<Step>,
    init: InitKeys,
    setters: Arc<Setters>,
    location: Option<String>,
    /// The hosts that the configuration names, and no answer.
    pub(crate) hosts: Vec<String>,
}

// === impl ScriptProbe ===

impl ScriptProbe {
    /// Compiles what was written; `None` when a mistake was noted. `location` is where this daemon stands, when the
    /// configuration says so.
    pub fn new(keys: ScriptKeys, location: Option<&str>, network: &Arc<Network>, findings: &Findings) -> Option<Self> {
        let init = keys.init_keys.unwrap_or_default();
        let mut setters = Setters::new(&init, location.is_some());
        let steps = || keys.steps.0.iter().zip(1..);
        steps().for_each(|(step, number)| step::sets(step, number, &mut setters));
        let setters = Arc::new(setters);
        let run = Run { id: String::new(), location: location.map(str::to_owned), now: SystemTime::UNIX_EPOCH };
        let start = Scope::new(setters.clone(), &init, run);
        let compile = |(step, number)| Step::compile(step, number, &setters, &start, network, findings);
        // Every step is compiled, also after a bad one: all mistakes at once.
        let compiled: Vec<Option<Step>> = keys.steps.0.into_iter().zip(1..).map(compile).collect();
        let steps: Vec<Step> = compiled.into_iter().collect::<Option<_>>()?;
        let hosts = steps.iter().filter_map(|step| step.request.url().host(&start)).collect();
        Some(Self { steps, init, setters, location: location.map(str::to_owned), hosts })
    }

    /// The keys of a run before its first step.
    pub(crate) fn scope(&self, context: &Context) -> Scope {
        let id = context.propagation.trace_id.to_string();
        let run = Run { id, location: self.location.clone(), now: SystemTime::now() };
        Scope::new(self.setters.clone(), &self.init, run)
    }
}

impl Probe for ScriptProbe {
    fn kind(&self) -> &'static str {
        "script"
    }

    fn op(&self) -> &'static str {
        "probes.script"
    }

    fn spans(&self) -> usize {
        1 + self.steps.iter().map(Step::spans).sum::<usize>()
    }

    fn run<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(Running::new(self, context).all())
    }
}
