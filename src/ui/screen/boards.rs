//! All boards of the data directory: where they are, how their tickets are, who works on them; and how one goes to another.

use std::path::PathBuf;

use crate::domain::glance::Glance;
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::{Effect, Role as Part};
use crate::ui::theme::Role;
use crate::ui::widget::format;

use super::Overlay;
use super::dialog::Question;
use super::overview::Page;
use super::places::{Listed, Place, row, tally};

/// From this width on a row says how the tickets are.
const TICKETS_FROM: usize = 60;

impl Model {
    /// Takes over what boards there are.
    pub(in crate::ui) fn take_boards(&mut self, boards: Vec<Glance>) {
        self.dirty |= self.boards.as_ref() != Some(&boards);
        let is_first = self.boards.replace(boards).is_none();
        if is_first && matches!(&self.over, Some(Overlay::Place(list)) if list.place == Place::Boards) {
            self.show_place(Place::Boards, self.own_row());
        }
    }

    /// Returns the row of this board.
    pub(super) fn own_row(&self) -> usize {
        let boards = self.boards.iter().flatten();
        boards.into_iter().position(|board| board.about.id == self.board.about.id).unwrap_or(0)
    }

    /// Goes to another board, or says why not.
    pub(super) fn choose_board(&mut self, at: usize) -> Vec<Effect> {
        let Some(board) = self.boards.as_ref().and_then(|boards| boards.get(at)) else {
            self.show_place(Place::Boards, at);
            return Vec::new();
        };
        let (id, root) = (board.about.id, board.about.repo_root.clone());
        if id == self.board.about.id {
            self.say(NoticeKind::Answer, "this is the board that you are on");
            return Vec::new();
        }
        if !board.exists {
            let said = format!(
                "{} is gone, so its board cannot be opened; `draft board remove {}` takes it out.",
                root.display(),
                board.about.name
            );
            self.show_place(Place::Boards, at);
            return self.refuse(said);
        }
        if self.settings.role == Part::Engine && self.index.running().total() > 0 {
            return self.ask(Question::Switch { to: root });
        }
        self.switch(root)
    }

    /// Leaves this board for that of another repository.
    pub(in crate::ui) fn switch(&mut self, to: PathBuf) -> Vec<Effect> {
        vec![Effect::Switch(to)]
    }
}

/// Returns the boards, and more about the one that is marked.
pub(super) fn listed(model: &Model, at: usize, width: usize) -> Listed {
    let none = "Looking for boards …".to_owned();
    let Some(boards) = &model.boards else { return Listed { rows: Vec::new(), details: Vec::new(), none } };
    let rows = boards.iter().map(|board| {
        let is_alone = boards.iter().filter(|other| other.about.name == board.about.name).count() == 1;
        let place = if is_alone { String::new() } else { format!("  {}", board.about.repo_root.display()) };
        let mut facts = Vec::new();
        if width >= TICKETS_FROM {
            facts.push((Role::Dim, tally(&board.tickets)));
        }
        facts.extend(standing(model, board));
        row(model, &format!("{}{place}", board.about.name), &facts, width)
    });
    let marked = boards.get(at.min(boards.len().saturating_sub(1)));
    let details = marked.map_or_else(Vec::new, |board| {
        let mut page = Page::new(model, width);
        page.heading(&board.about.name);
        page.fact("repository", Role::Link, &board.about.repo_root.to_string_lossy());
        page.fact("target", Role::Link, &board.about.base_branch);
        page.fact("tickets", Role::Text, &tally(&board.tickets));
        page.fact("goals", Role::Text, &format::count(board.goals as u64));
        page.fact("running", Role::Text, &format::count(board.running as u64));
        let (role, said) = engine(model, board);
        page.fact("engine", role, &said);
        page.fact("made", Role::Dim, &format::date(board.about.created_at, model.zone));
        page.lines()
    });
    Listed { rows: rows.collect(), details, none: "There is no board yet.".to_owned() }
}

/// Returns what stands out about a board, in a word.
fn standing(model: &Model, board: &Glance) -> Option<(Role, String)> {
    let glyphs = &model.theme.glyphs;
    if board.about.id == model.board.about.id {
        Some((Role::Running, format!("{} this one", glyphs.on)))
    } else if !board.exists {
        Some((Role::Bad, format!("{} gone", glyphs.bad)))
    } else if board.running > 0 {
        Some((Role::Running, format!("{} {} running", glyphs.running, board.running)))
    } else {
        board.engine.map(|_| (Role::Text, format!("{} open", glyphs.half)))
    }
}

fn engine(model: &Model, board: &Glance) -> (Role, String) {
    let enter = model.keys.shown(Context::Boards, Action::Choose);
    if board.about.id == model.board.about.id {
        return (Role::Text, "you are on it".to_owned());
    }
    match board.engine {
        _ if !board.exists => (Role::Bad, "the repository's folder is gone".to_owned()),
        Some(pid) => (Role::Text, format!("process {pid}; {enter} opens it beside that one")),
        None if board.running > 0 => (Role::Warn, format!("none: what runs is taken up when you open it ({enter})")),
        None => (Role::Dim, format!("none; {enter} opens it")),
    }
}
