//! The screen: a model, what changes it, and how it is drawn. There is no disk, clock or process in here.
//!
//! [`Model::update`] takes a [`Msg`] and returns [`Effect`]s; [`Model::view`] draws the model. Whoever runs the loop
//! draws when [`Model::take_dirty`] says so, and never else.

mod act;
mod again;
mod arrange;
mod ascii;
pub mod call;
mod conflict;
mod deeds;
mod edit;
pub mod index;
pub mod keys;
mod leave;
pub mod model;
mod mouse;
pub mod msg;
mod news;
mod offers;
mod press;
mod pull;
mod quiet;
mod screen;
pub mod terminal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod theme;
mod update;
mod view;
pub mod widget;
mod words;

pub use model::Model;
pub use msg::{
    Controls, Effect, Existing, Filing, Guest, LogText, Msg, Role, Saved, Settings, Setup, StopAgents, Visit,
};
