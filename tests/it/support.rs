//! The house of the tests: a sealed [`World`], programs in it, a real terminal, and waiting without sleeping blindly.

pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod hosted;
pub(crate) mod process;
pub(crate) mod pty;
pub(crate) mod running;
pub(crate) mod wait;
pub(crate) mod world;

pub(crate) use demo::{demo_world, demo_world_with};
pub(crate) use pty::Size;
pub(crate) use wait::{until, until_some, until_within};
pub(crate) use world::World;
