//! The screens and what may lie over them, a file each: its state, what keys do to it, and how it is drawn.

pub(super) mod bars;
pub(super) mod board;
mod boards;
pub(super) mod card;
pub(super) mod checklist;
pub(super) mod choice;
pub(super) mod columns;
mod dashboard;
pub(super) mod dialog;
pub(super) mod diff;
pub(super) mod evidence;
pub(super) mod filter;
pub(super) mod form;
mod form_saved;
pub(super) mod form_view;
pub(super) mod goal_form;
pub(super) mod goal_form_view;
mod goals;
pub(super) mod grid;
pub(super) mod help;
pub(super) mod history;
pub(super) mod layout;
pub(super) mod log;
pub(super) mod log_filter;
pub(super) mod log_list;
pub(super) mod log_out;
pub(super) mod log_runs;
pub(super) mod log_search;
mod log_title;
pub(super) mod marks;
pub(super) mod outlook;
pub(super) mod overview;
pub(super) mod palette;
pub(super) mod places;
mod queue;
pub(super) mod remark;
mod reviews;
pub(super) mod run_with;
pub(super) mod tell;
pub(super) mod ticket;
pub(super) mod typing;
pub(super) mod welcome;

pub(super) use checklist::ChecklistPanel;
pub(super) use choice::Choice;
pub(super) use dialog::Dialog;
pub(super) use filter::Filter;
pub(super) use form::Form;
pub(super) use goal_form::GoalForm;
pub(super) use grid::Grid;
pub(super) use help::Help;
pub(super) use log_filter::FilterPanel;
pub(super) use log_list::RunList;
pub(super) use log_out::Save;
pub(super) use log_search::Find;
pub(super) use palette::Palette;
pub(super) use places::PlaceList;
pub(super) use remark::Remark;
pub(super) use run_with::RunWith;
pub(super) use tell::Tell;

/// What lies over the screen and has the keys.
#[derive(Debug)]
pub(super) enum Overlay {
    /// The form of a ticket.
    Form(Box<Form>),
    /// Who works on tickets for this once.
    RunWith(Box<RunWith>),
    /// A message to an agent.
    Tell(Box<Tell>),
    /// What is said about a change.
    Remark(Box<Remark>),
    /// A choice of a few.
    Choice(Choice),
    /// A question.
    Dialog(Dialog),
    /// The line in which the filter is typed.
    Filter(Box<Filter>),
    /// The palette.
    Palette(Box<Palette>),
    /// Words to look for in the log.
    Find(Box<Find>),
    /// Where a log is saved.
    Save(Box<Save>),
    /// What of a log is shown.
    LogFilter(Box<FilterPanel>),
    /// Everything that ran for a ticket.
    Runs(RunList),
    /// The checklist of a ticket.
    Checklist(Box<ChecklistPanel>),
    /// The goals, the boards, the queue, or the figures.
    Place(PlaceList),
    /// The form of a goal.
    GoalForm(Box<GoalForm>),
    /// The help.
    Help(Help),
}
