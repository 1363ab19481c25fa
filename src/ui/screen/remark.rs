//! What is said about a change: a comment on its lines, an answer to one, or what is requested of its agent.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui_textarea::{TextArea, WrapMode};

use crate::domain::command::{Command, Reviewing};
use crate::domain::id::{CommentId, TicketId, TicketRef};
use crate::domain::review::{Spot, Verdict};
use crate::ui::keys::{Action, Context};
use crate::ui::model::{Model, NoticeKind};
use crate::ui::msg::Effect;
use crate::ui::theme::{Role, Theme};
use crate::ui::widget::field::{Field, Focus};
use crate::ui::widget::popup::Popup;
use crate::ui::words;

use super::layout::{split_bottom, split_top};
use super::typing::{self, Lines};
use super::{Overlay, bars};

/// The size where there is room for it.
const BEST: Size = Size { width: 72, height: 12 };

/// What is typed about which revision.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Remark {
    ticket: TicketId,
    revision: u32,
    about: About,
    input: TextArea<'static>,
}

/// What it is about.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::ui) enum About {
    /// Lines, or a file.
    Spot {
        /// Which.
        spot: Spot,
        /// The comment that it answers.
        reply_to: Option<CommentId>,
    },
    /// All of it, which needs more work.
    Changes,
}

impl Remark {
    /// Returns an empty one.
    pub(in crate::ui) fn new(ticket: TicketId, revision: u32, about: About, theme: &Theme) -> Self {
        let mut input = typing::area(theme);
        input.set_wrap_mode(WrapMode::WordOrGlyph);
        Self { ticket, revision, about, input }
    }

    /// Takes pasted text.
    pub(in crate::ui) fn paste(&mut self, pasted: &str) {
        typing::pasted(&mut self.input, Lines::Many, pasted);
    }

    fn text(&self) -> String {
        self.input.lines().join("\n").trim().to_owned()
    }

    /// Returns what it is about, in words.
    fn place(&self) -> String {
        match &self.about {
            About::Changes => format!("revision {}", self.revision),
            About::Spot { spot, .. } => match spot.lines {
                None => spot.path.clone(),
                Some((first, last)) if first == last => format!("{}:{first}", spot.path),
                Some((first, last)) => format!("{}:{first}-{last}", spot.path),
            },
        }
    }
}

impl Model {
    /// Takes a key while something is said about a change.
    pub(in crate::ui) fn key_in_remark(
        &mut self,
        mut remark: Box<Remark>,
        action: Option<Action>,
        event: KeyEvent,
    ) -> Vec<Effect> {
        match action {
            Some(Action::Send) => return self.send_remark(*remark),
            Some(Action::Back) => {
                if !remark.text().is_empty() {
                    let said = format!("what you said about {} is kept for the next time", remark.place());
                    self.say(NoticeKind::News, said);
                    self.kept_remark = Some(remark);
                }
                return Vec::new();
            }
            Some(Action::NewLine) => remark.input.insert_newline(),
            _ => typing::typed(&mut remark.input, Lines::Many, event),
        }
        self.over = Some(Overlay::Remark(remark));
        Vec::new()
    }

    /// Opens the place to say something, with what was put aside about the same.
    pub(in crate::ui) fn open_remark(&mut self, ticket: TicketId, revision: u32, about: About) {
        let same = |kept: &Remark| (kept.ticket, kept.revision, &kept.about) == (ticket, revision, &about);
        let kept = self.kept_remark.take_if(|kept| same(kept));
        let remark = kept.unwrap_or_else(|| Box::new(Remark::new(ticket, revision, about, &self.theme)));
        self.over = Some(Overlay::Remark(remark));
    }

    fn send_remark(&mut self, remark: Remark) -> Vec<Effect> {
        let Remark { ticket, revision, ref about, .. } = remark;
        let text = remark.text();
        match about {
            About::Spot { .. } if text.is_empty() => self.refuse("an empty comment says nothing.".to_owned()),
            About::Spot { spot, reply_to } => {
                let (spot, reply_to) = (spot.clone(), *reply_to);
                vec![Effect::Comment { ticket, revision, spot, body: text, reply_to }]
            }
            About::Changes if text.is_empty() && self.board.open_comments(ticket).next().is_none() => {
                self.refuse("say what is to change, here or in a comment on a line.".to_owned())
            }
            About::Changes => {
                let review = Reviewing {
                    revision: Some(revision),
                    verdict: Verdict::RequestChanges,
                    summary: text,
                    comments: Vec::new(),
                    run: true,
                    anyway: false,
                };
                // Kept until it is there, so that a refusal loses nothing.
                self.kept_remark = Some(Box::new(remark));
                self.with_leave(vec![Command::Review { ticket: TicketRef::Id(ticket), review }])
            }
        }
    }
}

/// Draws it over what is there.
pub(in crate::ui) fn draw(model: &Model, remark: &Remark, area: Rect, buffer: &mut Buffer) {
    let theme = &model.theme;
    let title = match &remark.about {
        About::Changes => format!("Request changes to {}", remark.place()),
        About::Spot { reply_to: Some(_), .. } => format!("Answer on {}", remark.place()),
        About::Spot { reply_to: None, .. } => format!("Comment on {}", remark.place()),
    };
    let popup = Popup { title: &title, footer: "", content: BEST };
    let (rest, keys) = split_bottom(popup.draw(area, theme, buffer), 1);
    bars::draw_keys(model, Context::Tell, keys, buffer);
    let (role, said) = match &remark.about {
        About::Spot { spot, .. } => (Role::Code, spot.quoted.trim().to_owned()),
        About::Changes => {
            let open = model.board.open_comments(remark.ticket).count();
            (Role::Dim, format!("Its agent starts again with this and {}.", words::count(open, "open comment")))
        }
    };
    let lines = if said.is_empty() || rest.height < 5 { Vec::new() } else { vec![said] };
    let (above, below) = split_top(rest, u16::try_from(lines.len() * 2).unwrap_or(0));
    for (row, line) in above.rows().zip(&lines) {
        let line = words::cut(theme, line, usize::from(row.width));
        buffer.set_stringn(row.x, row.y, line, usize::from(row.width), theme.style(role));
    }
    Field { label: "Text", input: &remark.input, error: None, focus: Focus::Here }.draw(below, theme, buffer);
}
