//! What a terminal answers when a program asks it, and the modes that the parser does not keep.

/// Answers that wait to be sent, and what else the program told the terminal.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) waiting: Vec<u8>,
    pub(super) title: String,
    pub(super) focus_events: bool,
    pub(super) keyboard_levels: usize,
    pub(super) synchronized: bool,
}

impl vt100::Callbacks for Answers {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        i1: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        letter: char,
    ) {
        let first = params.first().and_then(|param| param.first()).copied().unwrap_or(0);
        match (i1, letter) {
            // Where is the cursor?
            (None, 'n') if first == 6 => {
                let (row, column) = screen.cursor_position();
                self.waiting.extend(format!("\x1b[{};{}R", row + 1, column + 1).bytes());
            }
            // What are you? A terminal of 1983 with colours, which is what most say.
            (None, 'c') => self.waiting.extend(b"\x1b[?62;22c"),
            (Some(b'>'), 'u') => self.keyboard_levels += 1,
            (Some(b'<'), 'u') => self.keyboard_levels = self.keyboard_levels.saturating_sub(usize::from(first.max(1))),
            (Some(b'?'), 'h' | 'l') => self.set_modes(params, letter == 'h'),
            _ => {}
        }
    }
}

impl Answers {
    fn set_modes(&mut self, params: &[&[u16]], on: bool) {
        for mode in params.iter().filter_map(|param| param.first()) {
            match mode {
                1004 => self.focus_events = on,
                2026 => self.synchronized = on,
                _ => {}
            }
        }
    }
}
