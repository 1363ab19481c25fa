//! What the locale says that the terminal can show.

use crate::ui::theme::Glyphs;

/// Returns the signs that a terminal of the process's locale can show.
pub fn glyphs() -> Glyphs {
    if is_utf8(name().as_deref()) { Glyphs::unicode() } else { Glyphs::ascii() }
}

/// Returns the locale's name, of which the first of three variables that says something decides; nothing where none does.
pub(super) fn name() -> Option<String> {
    let values = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os);
    values.map(|value| value.to_string_lossy().into_owned()).find(|value| !value.is_empty())
}

/// Says whether a locale is one of UTF-8.
pub(super) fn is_utf8(name: Option<&str>) -> bool {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    name.contains("utf-8") || name.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::is_utf8;

    #[test]
    fn locales_of_utf_8_are_told_however_they_are_written() {
        for name in ["C.UTF-8", "en_US.utf8", "de_DE.UTF-8@euro", "UTF-8"] {
            assert!(is_utf8(Some(name)), "{name}");
        }
        for name in [Some("C"), Some("POSIX"), Some("de_DE.ISO-8859-1"), Some(""), None] {
            assert!(!is_utf8(name), "{name:?}");
        }
    }
}
