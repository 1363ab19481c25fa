//! What a terminal answers when a program asks it, and the modes that the parser does not keep.

/// Answers that wait to be sent, and what else the program told the terminal.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) waiting: Vec<u8>,
    pub(super) title: String,
    /// What goes beyond drawing.
    pub(super) deeds: Vec<String>,
    pub(super) focus_events: bool,
    pub(super) keyboard_levels: usize,
    pub(super) synchronized: bool,
}

impl vt100::Callbacks for Answers {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
        self.deed("title", title);
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.deed("icon", name);
    }

    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.deed("bell", b"");
    }

    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.deed("visual bell", b"");
    }

    fn resize(&mut self, _: &mut vt100::Screen, (rows, columns): (u16, u16)) {
        self.deed("resize", format!("{columns}x{rows}").as_bytes());
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.deed("copy", data);
    }

    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.deed("paste", b"");
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, i1: Option<u8>, i2: Option<u8>, byte: u8) {
        self.deed("escape", &[i1, i2, Some(byte)].into_iter().flatten().collect::<Vec<_>>());
    }

    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.deed("control", format!("{byte:#x}").as_bytes());
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        self.deed("osc", &params.join(&b';'));
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
    fn deed(&mut self, what: &str, of: &[u8]) {
        self.deeds.push(format!("{what} {}", String::from_utf8_lossy(of)));
    }

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
