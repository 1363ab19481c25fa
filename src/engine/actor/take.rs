//! Which queued jobs are taken, and what is said of those that the machine has no room for.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::domain::event::Actor as Who;
use crate::domain::fact::Fact;
use crate::domain::id::JobId;
use crate::domain::job::{Job, JobKind, JobStatus};
use crate::domain::pick::{holds_slot, pick_among};
use crate::domain::rule::What;
use crate::domain::waiting::held_by;

use super::super::autopilot::HEARTBEAT;
use super::super::limits::Room;
use super::message::{Reply, Wish, Work};
use super::{Actor, unknown};

/// Whether every job that there is a slot for was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    All,
    /// One could not be saved.
    NotAll,
    /// The machine lacks something that one needs.
    Held,
}

impl Actor {
    /// Says whether a job is queued and this engine takes such jobs.
    fn takes(&self, job: &Job) -> bool {
        let ticket = self.board.ticket(job.ticket);
        job.status == JobStatus::Queued && ticket.is_some_and(|ticket| self.mode.takes(ticket))
    }

    /// Gives free slots to queued jobs. One that the machine has no room for keeps none from those behind it.
    pub(super) async fn take_jobs(&mut self) -> Taken {
        if !self.board.active_jobs().any(|job| self.takes(job)) {
            return Taken::All;
        }
        let settings = self.workshop.settings().ok();
        let running = self.board.active_jobs().filter(|job| holds_slot(job)).count();
        let mut free = self.workshop.slots_of(settings.as_deref()).saturating_sub(running);
        let mut room: Option<Room> = None;
        // What each agent takes.
        let mut takes: HashMap<Option<String>, u64> = HashMap::new();
        let mut told = Vec::new();
        let mut taken = Taken::All;
        for id in pick_among(&self.board, usize::MAX, |ticket| self.mode.takes(ticket)) {
            let Some(job) = self.board.job(id).filter(|job| !self.chores.is_busy(job.ticket)) else { continue };
            if free == 0 {
                // It waits for a slot, whatever it waited for before.
                if !job.reason.is_empty() {
                    told.push((id, String::new()));
                }
                continue;
            }
            let needs_agent = job.kind == JobKind::Execute && job.takes_back.is_none();
            let mut promised = None;
            if let Some(loaded) = settings.as_deref().filter(|_| needs_agent) {
                let agent = job.agent.clone().or_else(|| self.board.ticket(job.ticket)?.agent.clone());
                let takes =
                    *takes.entry(agent).or_insert_with_key(|agent| self.workshop.takes(loaded, agent.as_deref()));
                let room = *room.get_or_insert_with(|| Room::of(&self.workshop.paths.data_dir));
                let claimed = self.claims.outstanding(Instant::now());
                if let Some(reason) = room.lack(&loaded.config, takes, claimed) {
                    taken = Taken::Held;
                    told.push((id, reason));
                    continue;
                }
                promised = Some(takes);
            }
            if !job.recheck {
                free -= 1;
            }
            self.note(What::Fact(Fact::Taken { job: id }), Who::system("engine")).await;
            let Some(job) = self.board.job(id).filter(|job| job.status == JobStatus::Running).cloned() else {
                return Taken::NotAll;
            };
            if let Some(takes) = promised {
                self.claims.promise(id, takes);
            }
            self.work_on(job);
        }
        self.tell_held(told).await;
        taken
    }

    /// Says what jobs wait for: at once where that is something else than before, and where only the figures are others, which
    /// they always are, now and then.
    async fn tell_held(&mut self, told: Vec<(JobId, String)>) {
        let is_time = self.told_held.is_none_or(|at| at.elapsed() >= HEARTBEAT);
        let known = |id: &JobId| self.board.job(*id).map_or("", |job| job.reason.as_str());
        let is_news = |(id, reason): &(JobId, String)| {
            let known = known(id);
            held_by(known) != held_by(reason) || is_time && known != reason
        };
        let news: Vec<(JobId, String)> = told.into_iter().filter(is_news).collect();
        if news.is_empty() {
            return;
        }
        if is_time {
            self.told_held = Some(Instant::now());
        }
        let work = |(job, reason)| {
            let what = Box::new(What::Fact(Fact::Held { job, reason }));
            let wish = Wish::Decide { who: Who::system("engine"), known: unknown(), what, records: Vec::new() };
            Work { wish, number: None, reply: Reply::Nobody }
        };
        self.carry_out(news.into_iter().map(work).collect()).await;
    }
}
