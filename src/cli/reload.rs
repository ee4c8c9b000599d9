//! Reading the configuration again while the daemon runs: what is bad changes nothing.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    sync::mpsc,
    time::{self, Duration},
};

use super::Process;
use crate::{
    check::Check,
    config::{self, Tokens, Watched},
    control::{Daemon, Reload},
    report::sentry::Settings,
};

/// How often watched files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the file again and hands its checks to the schedule.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) process: Process,
    pub(super) path: PathBuf,
    /// What cannot change while the daemon runs.
    pub(super) sentry: Option<Settings>,
    /// The sources of tokens.
    pub(super) tokens: Tokens,
    pub(super) changes: mpsc::Sender<Vec<Arc<Check>>>,
    pub(super) daemon: Arc<Daemon>,
    /// The checks in use, by identity.
    pub(super) checks: HashMap<String, Arc<Check>>,
    /// The files to look at now and then; none unless that is wanted.
    pub(super) watched: Option<Watched>,
}

// === impl Reloader ===

impl Reloader {
    /// Reloads whenever it is wished, for ever.
    pub(super) async fn serve(mut self, mut wishes: mpsc::Receiver<Reload>) {
        let mut looks = time::interval(LOOK);
        let mut seen = self.watched.as_ref().map(Watched::at_load);
        loop {
            tokio::select! {
                _ = looks.tick(), if self.watched.is_some() => {
                    let now = self.watched.as_ref().map(Watched::fingerprint);
                    if now != seen {
                        seen = now;
                        // What came of it stands in the log.
                        if self.reload().await.is_ok() {
                            seen = self.watched.as_ref().map(Watched::at_load);
                        }
                    }
                }
                () = self.process.reload.notified() => {
                    // Whoever sent the signal reads the log.
                    let _ = self.reload().await;
                }
                Some(Reload(answer)) = wishes.recv() => {
                    let news = self.reload().await;
                    // Whoever asked may have gone.
                    let _ = answer.send(news);
                }
            }
        }
    }

    /// What became of it, in words.
    async fn reload(&mut self) -> Result<String, String> {
        let loaded =
            config::load_again(&self.path, &self.process.environment, &self.process.redactor, self.tokens.clone());
        let config = match loaded {
            Ok(loaded) => loaded.config,
            Err(diagnostics) => return Err(self.refuse(&diagnostics.to_string())),
        };
        if self.watched.is_some() {
            self.watched = Some(config.watched);
        }
        let checks: Vec<Arc<Check>> = config.checks.into_iter().map(Arc::new).collect();
        if config.sentry != self.sentry {
            tracing::warn!("`sentry` has changed: that takes a restart");
        }
        let new: HashMap<String, Arc<Check>> = checks.iter().map(|check| (check.id.clone(), check.clone())).collect();
        let ids = |of: &HashMap<String, Arc<Check>>| of.keys().cloned().collect::<HashSet<String>>();
        let (before, after) = (ids(&self.checks), ids(&new));
        let (came, went) = (after.difference(&before).count(), before.difference(&after).count());
        self.checks = new;
        self.daemon.checks.store(checks.len(), Ordering::Relaxed);
        self.daemon.runs.forget();
        let count = checks.len();
        if self.changes.send(checks).await.is_err() {
            return Err("the daemon stops\n".to_owned());
        }
        tracing::info!(checks = count, came, went, "configuration read again");
        Ok(format!("{count} checks: {came} came, {went} went\n"))
    }

    fn refuse(&self, mistakes: &str) -> String {
        tracing::error!(config = %self.path.display(), "the configuration has mistakes, so nothing changes:\n{mistakes}");
        mistakes.to_owned()
    }
}
