//! The screen: a model, what changes it, and how it is drawn.

pub mod theme;
pub mod widget;
