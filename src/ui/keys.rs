//! The table of keys: which key is which action in which context. One file, `assets/keys.yaml`, feeds the dispatch, the
//! bottom line and the help, so they cannot drift.

mod notation;
pub mod own;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::state::words;

pub use notation::{BadKeys, Key, Keys};

words! {
    /// What has the keys.
    Context, "context of keys" {
        /// The board.
        Board = "board",
        /// The log.
        Log = "log",
        /// One ticket.
        Ticket = "ticket",
        /// The change of a ticket.
        Diff = "diff",
        /// All running logs.
        Grid = "grid",
        /// The form of a ticket.
        Form = "form",
        /// Who works on a ticket for this once.
        RunWith = "run_with",
        /// What is to be told to an agent.
        Tell = "tell",
        /// A choice of a few.
        Choice = "choice",
        /// The words that are looked for in the log.
        Find = "find",
        /// Where a log is saved.
        Save = "save",
        /// What of the log is shown.
        LogFilter = "log_filter",
        /// The list of what ran.
        Runs = "runs",
        /// The checklist of a change.
        Checklist = "checklist",
        /// The list of goals.
        Goals = "goals",
        /// The form of a goal.
        GoalForm = "goal_form",
        /// The list of boards.
        Boards = "boards",
        /// What runs and what waits.
        Queue = "queue",
        /// How things stand.
        Dashboard = "dashboard",
        /// A question.
        Dialog = "dialog",
        /// The line in which the filter is typed.
        Filter = "filter",
        /// The palette.
        Palette = "palette",
        /// The help.
        Help = "help",
        /// Everything, where a key means nothing else.
        Everywhere = "everywhere",
    }
}

impl Context {
    /// Returns its name as people read it.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Board => "On the board",
            Self::Log => "In the log",
            Self::Ticket => "In a ticket",
            Self::Diff => "In the change of a ticket",
            Self::Grid => "Where all running logs are shown",
            Self::Form => "In the form of a ticket",
            Self::RunWith => "Where an agent is chosen for a run",
            Self::Tell => "In a message to an agent",
            Self::Choice => "When there is a choice",
            Self::Find => "While words are looked for in the log",
            Self::Save => "While one says where a log is saved",
            Self::LogFilter => "While one says what of the log is shown",
            Self::Runs => "In the list of what ran",
            Self::Checklist => "In the checklist of a change",
            Self::Goals => "In the list of goals",
            Self::GoalForm => "In the form of a goal",
            Self::Boards => "In the list of boards",
            Self::Queue => "In the list of what runs and what waits",
            Self::Dashboard => "Where it is shown how things stand",
            Self::Dialog => "When something is asked",
            Self::Filter => "While the filter is typed",
            Self::Palette => "In the palette",
            Self::Help => "In this help",
            Self::Everywhere => "Everywhere",
        }
    }
}

