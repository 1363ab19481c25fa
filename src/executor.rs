//! What each agent CLI looks like from outside: how it is found and called, what it is told, and how to read what it
//! prints. An agent is a row of a table; code exists only for the dialects that agents print.

pub mod again;
pub mod decode;
pub mod feedback;
pub mod invocation;
pub mod own;
pub mod prompt;
pub mod row;
pub mod table;
mod template;
