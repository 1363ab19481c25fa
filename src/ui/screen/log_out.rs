//! What of a log goes elsewhere: a row into the clipboard, all of it into a file or the person's pager.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui_textarea::TextArea;

use crate::domain::log::{LogPlace, LogRequest, LogView};
use crate::domain::run::RunKind;
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::{Controls, Effect, Existing, LogText, Saved};
use crate::ui::theme::Role;
use crate::ui::widget::field::{Field, Focus};
use crate::ui::widget::popup::Popup;
use crate::ui::widget::{format, plain, text};
use crate::ui::words;

use super::dialog::Question;
use super::layout::{put, split_bottom, split_top};
use super::typing::{self, Lines};
use super::{Overlay, bars};

/// The widest that the question gets.
const WIDEST: u16 = 76;
/// How many lines it has: what is saved, the name and its frame, the keys.
const HEIGHT: u16 = 5;
/// How many rows are read at once where all of them are wanted.
const BATCH: u16 = 1_000;

/// Where a log is to be saved.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Save {
    /// What is saved, as the log was shown when somebody wanted that.
    text: LogText,
    path: TextArea<'static>,
}

impl Save {
    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        typing::pasted(&mut self.path, Lines::One, pasted);
    }

    fn typed(&self) -> &str {
        self.path.lines().first().map_or("", |typed| typed.trim())
    }
}

impl Model {
    /// Copies the row that was found, or else the first one in sight.
    pub(in crate::ui) fn copy_row(&mut self) -> Vec<Effect> {
        let row = self.rows_in_sight().and_then(|rows| {
            let found = self.log.search.current().filter(|row| rows.contains(row));
            let page = self.log.page()?;
            let n = found.unwrap_or(rows.start).checked_sub(page.first)?;
            plain::row(&page.rows, usize::try_from(n).ok()?)
        });
        let Some(row) = row else {
            return self.refuse("there is no row here to copy.".to_owned());
        };
        let more = row.lines().count().saturating_sub(1);
        let first = row.lines().next().unwrap_or_default();
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {}", format::counted(more as u64, "more line", "more lines"))
        };
        self.say(NoticeKind::Answer, format!("copied: {first}{more}"));
        vec![Effect::Copy(row)]
    }

    /// Asks where the log is to be saved.
    pub(in crate::ui) fn save_log(&mut self) -> Vec<Effect> {
        let Some(text) = self.log_text(Controls::Kept) else { return Vec::new() };
        let mut path = typing::area(&self.theme);
        path.insert_str(self.file_name());
        self.over = Some(Overlay::Save(Box::new(Save { text, path })));
        Vec::new()
    }

    /// Opens the log in the person's pager.
    pub(in crate::ui) fn page_log(&mut self) -> Vec<Effect> {
        self.log_text(Controls::Shown).map(Effect::PageLog).into_iter().collect()
    }

    /// Returns why no log goes anywhere, if so.
    pub(in crate::ui) fn why_no_log(&self) -> Option<String> {
        let ticket = match self.selected_ticket() {
            Some(ticket) => ticket,
            None => return Some("there is no ticket here.".to_owned()),
        };
        if !self.reads_log() {
            return Some("that is a key of the log; 2 shows it.".to_owned());
        }
        self.looked_at()
            .is_none_or(|looked| looked.run.is_none())
            .then(|| format!("nothing has run for {} yet, so there is no log.", ticket.number))
    }

    /// Takes a key while somebody says where. `save` is taken off the screen; to keep it, it is put back.
    pub(in crate::ui) fn key_in_save(
        &mut self,
        mut save: Box<Save>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Choose) if !save.typed().is_empty() => {
                let path = save.typed().to_owned();
                self.say(NoticeKind::News, "saving the log …");
                return vec![Effect::SaveLog { text: save.text, path, existing: Existing::Kept }];
            }
            Some(Action::Choose) => {}
            _ => typing::typed(&mut save.path, Lines::One, event),
        }
        self.over = Some(Overlay::Save(save));
        Vec::new()
    }

    /// A log was saved, or there is a file already.
    pub(in crate::ui) fn saved(&mut self, saved: Saved) -> Vec<Effect> {
        // No key asked for this frame.
        self.dirty = true;
        match saved {
            Saved::Done { path, bytes } => {
                self.say(NoticeKind::Answer, format!("saved: {path} ({})", format::bytes(bytes)));
                Vec::new()
            }
            Saved::Exists { text, path } if self.over.is_none() => {
                self.notice = None;
                self.ask(Question::Overwrite { text: *text, path })
            }
            Saved::Exists { path, .. } => self.refuse(format!("{path} is there already, so nothing was saved.")),
            Saved::Failed(trouble) => {
                self.say(NoticeKind::Failed, trouble);
                Vec::new()
            }
        }
    }

    /// Returns the log as it is shown now, all of it.
    fn log_text(&self, controls: Controls) -> Option<LogText> {
        let shown = self.wanted_log()?;
        let request = LogRequest { place: LogPlace::From(0), rows: BATCH, sought: None, ..shown };
        Some(LogText { request, times: self.log.zone_of_times(self.zone), controls })
    }

    /// Returns the name of a file for the log.
    fn file_name(&self) -> String {
        let number = self.selected_ticket().map_or(0, |ticket| ticket.number.0);
        let what = self.looked_at().map_or_else(String::new, |looked| match looked.run.map(|run| run.kind) {
            Some(RunKind::Execute) | None => looked.job.what().to_owned(),
            Some(kind @ (RunKind::Check | RunKind::Setup | RunKind::Cleanup)) => format!("{kind}-{}", looked.nth),
        });
        format!("draft-{number}-{what}.log")
    }
}

/// Draws the question over what is there.
pub(in crate::ui) fn draw(model: &Model, save: &Save, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let title = format!("Save the log of {}", words::number(&model.board, save.text.request.ticket));
    let content = Size { width: WIDEST.min(area.width.saturating_sub(4)), height: HEIGHT };
    let (rest, keys) = split_bottom(Popup { title: &title, footer: "", content }.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Save, keys, buffer);
    let (said, field) = split_top(rest, 1);
    let is_whole = save.text.request.filter.is_open();
    let what = match (save.text.request.view, is_whole) {
        (LogView::Raw, true) => "Exactly the bytes that were printed.",
        (LogView::Raw, false) => "The lines that the filter shows, as they were printed.",
        (LogView::Pretty, true) => "As people read it; p before this saves the bytes.",
        (LogView::Pretty, false) => "What the filter shows, as people read it.",
    };
    put(
        said,
        &Line::styled(text::truncate_with(what, said.width.into(), theme.glyphs.ellipsis), theme.style(Role::Dim)),
        buffer,
    );
    let label = "File (in the folder in which Draft was started)";
    Field { label, input: &save.path, error: None, focus: Focus::Here }.draw(field, theme, buffer);
}