words! {
    /// What a key does.
    Action, "action" {
        /// Opens the ticket.
        Open = "open",
        /// Accepts the ticket.
        Accept = "accept",
        /// Lets an agent work on the ticket.
        Run = "run",
        /// Stops the ticket's job.
        Cancel = "cancel",
        /// Runs the checks again.
        Verify = "verify",
        /// Takes over what a person did in the worktree.
        Resume = "resume",
        /// Tells something to the ticket's agent.
        Tell = "tell",
        /// Gives the terminal to a shell in the worktree, or to the agent's own session.
        HandOver = "hand_over",
        /// Says what the autopilot is to do.
        Autopilot = "autopilot",
        /// Opens the form of a new ticket.
        NewTicket = "new_ticket",
        /// Opens the form of the ticket.
        Edit = "edit",
        /// Opens the text in the person's own editor.
        Editor = "editor",
        /// Opens the worktree in the person's own editor.
        OpenFolder = "open_folder",
        /// Chooses who works on the ticket for this once.
        RunWith = "run_with",
        /// Takes the ticket off the board.
        Remove = "remove",
        /// Undoes what was done last.
        Undo = "undo",
        /// Does again what was undone last.
        Redo = "redo",
        /// Puts the ticket lower in its column.
        PlaceLower = "place_lower",
        /// Puts the ticket higher in its column.
        PlaceHigher = "place_higher",
        /// Marks the ticket, or takes its mark away.
        Mark = "mark",
        /// Marks the tickets from here to where the cursor goes.
        MarkRange = "mark_range",
        /// Makes the ticket most urgent.
        Urgency0 = "urgency_0",
        /// Makes the ticket urgent.
        Urgency1 = "urgency_1",
        /// Makes the ticket less urgent.
        Urgency2 = "urgency_2",
        /// Makes the ticket least urgent.
        Urgency3 = "urgency_3",
        /// Copies something of the ticket.
        Copy = "copy",
        /// Goes to the next ticket that needs a person.
        NextNeedingYou = "next_needing_you",
        /// Goes left.
        Left = "left",
        /// Goes down by one.
        Down = "down",
        /// Goes up by one.
        Up = "up",
        /// Goes right.
        Right = "right",
        /// Goes to the start.
        Top = "top",
        /// Goes to the end.
        Bottom = "bottom",
        /// Goes up by half a page.
        HalfUp = "half_up",
        /// Goes down by half a page.
        HalfDown = "half_down",
        /// Scrolls up by a page.
        PageUp = "page_up",
        /// Scrolls down by a page.
        PageDown = "page_down",
        /// Moves the ticket to the nearest allowed state before its own.
        MoveBack = "move_back",
        /// Moves the ticket to the nearest allowed state after its own.
        MoveOn = "move_on",
        /// Shows or hides abandoned tickets.
        ToggleAbandoned = "toggle_abandoned",
        /// Shows or hides the log.
        ToggleLog = "toggle_log",
        /// Gives the keys to the log.
        FocusLog = "focus_log",
        /// Puts the log beside or under the board.
        ToggleBeside = "toggle_beside",
        /// Makes the log fill the screen.
        ZoomLog = "zoom_log",
        /// Makes the log larger.
        GrowLog = "grow_log",
        /// Makes the log smaller.
        ShrinkLog = "shrink_log",
        /// Shows the log pretty or raw.
        ToggleRaw = "toggle_raw",
        /// Looks for words in the log.
        SearchLog = "search_log",
        /// Goes to the next row with what is looked for.
        NextMatch = "next_match",
        /// Goes to the row before with what is looked for.
        PreviousMatch = "previous_match",
        /// Goes to the next error in the log.
        NextError = "next_error",
        /// Goes to the error before in the log.
        PreviousError = "previous_error",
        /// Says what of the log is shown.
        FilterLog = "filter_log",
        /// Shows all running logs.
        Logs = "logs",
        /// Shows the goals.
        Goals = "goals",
        /// Sets a goal.
        NewGoal = "new_goal",
        /// Opens the form of the goal.
        EditGoal = "edit_goal",
        /// Takes the goal off the board.
        RemoveGoal = "remove_goal",
        /// Shows all boards.
        Boards = "boards",
        /// Shows what runs and what waits.
        Queue = "queue",
        /// Shows how things stand.
        Dashboard = "dashboard",
        /// Saves the log to a file.
        SaveLog = "save_log",
        /// Opens the log in the person's pager.
        PageLog = "page_log",
        /// Marks or unmarks what the cursor is on.
        Toggle = "toggle",
        /// Shows all of the log.
        ShowAll = "show_all",
        /// Lists everything that ran for the ticket.
        ListRuns = "list_runs",
        /// Wraps long lines of the log, or cuts them.
        ToggleWrap = "toggle_wrap",
        /// Shows or hides times in the log.
        ToggleTimes = "toggle_times",
        /// Shows what the agent did in one line each.
        FoldTools = "fold_tools",
        /// Goes to the run before, in the log.
        OlderRun = "older_run",
        /// Goes to the run after, in the log.
        NewerRun = "newer_run",
        /// Shows the ticket's overview.
        Overview = "overview",
        /// Shows the ticket's log.
        Log = "log",
        /// Shows the ticket's change.
        Diff = "diff",
        /// Goes to the next file of a change.
        NextFile = "next_file",
        /// Goes to the file before.
        PreviousFile = "previous_file",
        /// Goes to the next hunk of a change.
        NextHunk = "next_hunk",
        /// Goes to the hunk before.
        PreviousHunk = "previous_hunk",
        /// Says something about a line of a change.
        Comment = "comment",
        /// Says that a comment is dealt with, or that it is not.
        Resolve = "resolve",
        /// Approves a change.
        Approve = "approve",
        /// Sends a change back to its agent.
        RequestChanges = "request_changes",
        /// Compares a revision with the one before.
        Compare = "compare",
        /// Brings an approved change to its target.
        Land = "land",
        /// Opens the checklist of the ticket's change.
        Checklist = "checklist",
        /// Deals with the conflict of the ticket's change.
        Conflict = "conflict",
        /// Opens a pull request, pushes to it, or looks at it.
        Pull = "pull",
        /// Takes a landed change back.
        Revert = "revert",
        /// Folds a file of a change, or unfolds it.
        ToggleFold = "toggle_fold",
        /// Moves the lines to the left, to see what is at the right.
        ScrollRight = "scroll_right",
        /// Moves the lines back.
        ScrollLeft = "scroll_left",
        /// Shows the ticket's evidence.
        Evidence = "evidence",
        /// Shows what was said about the ticket's revisions.
        Review = "review",
        /// Shows the ticket's history.
        History = "history",
        /// Shows the ticket's jobs.
        Jobs = "jobs",
        /// Files what is in the form.
        Save = "save",
        /// Sends what was typed.
        Send = "send",
        /// Begins a new line.
        NewLine = "new_line",
        /// Takes the choice that is marked.
        Choose = "choose",
        /// Takes the first choice.
        First = "first",
        /// Takes the second choice.
        Second = "second",
        /// Takes the third choice.
        Third = "third",
        /// Takes the fourth choice.
        Fourth = "fourth",
        /// Takes the fifth choice.
        Fifth = "fifth",
        /// Goes to the next field.
        NextField = "next_field",
        /// Goes to the field before.
        PreviousField = "previous_field",
        /// Takes the next choice of a field.
        NextChoice = "next_choice",
        /// Takes the choice before.
        PreviousChoice = "previous_choice",
        /// Says yes.
        Agree = "agree",
        /// Says no.
        Decline = "decline",
        /// Gives the answer that loses nothing.
        Safe = "safe",
        /// Stops the agents, then leaves.
        StopAgents = "stop_agents",
        /// Opens the palette.
        Palette = "palette",
        /// Says which tickets are shown.
        Filter = "filter",
        /// Keeps the filter that was typed.
        Keep = "keep",
        /// Stops Draft until the shell brings it back.
        Suspend = "suspend",
        /// Draws the screen anew.
        Redraw = "redraw",
        /// Shows the help.
        Help = "help",
        /// Goes back.
        Back = "back",
        /// Leaves the board.
        Quit = "quit",
    }
}

