//! The heart: which command or fact leads to which steps.
