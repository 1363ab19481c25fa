//! `draft ticket edit`: new values for fields of a ticket, and fields that are to be empty again.

use clap::{Args, ValueEnum};

use crate::domain::board::Board;
use crate::domain::command::{Command, Edit};
use crate::domain::id::TicketRef;
use crate::domain::state::StateName;
use crate::domain::ticket::{Priority, Ticket};
use crate::ui::widget::text::visible;

use super::super::error::CliError;
use super::super::out::Out;
use super::super::stored::{Stored, ask};
use super::super::{Global, filed, goal_name, session};
use super::fields::Fields;

#[derive(Debug, Args)]
pub(in super::super) struct EditArgs {
    /// Its number or UUID
    id: String,
    /// One line that says what is to be done
    #[arg(long)]
    title: Option<String>,
    /// Where it stands; `draft ticket move` knows the other states
    #[arg(long, value_enum)]
    state: Option<Before>,
    #[command(flatten)]
    fields: Fields,
    /// A field that is to be empty again; may be given several times, also with commas
    #[arg(long, value_enum, value_name = "FIELD", value_delimiter = ',')]
    clear: Vec<Field>,
}

/// A state before any work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Before {
    Proposed,
    Planned,
}

impl From<Before> for StateName {
    fn from(state: Before) -> Self {
        match state {
            Before::Proposed => Self::Proposed,
            Before::Planned => Self::Planned,
        }
    }
}

/// A field that may be empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Field {
    Description,
    Priority,
    Goal,
    After,
    Agent,
    Model,
    Verify,
    BaseBranch,
}

pub(super) fn edit(global: &Global, args: EditArgs, out: &mut Out) -> Result<(), CliError> {
    let clear = args.clear.clone();
    let id = args.id.clone();
    let state = args.state.map(StateName::from);
    let opened = session::opened(global)?;
    let before = Stored::load(&opened.workshop)?;
    let ticket = session::find(&before.board, &id)?;
    let name = TicketRef::Id(ticket.id);
    filed::known_agent(&opened.workshop, args.fields.agent.as_deref())?;
    let mut edits = values(&before.board, args, &clear)?;
    edits.extend(clear.into_iter().map(emptied));
    if edits.is_empty() && state.is_none() {
        let hint = "Give a new value, such as --title; `draft ticket edit --help` lists the fields.";
        return Err(CliError::wrong_use("usage", "there is nothing to change", hint));
    }
    edits.retain(|edit| !matches!(edit, Edit::Description(text) if text == before.description(ticket.id)));
    let mut commands = vec![Command::Edit { ticket: name, edits }];
    if let Some(to) = state.filter(|to| *to != ticket.state.name()) {
        commands.push(Command::Move { ticket: name, to, reason: None });
    }
    let stored = ask(opened, commands)?;
    let after = session::find(&stored.board, &id)?;
    if global.json {
        return out.json(&stored.json(after));
    }
    if global.quiet {
        return Ok(());
    }
    out.line(said(ticket, after))
}

fn said(before: &Ticket, after: &Ticket) -> String {
    let (number, title) = (after.number, visible(after.title.as_str()));
    if before.updated_at == after.updated_at {
        format!("{number} is like that already  {title}")
    } else {
        format!("{number} {}  {title}", after.state.name())
    }
}

/// Reads the new values. One for a field that is to be empty as well is a mistake.
fn values(board: &Board, args: EditArgs, clear: &[Field]) -> Result<Vec<Edit>, CliError> {
    let mut edits = Vec::new();
    let mut add = |field: Option<Field>, edit: Edit| {
        if let Some(field) = field.filter(|field| clear.contains(field)) {
            let name = word(field);
            let message = format!("--{name} and --clear {name} contradict each other");
            return Err(CliError::wrong_use("usage", message, "Give one of them. Nothing was changed."));
        }
        edits.push(edit);
        Ok(())
    };
    if let Some(text) = args.title {
        add(None, Edit::Title(filed::title(&text)?))?;
    }
    let fields = args.fields;
    if let Some(text) = fields.description {
        add(Some(Field::Description), Edit::Description(filed::text(text)?))?;
    }
    if let Some(text) = fields.priority {
        let priority: Priority = text.parse().map_err(bad)?;
        add(Some(Field::Priority), Edit::Priority(Some(priority)))?;
    }
    if let Some(name) = fields.goal {
        add(Some(Field::Goal), Edit::Goal(Some(goal_name::find(board, &name)?.id)))?;
    }
    if !fields.after.is_empty() {
        let names: Result<_, CliError> = fields.after.iter().map(|name| session::ticket_ref(name)).collect();
        add(Some(Field::After), Edit::After(names?))?;
    }
    if let Some(name) = fields.agent {
        add(Some(Field::Agent), Edit::Agent(Some(name)))?;
    }
    if let Some(name) = fields.model {
        add(Some(Field::Model), Edit::Model(Some(name)))?;
    }
    if !fields.verify.is_empty() {
        add(Some(Field::Verify), Edit::Verify(fields.verify))?;
    }
    if let Some(branch) = fields.base_branch {
        add(Some(Field::BaseBranch), Edit::BaseBranch(Some(branch)))?;
    }
    Ok(edits)
}

fn emptied(field: Field) -> Edit {
    match field {
        Field::Description => Edit::Description(String::new()),
        Field::Priority => Edit::Priority(None),
        Field::Goal => Edit::Goal(None),
        Field::After => Edit::After(Vec::new()),
        Field::Agent => Edit::Agent(None),
        Field::Model => Edit::Model(None),
        Field::Verify => Edit::Verify(Vec::new()),
        Field::BaseBranch => Edit::BaseBranch(None),
    }
}

fn word(field: Field) -> String {
    field.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn bad(error: impl std::fmt::Display) -> CliError {
    CliError::wrong_use("bad_value", error.to_string(), "Nothing was changed.")
}