/// One row of the table.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What the keys do.
    pub action: Action,
    /// The keys, each of which does it.
    pub keys: Vec<Keys>,
    /// The sentence for the help.
    pub help: String,
    /// The word for the bottom line, where it is offered.
    #[serde(default)]
    pub label: Option<String>,
}

/// What a sequence of keys comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// This action.
    Action(Action),
    /// Nothing yet: a longer sequence begins like this.
    Prefix,
    /// Nothing.
    Nothing,
}

/// The whole table.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct KeyTable(BTreeMap<Context, Vec<Row>>);

static BUILT_IN: LazyLock<KeyTable> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../../assets/keys.yaml")).expect("a test reads the built-in table of keys")
});

impl KeyTable {
    /// Returns the built-in table.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Returns the rows of a context, in the order of the file.
    pub fn rows(&self, context: Context) -> &[Row] {
        self.0.get(&context).map_or(&[], Vec::as_slice)
    }

    /// Returns the first keys of an action in that context.
    pub fn keys_of(&self, context: Context, action: Action) -> Option<&Keys> {
        self.rows(context).iter().find(|row| row.action == action)?.keys.first()
    }

    /// Returns the first keys of an action in that context as people write them, or how else it is reached.
    pub fn shown(&self, context: Context, action: Action) -> String {
        self.keys_of(context, action).map_or_else(|| format!(":{action}"), Keys::shown)
    }

    /// Says what the keys pressed so far come to in that context.
    pub fn find(&self, context: Context, pressed: &[Key]) -> Found {
        match self.find_in(context, pressed) {
            Found::Nothing => self.find_in(Context::Everywhere, pressed),
            found => found,
        }
    }

    fn find_in(&self, context: Context, pressed: &[Key]) -> Found {
        let mut found = Found::Nothing;
        for row in self.rows(context) {
            for keys in &row.keys {
                if keys.as_slice() == pressed {
                    return Found::Action(row.action);
                }
                if keys.as_slice().starts_with(pressed) {
                    found = Found::Prefix;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_built_in_table_has_no_keys_twice_in_a_context_and_none_hides_a_longer_one() {
        for context in Context::ALL {
            let all: Vec<&Keys> = KeyTable::built_in().rows(*context).iter().flat_map(|row| &row.keys).collect();
            assert!(!all.is_empty(), "{context} has keys");
            for (i, keys) in all.iter().enumerate() {
                for other in &all[i + 1..] {
                    assert!(!keys.as_slice().starts_with(other.as_slice()), "{context}: {keys} and {other}");
                    assert!(!other.as_slice().starts_with(keys.as_slice()), "{context}: {keys} and {other}");
                }
            }
        }
    }

    #[test]
    fn every_action_can_be_reached_and_every_help_is_a_sentence() {
        let table = KeyTable::built_in();
        let rows: Vec<&Row> = Context::ALL.iter().flat_map(|context| table.rows(*context)).collect();
        let reached: HashSet<Action> = rows.iter().filter(|row| !row.keys.is_empty()).map(|row| row.action).collect();
        for action in Action::ALL {
            assert!(reached.contains(action), "{action} has a key");
        }
        for row in rows {
            assert!(row.help.ends_with('.') && row.help.starts_with(char::is_uppercase), "{}", row.help);
        }
    }

    #[test]
    fn keys_that_multiplexers_take_stay_free() {
        for context in Context::ALL {
            for keys in KeyTable::built_in().rows(*context).iter().flat_map(|row| &row.keys) {
                assert!(!["<c-a>", "<c-b>", "<c-q>", "<c-s>"].contains(&keys.to_string().as_str()));
            }
        }
    }

    #[test]
    fn a_sequence_is_a_prefix_until_it_is_whole() {
        let table = KeyTable::built_in();
        let g: Keys = "g".parse().unwrap();
        let gg: Keys = "gg".parse().unwrap();
        assert_eq!(table.find(Context::Board, g.as_slice()), Found::Prefix);
        assert_eq!(table.find(Context::Board, gg.as_slice()), Found::Action(Action::Top));
        assert_eq!(table.find(Context::Form, g.as_slice()), Found::Nothing);
    }
}
