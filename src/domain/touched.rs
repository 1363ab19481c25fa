//! A file of a change as a rule sees it: what it is called before and now, what it is, and how many lines differ.

/// A file of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Touched {
    /// Its name, or the one that it had when it is gone; bytes that are not UTF-8 are `\xNN`.
    pub path: String,
    /// Its name before, when it was renamed.
    pub old_path: Option<String>,
    /// Its octal mode before, 0 for a new file.
    pub was: u32,
    /// Its octal mode now, 0 for one that is gone.
    pub is: u32,
    /// What differs.
    pub differs: Differs,
}

/// What differs in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Differs {
    /// Lines that came and lines that went.
    Lines {
        /// Came.
        added: u32,
        /// Went.
        removed: u32,
    },
    /// It is not text.
    Binary,
    /// It is too large to be compared line by line.
    TooLarge,
    /// It is a submodule.
    Submodule,
}

/// The mode of a symbolic link.
pub const LINK: u32 = 0o120_000;
/// The mode of a file that can be run.
pub const EXECUTABLE: u32 = 0o100_755;

impl Touched {
    /// Returns the names that it has or had.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.old_path.as_deref())
    }

    /// Returns what is about it that lines do not show, so that a person must look.
    pub fn needs_eyes(&self) -> Option<&'static str> {
        match self.differs {
            Differs::Submodule => return Some("is a submodule"),
            Differs::Binary => return Some("is not text"),
            Differs::TooLarge => return Some("is too large to be compared"),
            Differs::Lines { .. } => {}
        }
        if self.was == LINK || self.is == LINK {
            return Some("is a symbolic link");
        }
        (self.is == EXECUTABLE && self.was != EXECUTABLE).then_some("becomes executable")
    }

    /// Returns how many lines came and went, as far as that is known.
    pub fn lines(&self) -> (u64, u64) {
        match self.differs {
            Differs::Lines { added, removed } => (u64::from(added), u64::from(removed)),
            Differs::Binary | Differs::TooLarge | Differs::Submodule => (0, 0),
        }
    }
}
