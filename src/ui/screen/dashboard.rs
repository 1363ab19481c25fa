//! How things stand in figures: what needs a person, what runs, how many tickets are in which state, and what all of it cost. Each
//! count is a filter.

use crate::domain::job::JobStatus;
use crate::domain::money::dollars;
use crate::domain::query::Query;
use crate::domain::state::StateName;
use crate::domain::ticket::Usage;
use crate::ui::model::Model;
use crate::ui::msg::Effect;
use crate::ui::theme::Role;
use crate::ui::widget::format;

use super::columns;
use super::places::{Listed, Place, row};

/// A line: what it is about, how it looks, what it says, and which tickets it means, where it counts some.
struct Figure {
    name: String,
    role: Role,
    said: String,
    filter: Option<String>,
}

impl Model {
    /// Shows only the tickets of a figure.
    pub(super) fn choose_figure(&mut self, at: usize) -> Vec<Effect> {
        let chosen = figures(self).into_iter().nth(at).and_then(|figure| figure.filter);
        let Some(filter) = chosen else {
            self.show_place(Place::Dashboard, at);
            return self.refuse("this figure counts no tickets.".to_owned());
        };
        let query = Query::parse(&filter).unwrap_or_default();
        if !self.board.tickets().any(|ticket| query.matches(&self.board, self.index.conflicting(), ticket)) {
            self.show_place(Place::Dashboard, at);
            return self.refuse(format!("no ticket is {filter} now."));
        }
        self.desk.abandoned |= filter == filter_of(StateName::Abandoned);
        self.show_tickets(filter);
        Vec::new()
    }
}

impl Model {
    /// Says whether a figure is looked at that counts no tickets, so that there are none to show.
    pub(super) fn counts_no_tickets(&self, at: usize) -> bool {
        figures(self).get(at).is_none_or(|figure| figure.filter.is_none())
    }
}

fn filter_of(state: StateName) -> String {
    format!("state:{state}")
}

/// Returns the figures as rows.
pub(super) fn listed(model: &Model, width: usize) -> Listed {
    let figures = figures(model).into_iter();
    let rows = figures.map(|figure| row(model, &figure.name, &[(figure.role, figure.said)], width)).collect();
    Listed { rows, details: Vec::new(), none: String::new() }
}

fn figures(model: &Model) -> Vec<Figure> {
    let board = &model.board;
    let quiet = |role: Role, count: usize| if count == 0 { Role::Dim } else { role };
    let figure = |name: &str, role, count: usize, filter: &str| Figure {
        name: name.to_owned(),
        role: quiet(role, count),
        said: format::count(count as u64),
        filter: Some(filter.to_owned()),
    };
    let with_job = |status| board.active_jobs().filter(|job| job.status == status).count();
    let running = with_job(JobStatus::Running);
    let mut figures = vec![
        figure("need you", Role::Warn, model.index.needing_you(), "needs:me"),
        Figure {
            said: format!("{running} of {}", model.settings.max_parallel),
            ..figure("running", Role::Running, running, "running")
        },
        figure("queued", Role::Text, with_job(JobStatus::Queued), "queued"),
    ];
    for state in StateName::ALL {
        let name = columns::name(*state).to_lowercase();
        figures.push(figure(&name, Role::of_state(*state), model.index.total(*state), &filter_of(*state)));
    }
    let cost = |name: &str, said: String| Figure { name: name.to_owned(), role: Role::Text, said, filter: None };
    figures.extend(model.spent_today().map(|micros| cost("cost today", dollars(micros))));
    let used = board.tickets().map(|ticket| ticket.usage).fold(Usage::default(), |all, one| all + one);
    figures.extend(used.cost_micros.map(|micros| cost("cost in all", dollars(micros))));
    figures.extend((used.tokens() > 0).then(|| cost("tokens in all", format::tokens(used.tokens()))));
    figures
}
