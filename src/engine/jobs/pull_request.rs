//! The pull request job: it pushes the newest revision, opens a pull request for it, or has the host merge it.
//!
//! What it is to do is stored with the job before it starts. It can be killed anywhere and begun again: what the remote's
//! branch is at and which pull request is open for it is asked before anything is pushed or opened.

use crate::config::Config;
use crate::domain::fact::Fact;
use crate::domain::pull_request::{Dealt, Errand, PullRequest, PullState, Seen, TITLE_MAX};
use crate::domain::revision::Revision;
use crate::domain::ticket::Ticket;
use crate::git::host::{Host, HostError, NewPull};
use crate::git::publish::{Push, Pushed, push};

use super::super::error::EngineError;
use super::super::host::host;
use super::super::workshop::Workshop;
use super::bench::Bench;

/// Works on a pull request job until its end is stored.
pub(super) async fn pull_request(bench: &Bench) -> Result<(), EngineError> {
    if bench.stop.is_cancelled() {
        return bench.learn(bench.stopped(), Vec::new()).await;
    }
    let (ticket, errand) = (bench.ticket.clone(), bench.job.errand.clone());
    let stop = bench.stop.clone();
    let done = bench.making(move |shop| {
        let Some(errand) = errand else { return Ok(Some(refuse("nothing says what it was to do".to_owned()))) };
        let settings = shop.settings()?;
        let case = Case::read(shop, ticket)?;
        let done = match host(shop, &shop.repo, &settings.config) {
            Ok(host) => case.deal(&host, &settings.config, &errand, &|| stop.is_cancelled()),
            Err(error) => Err(error),
        };
        Ok(match done {
            Ok(done) => done,
            Err(error) => Some(refuse(format!("{}: {error}", failed(&errand)))),
        })
    });
    let fact = match done.await? {
        Some(outcome) => Fact::Dealt { job: bench.job.id, outcome },
        None => bench.stopped(),
    };
    bench.learn(fact, Vec::new()).await
}

fn refuse(reason: String) -> Dealt {
    Dealt::Refused { reason }
}

fn failed(errand: &Errand) -> &'static str {
    match errand {
        Errand::Open { .. } => "no pull request was opened",
        Errand::Push => "nothing was pushed to its pull request",
        Errand::Merge { .. } => "its pull request was not merged",
    }
}

/// What is known of the ticket.
struct Case<'a> {
    shop: &'a Workshop,
    ticket: Ticket,
    description: String,
    /// Oldest first.
    revisions: Vec<Revision>,
}

impl<'a> Case<'a> {
    fn read(shop: &'a Workshop, ticket: Ticket) -> Result<Self, EngineError> {
        let id = ticket.id;
        let (description, mut revisions) =
            shop.readers.read(|reader| Ok((reader.description(id)?.unwrap_or_default(), reader.revisions(id)?)))?;
        revisions.sort_by_key(|revision| revision.number);
        Ok(Self { shop, ticket, description, revisions })
    }

