//! The list of everything that ran for a ticket, to choose whose log is looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::domain::job::Job;
use crate::domain::run::{Run, RunKind};
use crate::ui::keys::{Action, Context};
use crate::ui::model::Model;
use crate::ui::theme::Role;
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{format, scroll, text};

use super::Overlay;
use super::bars;
use super::layout::split_bottom;

/// The widest that it gets.
const WIDEST: u16 = 100;
/// From this width on it says when each run began.
const DATES_FROM: usize = 60;

/// The list; the newest stands at the top.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::ui) struct RunList {
    /// Which row is marked, counted from the newest.
    at: usize,
}

impl RunList {
    /// Returns the list with a row marked.
    pub(super) fn at(at: usize) -> Self {
        Self { at }
    }
}

impl Model {
    /// Takes a key while the list is open. `list` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn key_in_runs(&mut self, list: RunList, action: Option<Action>) {
        let count = self.log.runs.known().len();
        let last = count.saturating_sub(1);
        let page = usize::from(self.size.height / 2).max(1);
        let at = match action {
            Some(Action::Back) => return,
            Some(Action::Choose) => return self.look_at_run(count.checked_sub(1 + list.at.min(last))),
            Some(Action::Down) => list.at + 1,
            Some(Action::Up) => list.at.saturating_sub(1),
            Some(Action::HalfDown) => list.at + page,
            Some(Action::HalfUp) => list.at.saturating_sub(page),
            Some(Action::Top) => 0,
            Some(Action::Bottom) => last,
            _ => list.at,
        };
        self.over = Some(Overlay::Runs(RunList { at: at.min(last) }));
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, list: RunList, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let known = model.log.runs.known();
    let height = u16::try_from(known.len()).unwrap_or(u16::MAX).saturating_add(2);
    let width = WIDEST.min(area.width.saturating_sub(4));
    let title = model.selected_ticket().map_or_else(String::new, |ticket| format!("What ran for {}", ticket.number));
    let popup = Popup { title: &title, footer: "", content: Size { width, height } };
    let (body, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Runs, keys, buffer);
    let shown = usize::from(body.height);
    let first = (list.at + 1).saturating_sub(shown).min(scroll::last_offset(known.len(), shown));
    for (row, (n, (job, run))) in body.rows().zip(known.iter().rev().enumerate().skip(first)) {
        let line = line(model, job, run, (n == list.at, usize::from(row.width)));
        buffer.set_line(row.x, row.y, &line, row.width);
    }
}

fn line(model: &Model, job: &Job, run: &Run, (marked, width): (bool, usize)) -> Line<'static> {
    let theme = &model.theme;
    let glyphs = &theme.glyphs;
    let (role, sign, ended) = match &run.end {
        Some(end) if end.is_success() => (Role::Ok, glyphs.ok, end.to_string()),
        Some(end) => (Role::Bad, glyphs.bad, end.to_string()),
        None => (Role::Running, glyphs.running, "running".to_owned()),
    };
    let took = run.finished_at.map(|finished| format::took(finished.since(run.started_at)));
    let what = match run.kind {
        RunKind::Execute => {
            let who = [job.agent.as_deref(), job.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            if job.attempt > 1 { format!("{who}, attempt {}", job.attempt) } else { who }
        }
        RunKind::Setup | RunKind::Check | RunKind::Cleanup => run.command.clone(),
    };
    let kind = text::pad(run.kind.as_str(), 7, text::Side::Left);
    let left = if width < DATES_FROM {
        format!("{kind} {what}")
    } else {
        format!("{} {kind} {what}", format::date(run.started_at, model.zone))
    };
    let right = format!("{sign} {ended}{}", took.map_or_else(String::new, |took| format!(" {took}")));
    let room = width.saturating_sub(2 + text::width(&right) + 1);
    vec![
        Span::styled(format!("{} ", if marked { glyphs.cursor } else { " " }), theme.style(Role::Focus)),
        Span::styled(
            text::pad(&text::truncate_with(&left, room, glyphs.ellipsis), room, text::Side::Left),
            theme.style(if marked { Role::Title } else { Role::Text }),
        ),
        Span::raw(" "),
        Span::styled(text::visible(&right).into_owned(), theme.style(role)),
    ]
    .into()
}
