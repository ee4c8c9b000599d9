//! Groups to checks: defaults and tags of each level brought together, probes compiled.

use std::{iter, time::Duration};

use probe_keys::{Findings, Placed, Spot};

use super::{
    filtered::{self, is_filtered},
    identity::Identities,
    keys::{Entry, Generic, Group, Own},
    kinds::{Compiled, Compiler, Tokens},
    line::Line,
    list::List,
    tags::WrittenTags,
    timing,
};
use crate::{
    check::{Check, Tags, Thresholds, Timing},
    redact::Redactor,
};

/// More cron expressions than the scheduler was measured with.
const MOST_CRON: usize = 10_000;

/// What the longest title may have (trace.md, "Limits").
const LONGEST_TITLE: usize = 200;

/// What the file, or a group, says of the checks below it.
#[derive(Debug)]
pub(super) struct Level {
    /// Tags of each of them.
    pub(super) tags: WrittenTags,
    /// What holds for those that do not say otherwise.
    pub(super) defaults: Option<Generic>,
}

/// A check but for its names: they must be free of secrets, which are all known only at the end.
#[derive(Debug)]
pub(super) struct Draft {
    spot: Spot,
    own: Own,
    compiled: Compiled,
    enabled: bool,
    tags: Tags,
    timing: Timing,
    burst: u32,
    timeout: Duration,
    monitor: Option<Thresholds>,
    runbook: Option<String>,
}

/// Compiles every probe, also the disabled ones: their mistakes are mistakes.
pub(super) fn drafts(file: &Level, groups: Vec<Group>, tokens: &Tokens, findings: &Findings) -> Vec<Draft> {
    let mut compiler = Compiler::new(file.tags.to_tags().remove("location"), tokens.clone(), findings);
    let mut drafts = Vec::new();
    file.defaults.iter().for_each(|defaults| timing::lint(defaults, findings));
    for Group { tags, defaults, probes: List(probes), .. } in groups {
        let group = Level { tags: tags.unwrap_or_default(), defaults };
        group.defaults.iter().for_each(|defaults| timing::lint(defaults, findings));
        drafts.extend(probes.into_iter().filter_map(|entry| draft(file, &group, entry, &mut compiler, findings)));
    }
    let mut cron = drafts.iter().filter(|draft| draft.enabled && matches!(draft.timing, Timing::Cron { .. }));
    if let Some(draft) = cron.nth(MOST_CRON) {
        findings.wrong(&draft.spot, format!("more than {MOST_CRON} checks with `cron`: use `every` for the others"));
    }
    drafts
}

fn draft(file: &Level, group: &Level, entry: Entry, compiler: &mut Compiler<'_>, findings: &Findings) -> Option<Draft> {
    let Entry { spot, own, generic, kind } = entry;
    timing::lint(&generic, findings);
    let (timing, timeout) = timing::timing(&generic, [&group.defaults, &file.defaults].map(Option::as_ref), findings);
    let compiled = compiler.compile(kind?, &spot)?;
    let defaults = [&group.defaults, &file.defaults].into_iter().flatten();
    let nearest = || iter::once(&generic).chain(defaults.clone());
    let mut tags = file.tags.to_tags();
    defaults.clone().rev().filter_map(|level| level.tags.as_ref()).for_each(|written| written.over(&mut tags));
    group.tags.over(&mut tags);
    generic.tags.iter().for_each(|written| written.over(&mut tags));
    tags.insert("probe".to_owned(), compiled.probe.kind().to_owned());
    Some(Draft {
        enabled: nearest().find_map(|level| level.enabled).unwrap_or(true),
        burst: nearest().find_map(|level| level.burst).map_or(1, |burst| burst.0.get()),
        monitor: nearest().find_map(|level| level.monitor).and_then(|monitor| monitor.0),
        runbook: nearest().find_map(|level| level.runbook.clone()).map(|runbook| runbook.0),
        spot,
        own,
        compiled,
        tags,
        timing,
        timeout,
    })
}

/// Gives names to all, and returns those that are enabled. `redactor` knows every secret by now; `sent` says whether results
/// go to Sentry.
pub(super) fn checks(drafts: Vec<Draft>, sent: bool, redactor: &Redactor, findings: &Findings) -> Vec<Check> {
    let mut identities = Identities::default();
    for Placed { value: Line(id), spot } in drafts.iter().filter_map(|draft| draft.own.id.as_ref()) {
        identities.explicit(id, spot, findings);
    }
    let mut checks = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let target = redactor.redact(&draft.compiled.target);
        let title = draft.own.title.map_or_else(|| target.chars().take(LONGEST_TITLE).collect(), |title| title.value.0);
        let id = match draft.own.id {
            Some(id) => id.value.0,
            None => identities.derived(draft.compiled.probe.kind(), &title, &target, &draft.spot, findings),
        };
        // A disabled one has had its number, so that the others keep theirs.
        if draft.enabled {
            if sent && is_filtered(&title) {
                let reason = format!("Sentry drops `{title}` as a health check, without a word");
                findings.warn(&draft.spot, reason, filtered::HINT);
            }
            checks.push(Check {
                id,
                title,
                tags: draft.tags,
                timing: draft.timing,
                burst: draft.burst,
                timeout: draft.timeout,
                monitor: draft.monitor,
                runbook: draft.runbook.map(|runbook| redactor.redact(&runbook).into_owned()),
                probe: draft.compiled.probe,
            });
        }
    }
    checks
}