    /// Returns nothing where somebody stopped it in between.
    fn deal(
        &self,
        host: &Host<'_>,
        config: &Config,
        errand: &Errand,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Dealt>, HostError> {
        let Some(newest) = self.revisions.last() else {
            return Ok(Some(refuse("its change is not there any more".to_owned())));
        };
        match (errand, &self.ticket.pull_request) {
            (Errand::Open { .. }, _) => self.open(host, errand, newest, is_stopped),
            (Errand::Push, Some(pull)) => {
                let seen = host.see(pull.seen.number)?;
                if seen.state != PullState::Open {
                    return Ok(Some(done(host, seen, None)));
                }
                Ok(Some(match self.publish(host, &pull.seen.branch, newest)? {
                    Ok(()) => done(host, seen, Some(newest)),
                    Err(reason) => refuse(reason),
                }))
            }
            (Errand::Merge { strategy }, Some(pull)) => {
                let strategy = config.merge_config.strategy(*strategy);
                self.merge(host, pull, |number| host.merge(number, strategy, &newest.head)).map(Some)
            }
            (Errand::Push | Errand::Merge { .. }, None) => Ok(Some(refuse("it has no pull request".to_owned()))),
        }
    }

    fn open(
        &self,
        host: &Host<'_>,
        errand: &Errand,
        newest: &Revision,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Dealt>, HostError> {
        let Errand::Open { title, body, base, draft } = errand else { return Ok(None) };
        let Some(worktree) = &self.ticket.worktree else {
            return Ok(Some(refuse("it has no worktree any more, so the name of its branch is not known".to_owned())));
        };
        let branch = &worktree.branch;
        // Asked first: one that a killed engine opened is not opened again, and a host that does not answer is seen before
        // anything is pushed.
        let known = host.open_of(branch)?;
        if let Err(reason) = self.publish(host, branch, newest)? {
            return Ok(Some(refuse(reason)));
        }
        if let Some(seen) = known {
            return Ok(Some(done(host, seen, Some(newest))));
        }
        if is_stopped() {
            return Ok(None);
        }
        let base = base.as_deref().unwrap_or(&worktree.base_branch);
        // A board may start from a branch that is only on the remote.
        let base = base.strip_prefix(&format!("{}/", host.project.remote)).unwrap_or(base);
        let own =
            format!("{}\n\nDraft-Ticket: {} ({})\n", self.description.trim(), self.ticket.number.0, self.ticket.id);
        let title: String = title.as_deref().unwrap_or(self.ticket.title.as_str()).chars().take(TITLE_MAX).collect();
        let new =
            NewPull { title: &title, body: body.as_deref().unwrap_or(own.trim_start()), branch, base, draft: *draft };
        Ok(Some(done(host, host.create(new)?, Some(newest))))
    }

    /// Brings the remote's branch to a revision, or says why it is not there.
    fn publish(&self, host: &Host<'_>, branch: &str, newest: &Revision) -> Result<Result<(), String>, HostError> {
        let ours: Vec<String> = self.revisions.iter().map(|revision| revision.head.clone()).collect();
        let worktree = self.ticket.worktree.as_ref().map(|worktree| worktree.path.as_path());
        let what = Push {
            dir: worktree.filter(|path| path.is_dir()).unwrap_or(self.shop.repo.common_dir()),
            remote: &host.project.remote,
            url: host.project.push_url.as_deref(),
            commit: &newest.head,
            branch,
            ours: &ours,
        };
        let remote = &host.project.remote;
        Ok(match push(&self.shop.repo, what)? {
            Pushed::Done | Pushed::Already => Ok(()),
            Pushed::Foreign(commit) => Err(format!(
                "the branch {branch} of {remote} is at {}, which Draft did not push, so it stays; look at it there",
                commit.get(..12).unwrap_or(&commit)
            )),
            Pushed::Refused(reason) => Err(format!("{branch} could not be pushed to {remote}: {reason}")),
        })
    }

    fn merge(
        &self,
        host: &Host<'_>,
        pull: &PullRequest,
        merge: impl FnOnce(u64) -> Result<(), HostError>,
    ) -> Result<Dealt, HostError> {
        let number = pull.seen.number;
        let before = host.see(number)?;
        if before.state != PullState::Open {
            return Ok(done(host, before, None));
        }
        if before.head != pull.pushed {
            let there = before.head.get(..12).unwrap_or(&before.head);
            return Ok(refuse(format!(
                "{} is at {there}, which is not the approved revision, so it was not merged",
                pull.place()
            )));
        }
        match merge(number) {
            Ok(()) => Ok(done(host, host.see(number)?, None)),
            // It may have merged and not have been able to say so.
            Err(error) => match host.see(number)? {
                seen if seen.state == PullState::Merged => Ok(done(host, seen, None)),
                _ => Err(error),
            },
        }
    }
}

fn done(host: &Host<'_>, mut seen: Seen, pushed: Option<&Revision>) -> Dealt {
    if let Some(revision) = pushed.filter(|_| seen.state == PullState::Open) {
        // The remote has it; the host may take a moment to see that.
        seen.head.clone_from(&revision.head);
    }
    Dealt::Done {
        provider: host.project.provider,
        host: host.project.host.clone(),
        seen: Box::new(seen),
        pushed: pushed.map(|revision| (revision.number, revision.head.clone())),
    }
}
