//! What the screen looks like: a style for each role and the glyphs. Nothing else names a colour.
//!
//! The sixteen ANSI colours are used so that the user's own palette rules, and a colour never stands alone: a word, a
//! number or a glyph beside it says the same.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::domain::log::EntryKind;
use crate::domain::state::StateName;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident),+ $(,)?) => {
        /// What a piece of the screen means; the theme says how that looks.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Role { $($(#[$doc])* $role),+ }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$role),+];
        }
    };
}

roles! {
    /// Plain text.
    Text,
    /// A heading.
    Title,
    /// What is less important.
    Dim,
    /// What the cursor is on, in the part that has the focus.
    Selected,
    /// What the cursor is on, in a part that has not the focus.
    Marked,
    /// The frame of a part.
    Border,
    /// The frame of the part that has the focus.
    Focus,
    /// A key that works here.
    Key,
    /// It went well.
    Ok,
    /// Look at this; also what waits for a person.
    Warn,
    /// It went wrong.
    Bad,
    /// It is under way.
    Running,
    /// The name of an agent or of its model.
    Agent,
    /// A name to follow: a ticket, a path, a branch, a link.
    Link,
    /// Code inside a text.
    Code,
    /// What a search found.
    Match,
    /// A line or number that came.
    Added,
    /// A line or number that went.
    Removed,
    /// The words in such a line that changed; over its style.
    Changed,
    /// The head of a hunk.
    Hunk,
    /// What an agent thinks.
    Thinking,
}

impl Role {
    /// Returns the role of a log entry's glyph and first word.
    pub fn of_entry(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Assistant | EntryKind::Text => Self::Text,
            EntryKind::Thinking => Self::Thinking,
            EntryKind::ToolCall | EntryKind::Command => Self::Running,
            EntryKind::Edit => Self::Agent,
            EntryKind::Error => Self::Bad,
            EntryKind::Retry => Self::Warn,
            EntryKind::ToolResult | EntryKind::Usage | EntryKind::Session | EntryKind::System => Self::Dim,
            EntryKind::End => Self::Title,
        }
    }

    /// Returns the role of a state's glyph and heading.
    pub fn of_state(state: StateName) -> Self {
        match state {
            StateName::Proposed | StateName::Planned => Self::Text,
            StateName::Executing | StateName::Verifying => Self::Running,
            StateName::NeedsHuman => Self::Warn,
            StateName::Blocked => Self::Bad,
            StateName::Done => Self::Ok,
            StateName::Abandoned => Self::Dim,
        }
    }
}

/// How colours are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Palette {
    Ansi,
    None,
}

/// A style for each role, and the glyphs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Theme {
    palette: Palette,
    /// The signs that are drawn.
    pub glyphs: Glyphs,
}

impl Theme {
    /// Returns the theme of sixteen colours.
    pub fn color() -> Self {
        Self { palette: Palette::Ansi, glyphs: Glyphs::unicode() }
    }

    /// Returns the theme without colours, for `NO_COLOR` and for terminals that have none.
    pub fn plain() -> Self {
        Self { palette: Palette::None, glyphs: Glyphs::unicode() }
    }

    /// Returns the same theme with other glyphs.
    #[must_use]
    pub fn with_glyphs(self, glyphs: Glyphs) -> Self {
        Self { glyphs, ..self }
    }

    /// Says whether colours may be drawn, also those that a program printed.
    pub fn has_color(&self) -> bool {
        self.palette == Palette::Ansi
    }

    /// Returns how the role looks.
    pub fn style(&self, role: Role) -> Style {
        match self.palette {
            Palette::Ansi => ansi(role),
            Palette::None => plain(role),
        }
    }
}

fn ansi(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text => style,
        Role::Title | Role::Key => style.add_modifier(Modifier::BOLD),
        Role::Dim | Role::Border => style.add_modifier(Modifier::DIM),
        Role::Thinking => style.add_modifier(Modifier::DIM.union(Modifier::ITALIC)),
        Role::Selected | Role::Changed => style.add_modifier(Modifier::REVERSED),
        Role::Marked => style.add_modifier(Modifier::UNDERLINED),
        Role::Focus | Role::Running | Role::Link | Role::Hunk | Role::Code => style.fg(Color::Cyan),
        Role::Ok | Role::Added => style.fg(Color::Green),
        Role::Warn => style.fg(Color::Yellow),
        Role::Bad => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Removed => style.fg(Color::Red),
        Role::Agent => style.fg(Color::Magenta),
        Role::Match => style.fg(Color::Yellow).add_modifier(Modifier::REVERSED),
    }
}

fn plain(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text | Role::Ok | Role::Running | Role::Agent | Role::Code => style,
        Role::Title | Role::Key | Role::Focus | Role::Warn | Role::Added | Role::Hunk => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Bad => style.add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
        Role::Dim | Role::Border | Role::Removed | Role::Thinking => style.add_modifier(Modifier::DIM),
        Role::Selected | Role::Match | Role::Changed => style.add_modifier(Modifier::REVERSED),
        Role::Marked | Role::Link => style.add_modifier(Modifier::UNDERLINED),
    }
}

