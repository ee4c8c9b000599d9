//! What one run becomes in Sentry.

use chrono::{DateTime, SecondsFormat, Utc};
use probe_core::{SpanRecord, Verdict};

use super::{
    envelope::Envelope,
    event::ErrorEvent,
    labels::Labels,
    settings::Settings,
    spool::Lane,
    transaction::Transaction,
    wire::{self, Hex, Item},
};
use crate::{report::Report, trace::Sampling};

/// A run, with what its transaction and its event share.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) report: &'a Report,
    pub(super) root: &'a SpanRecord,
    pub(super) labels: Labels<'a>,
    pub(super) trace_id: Hex<32>,
    /// Sentry's name of what made the spans (develop.sentry.dev, "Trace Origin").
    pub(super) origin: String,
    /// When the run should have started (RFC 3339).
    pub(super) planned: String,
}

/// The envelopes of one run: its transaction unless it succeeded, as the one before it, and is not in the sample; and before
/// it the error event when the target is down. What is not plainly up is urgent, and so is that it is up again. An inconclusive
/// run says nothing of the target, so it is never an error of the probe.
pub fn envelopes(settings: &Settings, report: &Report) -> Vec<Envelope> {
    let Some(run) = Run::of(settings, report) else { return Vec::new() };
    // A run that is sent whatever was drawn stands for itself; else Sentry would count a failure many times.
    let sampling = match report.outcome.verdict {
        Verdict::Up if report.after_failure => Sampling::always(),
        Verdict::Up if !settings.success_sample.keeps(report.trace_id) => return Vec::new(),
        Verdict::Up => settings.success_sample.of(report.trace_id),
        Verdict::Down(_) | Verdict::Inconclusive(_) => Sampling::always(),
    };
    let context = run.labels.sampling_context(settings, run.trace_id.as_str(), sampling);
    let transaction = |lane| {
        let id = wire::event_id();
        wire::seal(lane, id, Some(&context), Item::Transaction, &Transaction::of(&run, id.into()))
    };
    match &report.outcome.verdict {
        Verdict::Up if report.after_failure => vec![transaction(Lane::Urgent)],
        Verdict::Up => vec![transaction(Lane::Routine)],
        Verdict::Inconclusive(_) => vec![transaction(Lane::Urgent)],
        Verdict::Down(failure) => {
            let id = wire::event_id();
            let event = ErrorEvent::of(&run, failure, id.into());
            vec![wire::seal(Lane::Urgent, id, Some(&context), Item::Event, &event), transaction(Lane::Urgent)]
        }
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    /// None when the tree has no root: then nothing ran.
    fn of(settings: &'a Settings, report: &'a Report) -> Option<Self> {
        let planned = DateTime::<Utc>::from(report.start.planned);
        Some(Self {
            report,
            root: report.outcome.tree.root()?,
            labels: Labels::of(settings, report),
            trace_id: report.trace_id.into(),
            origin: format!("auto.probe.{}", report.check.kind()),
            planned: planned.to_rfc3339_opts(SecondsFormat::Micros, true),
        })
    }
}
