//! Colour sequences (`ESC [ … m`): what each parameter does to a style.

use ratatui::style::{Color, Modifier, Style};

/// Whether the colours of the output are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colors {
    /// As they were printed.
    #[default]
    Keep,
    /// None; bold, dim, italic, underlined and reversed stay.
    Drop,
}

/// Splits what follows an ESC into the parameters of a complete colour sequence (`[…m`) and the rest.
pub(super) fn split(after_escape: &str) -> Option<(&str, &str)> {
    let body = after_escape.strip_prefix('[')?;
    let end = body.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
    let tail = body[end..].strip_prefix('m')?;
    Some((&body[..end], tail))
}

/// Returns the style after a colour sequence.
pub(super) fn apply(parameters: &str, mut style: Style, colors: Colors) -> Style {
    let mut parameters = parameters.split(';');
    while let Some(parameter) = parameters.next() {
        let mut parts = parameter.split(':');
        let code = number(parts.next());
        match code {
            38 | 48 | 58 => {
                let mut inside = parts.peekable();
                let color = if inside.peek().is_some() {
                    color_of_parts(inside.collect::<Vec<_>>().as_slice())
                } else {
                    color_of_parameters(&mut parameters)
                };
                style = with_color(style, code, color, colors);
            }
            4 if parts.next() == Some("0") => style = without(style, Modifier::UNDERLINED),
            _ => style = simple(code, style, colors),
        }
    }
    style
}

/// Returns the number; what is left out means 0, what is too large means nothing that is known.
fn number(text: Option<&str>) -> u16 {
    match text {
        None | Some("") => 0,
        Some(digits) => digits.parse().unwrap_or(u16::MAX),
    }
}

fn byte(text: Option<&str>) -> Option<u8> {
    u8::try_from(number(text)).ok()
}

/// Reads a colour after `38;`: `5;n` or `2;r;g;b`.
fn color_of_parameters<'a>(parameters: &mut impl Iterator<Item = &'a str>) -> Option<Color> {
    match number(parameters.next()) {
        5 => byte(parameters.next()).map(Color::Indexed),
        2 => {
            let (r, g, b) = (byte(parameters.next()), byte(parameters.next()), byte(parameters.next()));
            Some(Color::Rgb(r?, g?, b?))
        }
        _ => None,
    }
}

/// Reads a colour after `38:`: `5:n`, `2:r:g:b` or, with the number of a colour space, `2::r:g:b`.
fn color_of_parts(parts: &[&str]) -> Option<Color> {
    match parts {
        ["5", index, ..] => byte(Some(index)).map(Color::Indexed),
        ["2", r, g, b] | ["2", _, r, g, b, ..] => Some(Color::Rgb(byte(Some(r))?, byte(Some(g))?, byte(Some(b))?)),
        _ => None,
    }
}

fn with_color(style: Style, code: u16, color: Option<Color>, colors: Colors) -> Style {
    let (Some(color), Colors::Keep) = (color, colors) else { return style };
    match code {
        38 => style.fg(color),
        48 => style.bg(color),
        // The colour of an underline is of no use where few terminals show it.
        _ => style,
    }
}

fn without(mut style: Style, modifier: Modifier) -> Style {
    style.add_modifier.remove(modifier);
    style
}

/// Returns the style after a code that has no arguments. Unknown ones change nothing; neither do blinking and hidden
/// text, since a log is to be read.
fn simple(code: u16, style: Style, colors: Colors) -> Style {
    match code {
        0 => Style::new(),
        1 => style.add_modifier(Modifier::BOLD),
        2 => style.add_modifier(Modifier::DIM),
        3 => style.add_modifier(Modifier::ITALIC),
        4 | 21 => style.add_modifier(Modifier::UNDERLINED),
        7 => style.add_modifier(Modifier::REVERSED),
        9 => style.add_modifier(Modifier::CROSSED_OUT),
        22 => without(style, Modifier::BOLD.union(Modifier::DIM)),
        23 => without(style, Modifier::ITALIC),
        24 => without(style, Modifier::UNDERLINED),
        27 => without(style, Modifier::REVERSED),
        29 => without(style, Modifier::CROSSED_OUT),
        39 => Style { fg: None, ..style },
        49 => Style { bg: None, ..style },
        30..=37 => with_color(style, 38, palette(code - 30), colors),
        40..=47 => with_color(style, 48, palette(code - 40), colors),
        90..=97 => with_color(style, 38, palette(code - 90 + 8), colors),
        100..=107 => with_color(style, 48, palette(code - 100 + 8), colors),
        _ => style,
    }
}

/// Returns one of the sixteen colours by its number.
fn palette(index: u16) -> Option<Color> {
    const SIXTEEN: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    SIXTEEN.get(usize::from(index)).copied()
}