macro_rules! glyphs {
    ($($(#[$doc:meta])* $name:ident $unicode:literal $ascii:literal,)+) => {
        /// The signs that are drawn. In [`Glyphs::unicode`] each is one column wide unless it says otherwise.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct Glyphs {
            $($(#[$doc])* pub $name: &'static str,)+
            /// The corners and sides of a frame.
            pub border: border::Set<'static>,
        }

        impl Glyphs {
            /// Returns the signs for terminals that speak Unicode.
            pub fn unicode() -> Self {
                Self { $($name: $unicode,)+ border: border::ROUNDED }
            }

            /// Returns the signs for terminals that show ASCII only.
            pub fn ascii() -> Self {
                Self { $($name: $ascii,)+ border: ASCII_BORDER }
            }

            /// Says whether these are the signs for terminals that show ASCII only.
            pub fn is_ascii(&self) -> bool {
                *self == Self::ascii()
            }

            /// Returns every sign but the frame, by name.
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

glyphs! {
    /// An agent says something.
    assistant "●" "*",
    /// An agent thinks.
    thinking "∴" "~",
    /// A tool is used.
    tool "⚙" "@",
    /// A tool's answer.
    result "└" "`",
    /// A file is edited.
    edit "✎" "%",
    /// A command runs.
    command "$" "$",
    /// A failure.
    error "✗" "x",
    /// Another try.
    retry "↻" "r",
    /// Tokens or cost.
    usage "Σ" "=",
    /// A session begins.
    session "◇" "o",
    /// The end of an agent's work.
    end "■" "#",
    /// Something about a run.
    system "·" "-",
    /// It went well.
    ok "✓" "v",
    /// It went wrong.
    bad "✗" "x",
    /// Somebody must look.
    warn "!" "!",
    /// It asks something.
    question "?" "?",
    /// It is under way.
    running "▶" ">",
    /// It waits.
    waiting "○" "o",
    /// It is on: the autopilot, a goal.
    on "●" "*",
    /// Between on and off.
    half "◐" "~",
    /// Two changes that get in each other's way.
    collision "↯" "x",
    /// Words for an agent that wait.
    message "✉" "m",
    /// Comments that are not dealt with.
    comment "✎" "c",
    /// A branch.
    branch "⎇" "@",
    /// The edge of what is selected.
    cursor "▌" ">",
    /// A row that is marked together with others.
    mark "◆" "*",
    /// An item of a list.
    bullet "•" "*",
    /// The edge of quoted text.
    quote "▎" "|",
    /// A horizontal line.
    rule "─" "-",
    /// Between two facts.
    dot "·" "-",
    /// Before a number that went.
    minus "−" "-",
    /// From this to that.
    arrow "→" ">",
    /// There is more above.
    up "▲" "^",
    /// There is more below; also: follows the end.
    down "▼" "v",
    /// New rows below.
    new_below "↓" "v",
    /// Something that can be unfolded.
    folded "▸" ">",
    /// Something that is unfolded.
    unfolded "▾" "v",
    /// Something was cut off; as wide as it is long.
    ellipsis "…" "...",
    /// The path of a scrollbar.
    track "│" "|",
    /// The handle of a scrollbar.
    thumb "█" "#",
    /// The done part of a progress bar.
    bar_full "█" "#",
    /// The rest of a progress bar.
    bar_empty "░" ".",
}

impl Glyphs {
    /// Returns the sign of a log entry.
    pub fn of_entry(&self, kind: EntryKind) -> &'static str {
        match kind {
            EntryKind::Session => self.session,
            EntryKind::Assistant => self.assistant,
            EntryKind::Thinking => self.thinking,
            EntryKind::ToolCall => self.tool,
            EntryKind::ToolResult => self.result,
            EntryKind::Edit => self.edit,
            EntryKind::Command => self.command,
            EntryKind::Error => self.error,
            EntryKind::Retry => self.retry,
            EntryKind::Usage => self.usage,
            EntryKind::End => self.end,
            EntryKind::System => self.system,
            EntryKind::Text => " ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widget::text;

    #[test]
    fn the_plain_theme_is_bold_dim_reversed_or_underlined_and_has_no_colour() {
        for role in Role::ALL {
            let style = Theme::plain().style(*role);
            assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None), "{role:?}");
            let known = Modifier::BOLD | Modifier::DIM | Modifier::REVERSED | Modifier::UNDERLINED;
            assert!(known.contains(style.add_modifier), "{role:?}");
        }
    }

    #[test]
    fn only_ansi_colours_are_used_so_that_the_palette_of_the_user_rules() {
        for role in Role::ALL {
            let style = Theme::color().style(*role);
            assert!(!matches!(style.fg, Some(Color::Rgb(..) | Color::Indexed(_) | Color::White | Color::Black)));
            assert_eq!(style.bg, None, "{role:?}");
        }
    }

    #[test]
    fn every_unicode_glyph_is_one_column_and_every_ascii_glyph_is_ascii() {
        for (name, glyph) in Glyphs::unicode().all() {
            assert_eq!(text::width(glyph), 1, "{name}");
        }
        for (name, glyph) in Glyphs::ascii().all() {
            assert!(glyph.is_ascii() && !glyph.is_empty(), "{name}");
        }
    }

    #[test]
    fn every_kind_of_entry_that_people_look_for_has_a_sign_of_its_own() {
        for glyphs in [Glyphs::unicode(), Glyphs::ascii()] {
            let mut signs: Vec<_> = EntryKind::ALL.iter().map(|kind| glyphs.of_entry(*kind)).collect();
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), EntryKind::ALL.len());
        }
    }
}
