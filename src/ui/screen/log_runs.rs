//! Which run's log is looked at: the ticket's newest one, or an older one that somebody went back to.

use crate::domain::detail::Detail;
use crate::domain::id::TicketId;
use crate::domain::job::Job;
use crate::domain::log::{LogPage, LogPlace, Ran};
use crate::domain::run::{Run, RunId};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::Effect;

use super::Overlay;
use super::log_list::RunList;

/// The runs of the ticket, as far as they are known, and the one that is looked at.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Runs {
    /// The run that somebody went back to; nothing follows the newest.
    chosen: Option<RunId>,
    /// Oldest first; nothing until somebody wants to go back.
    known: Vec<(Job, Run)>,
    wish: Wish,
}

/// Whether somebody wants to go back and the runs must be loaded for that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Wish {
    #[default]
    No,
    Wanted(For),
    Asked(For),
}

/// What the runs are wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum For {
    /// To go back to the one before.
    Older,
    /// To choose from all.
    List,
}

impl Runs {
    /// Returns the run that somebody went back to.
    pub(super) fn chosen(&self) -> Option<RunId> {
        self.chosen
    }

    /// Returns the jobs and runs of the ticket, as far as they are known, oldest first.
    pub(super) fn known(&self) -> &[(Job, Run)] {
        &self.known
    }

    fn place(&self) -> Option<usize> {
        self.known.iter().position(|(_, run)| Some(run.id) == self.chosen)
    }

    /// Returns the place of the run that somebody went back to, counted from 1, and how many there are.
    pub(super) fn counted(&self) -> Option<(usize, usize)> {
        self.place().map(|place| (place + 1, self.known.len()))
    }
}

/// A run that is looked at, and the job that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    /// The job.
    pub(super) job: &'a Job,
    /// The run; nothing when the job has none yet.
    pub(super) run: Option<&'a Run>,
    /// Which of the job's runs of its kind it is, counted from 1.
    pub(super) nth: u32,
    /// How many of its kind the job has so far.
    pub(super) of: u32,
    /// Whether no more of its kind will come.
    pub(super) all: bool,
}

impl<'a> Looked<'a> {
    /// Returns a run of a job among all that are known.
    fn at(job: &'a Job, run: Option<&'a Run>, known: impl Iterator<Item = &'a Run>) -> Self {
        let own: Vec<&Run> = known.filter(|other| other.id.job == job.id).collect();
        let (mut nth, mut of) = (0, 0);
        if let Some(run) = run {
            let like = own.iter().filter(|other| other.kind == run.kind);
            nth = like.clone().filter(|other| other.id.n <= run.id.n).count();
            of = like.count();
        }
        let all = !job.status.is_active() || own.last().map(|last| last.kind) != run.map(|run| run.kind);
        Self { job, run, nth: number(nth), of: number(of), all }
    }
}

impl Model {
    /// Returns what is looked at.
    pub(super) fn looked_at(&self) -> Option<Looked<'_>> {
        let runs = &self.log.runs;
        if let Some(place) = runs.place() {
            let (job, run) = &runs.known[place];
            return Some(Looked::at(job, Some(run), runs.known.iter().map(|(_, run)| run)));
        }
        self.newest_of(self.selected()?, self.log.page())
    }

    /// Returns the newest run of a ticket, which may be the one of an earlier job that the page shows.
    pub(super) fn newest_of<'a>(&'a self, ticket: TicketId, page: Option<&'a LogPage>) -> Option<Looked<'a>> {
        let job = self.board.newest_job(ticket)?;
        let run = self.board.runs(job.id).next_back();
        let earlier = page.filter(|page| page.request.ticket == ticket).and_then(|page| page.earlier.as_deref());
        Some(match earlier.filter(|_| run.is_none()) {
            Some(Ran { job, runs }) => Looked::at(job, runs.last(), runs.iter()),
            None => Looked::at(job, run, self.board.runs(job.id)),
        })
    }

    /// Goes to the run before the one that is looked at.
    pub(super) fn go_to_older_run(&mut self) {
        match self.log.runs.place() {
            Some(0) => self.say(NoticeKind::News, "this is the first run of the ticket"),
            Some(place) => self.look_at_run(Some(place - 1)),
            None => self.log.runs.wish = Wish::Wanted(For::Older),
        }
    }

    /// Goes to the run after the one that is looked at; the newest one is followed, also when there comes a newer one.
    pub(super) fn go_to_newer_run(&mut self) {
        match self.log.runs.place() {
            Some(place) => self.look_at_run(Some(place + 1)),
            None => self.say(NoticeKind::News, "this is the newest run of the ticket"),
        }
    }

    /// Looks the runs up, to list them.
    pub(super) fn list_runs(&mut self) {
        self.log.runs.wish = Wish::Wanted(For::List);
    }

    fn open_runs(&mut self) {
        let runs = &self.log.runs;
        if runs.known.is_empty() {
            return self.say(NoticeKind::News, "nothing has run for this ticket yet");
        }
        let newest = runs.known.len() - 1;
        let at = runs.place().unwrap_or(newest);
        if self.over.is_none() {
            self.over = Some(Overlay::Runs(RunList::at(newest - at)));
            self.dirty = true;
        }
    }

    /// Looks at a run by its place, counted from the oldest; the newest one is followed, also when there comes a newer one.
    pub(super) fn look_at_run(&mut self, place: Option<usize>) {
        let runs = &mut self.log.runs;
        let place = place.filter(|place| place + 1 < runs.known.len());
        let chosen = place.and_then(|place| runs.known.get(place)).map(|(_, run)| run.id);
        if chosen == runs.chosen {
            // Its rows are there already, and nobody would send them again.
            self.log.go_to(LogPlace::End);
        } else {
            runs.chosen = chosen;
            self.log.start_anew();
        }
        self.dirty = true;
    }

    /// Asks for the runs once somebody wants to go back.
    pub(in crate::ui) fn ask_for_runs(&mut self) -> Option<Effect> {
        let ticket = self.selected()?;
        let Wish::Wanted(what) = self.log.runs.wish else { return None };
        self.log.runs.wish = Wish::Asked(what);
        Some(Effect::LoadDetail(ticket))
    }

    /// Takes over the runs of the ticket, and goes back if somebody wanted to.
    pub(in crate::ui) fn take_runs(&mut self, detail: &Detail, of: Option<TicketId>) {
        if of != Some(detail.ticket) {
            return;
        }
        let runs = &mut self.log.runs;
        runs.known.clear();
        for job in &detail.jobs {
            let own = detail.runs.iter().filter(|run| run.id.job == job.id);
            runs.known.extend(own.map(|run| (job.clone(), run.clone())));
        }
        match std::mem::take(&mut runs.wish) {
            Wish::No => return,
            Wish::Wanted(For::List) | Wish::Asked(For::List) => return self.open_runs(),
            Wish::Wanted(For::Older) | Wish::Asked(For::Older) => {}
        }
        match self.log.runs.known.len().checked_sub(2) {
            Some(before) => self.look_at_run(Some(before)),
            None => self.say(NoticeKind::News, "this is the only run of the ticket"),
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
