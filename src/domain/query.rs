//! The language in which people say which tickets they mean: `state:blocked agent:codex p0 waiting "words"`.
//!
//! Words stand beside each other and all of them must hold. A comma means either, `-` in front means not, and quotation
//! marks keep a text together. What is no word of the language is looked for in the title, or is a number.

use std::collections::HashSet;
use std::iter::Peekable;
use std::str::Chars;

use super::board::Board;
use super::dependencies::Readiness;
use super::id::TicketId;
use super::job::JobStatus;
use super::state::{State, StateName, words};
use super::ticket::Ticket;

words! {
    /// What a word with a colon is about.
    Key, "filter" {
        /// The state, by its name or the beginning of it; `review` is another name of `needs_human`.
        State = "state",
        /// The agent that the ticket names, or that worked on it last.
        Agent = "agent",
        /// The title of the goal.
        Goal = "goal",
        /// Whether a person must act: `needs:me`.
        Needs = "needs",
        /// The branch of the ticket, or the one that it is meant for.
        Branch = "branch",
        /// How urgent it is, `p0` to `p3`.
        Priority = "priority",
        /// Whether its change does not go together with its target, or with another one in flight: `yes` or `none`.
        Conflict = "conflict",
    }
}

words! {
    /// A word that says something by itself.
    Flag, "word" {
        /// It waits for other tickets.
        Waiting = "waiting",
        /// Its job waits for its turn.
        Queued = "queued",
        /// Its job runs.
        Running = "running",
    }
}

const PRIORITIES: [&str; 4] = ["p0", "p1", "p2", "p3"];
/// The value for a field that is empty.
const NONE: &str = "none";
/// The value for what is there.
const YES: &str = "yes";
/// What the column of tickets that need a person is called.
const REVIEW: &str = "review";

/// Which tickets somebody means. The empty one means all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
}

/// Why a text is no query.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadQuery {
    /// A word with a colon that is not known.
    #[error(
        "`{key}:` is no filter; there are {}. Quotation marks look for it as a text: \"{key}:\"",
        listed(Key::ALL.iter().map(|key| format!("{key}:")))
    )]
    UnknownKey {
        /// What stood before the colon.
        key: String,
    },
    /// A value that the filter does not know.
    #[error("`{key}:{value}` means nothing; {key}: takes {known}")]
    UnknownValue {
        /// The filter.
        key: Key,
        /// What stood behind the colon.
        value: String,
        /// What can stand there.
        known: String,
    },
    /// Nothing behind the colon.
    #[error("`{key}:` wants something behind it: {known}")]
    NoValue {
        /// The filter.
        key: Key,
        /// What can stand there.
        known: String,
    },
    /// A `-` with nothing behind it.
    #[error("`-` wants something behind it that the tickets are not to be")]
    NothingNegated,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    negated: bool,
    test: Test,
}

/// What must hold; texts are in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Test {
    State(Vec<StateName>),
    Priority(Vec<&'static str>),
    Agent(Vec<String>),
    Goal(Vec<String>),
    Branch(Vec<String>),
    NeedsYou,
    /// Those with a conflict, those without, or both.
    Conflict(Vec<bool>),
    Flag(Flag),
    Text(String),
}

/// Returns the word that looks for that text, as people type it: in quotation marks where it needs them. What stands beside
/// a comma or a quotation mark in it is looked for without these, as the language has no way to write them.
pub fn word(key: Key, text: &str) -> String {
    let part = text.split(['"', ',']).map(str::trim).max_by_key(|part| part.len()).unwrap_or_default().to_lowercase();
    let is_plain = !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || ['-', '_', '.', '/'].contains(&c));
    if is_plain { format!("{key}:{part}") } else { format!("{key}:\"{part}\"") }
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// When a word with a colon is none of the language, or its value is not.
    pub fn parse(text: &str) -> Result<Self, BadQuery> {
        let mut terms = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(word) = next_word(&mut chars) {
            terms.push(Term { negated: word.negated, test: word.test()? });
        }
        Ok(Self { terms })
    }

    /// Says whether it means every ticket.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Says whether somebody has to look ahead to answer it.
    pub fn asks_for_conflicts(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.test, Test::Conflict(_)))
    }

    /// Says whether a ticket of the board is meant. `conflicting` are those that the radar found in a conflict.
    pub fn matches(&self, board: &Board, conflicting: &HashSet<TicketId>, ticket: &Ticket) -> bool {
        self.terms.iter().all(|term| term.test.holds(board, conflicting, ticket) != term.negated)
    }
}

/// Returns the words of the language that begin like that, as far as they are known without a board.
pub fn words_like(typed: &str) -> Vec<String> {
    let values = |key: Key| -> Vec<String> {
        match key {
            Key::State => StateName::ALL.iter().map(ToString::to_string).collect(),
            Key::Needs => vec!["me".to_owned()],
            Key::Priority => PRIORITIES.map(str::to_owned).to_vec(),
            Key::Conflict => vec![YES.to_owned(), NONE.to_owned()],
            Key::Agent | Key::Goal => vec![String::new(), NONE.to_owned()],
            Key::Branch => vec![String::new()],
        }
    };
    let keyed = Key::ALL.iter().flat_map(|key| values(*key).into_iter().map(move |value| format!("{key}:{value}")));
    let all = keyed.chain(Flag::ALL.iter().map(ToString::to_string));
    all.filter(|word| word.starts_with(&typed.to_lowercase())).collect()
}

impl Test {
    fn holds(&self, board: &Board, conflicting: &HashSet<TicketId>, ticket: &Ticket) -> bool {
        match self {
            Self::State(states) => states.contains(&ticket.state.name()),
            Self::Priority(buckets) => ticket
                .priority
                .is_some_and(|priority| buckets.iter().any(|bucket| bucket.eq_ignore_ascii_case(priority.bucket()))),
            Self::Agent(names) => {
                let worked = board.newest_job(ticket.id).and_then(|job| job.agent.as_deref());
                let agent = ticket.agent.as_deref().or(worked).map(str::to_lowercase);
                names.iter().any(|name| agent.as_ref().map_or(name == NONE, |agent| agent.starts_with(name)))
            }
            Self::Goal(titles) => {
                let goal = ticket.goal.and_then(|id| board.goal(id)).map(|goal| goal.title.as_str().to_lowercase());
                titles.iter().any(|title| goal.as_ref().map_or(title == NONE, |goal| goal.contains(title)))
            }
            Self::Branch(names) => {
                let own = ticket.worktree.as_ref().map(|worktree| worktree.branch.to_lowercase());
                let base = ticket.base_branch.as_deref().unwrap_or(&board.about.base_branch).to_lowercase();
                names.iter().any(|name| own.as_ref().is_some_and(|own| own.contains(name)) || base.contains(name))
            }
            Self::NeedsYou => board.needs_you(ticket),
            Self::Conflict(wanted) => wanted.contains(&conflicting.contains(&ticket.id)),
            Self::Flag(Flag::Waiting) => ticket.state == State::Planned && board.readiness(ticket) != Readiness::Ready,
            Self::Flag(Flag::Queued) => has_job(board, ticket, JobStatus::Queued),
            Self::Flag(Flag::Running) => has_job(board, ticket, JobStatus::Running),
            Self::Text(text) => {
                let number = text.strip_prefix('#').unwrap_or(text);
                number.parse() == Ok(ticket.number.0) || ticket.title.as_str().to_lowercase().contains(text)
            }
        }
    }
}

fn has_job(board: &Board, ticket: &Ticket, status: JobStatus) -> bool {
    board.newest_job(ticket.id).is_some_and(|job| job.status == status)
}

/// A word as it was typed.
#[derive(Default)]
struct Word {
    negated: bool,
    /// What stands before the first colon outside of quotation marks.
    key: Option<String>,
    value: String,
    /// It has quotation marks, so it is no word of the language.
    quoted: bool,
}

/// Takes the next word; a quotation mark that nothing closes reaches to the end, as it does while somebody types.
fn next_word(chars: &mut Peekable<Chars>) -> Option<Word> {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
    chars.peek()?;
    let mut word = Word { negated: chars.next_if_eq(&'-').is_some(), ..Word::default() };
    let mut inside = false;
    while let Some(c) = chars.next_if(|c| inside || !c.is_whitespace()) {
        match c {
            '"' => (inside, word.quoted) = (!inside, true),
            ':' if !word.quoted && word.key.is_none() && !word.value.is_empty() => {
                word.key = Some(std::mem::take(&mut word.value));
            }
            c => word.value.push(c),
        }
    }
    Some(word)
}

impl Word {
    fn test(self) -> Result<Test, BadQuery> {
        let value = self.value.to_lowercase();
        let Some(key) = self.key else {
            return match plain(&value).filter(|_| !self.quoted) {
                Some(test) => Ok(test),
                None if value.is_empty() && self.negated => Err(BadQuery::NothingNegated),
                None => Ok(Test::Text(value)),
            };
        };
        let key = key.to_lowercase().parse().map_err(|_| BadQuery::UnknownKey { key })?;
        let unknown = |value: &str| BadQuery::UnknownValue { key, value: value.to_owned(), known: known(key) };
        let values: Vec<String> = value.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect();
        if values.is_empty() {
            return Err(BadQuery::NoValue { key, known: known(key) });
        }
        Ok(match key {
            Key::State => {
                let mut states = Vec::new();
                for value in &values {
                    let found = states_called(value);
                    if found.is_empty() {
                        return Err(unknown(value));
                    }
                    states.extend(found);
                }
                Test::State(states)
            }
            Key::Priority => Test::Priority(
                values.iter().map(|value| bucket(value).ok_or_else(|| unknown(value))).collect::<Result<_, _>>()?,
            ),
            Key::Needs => match values.iter().find(|value| !["me", "you"].contains(&value.as_str())) {
                Some(value) => return Err(unknown(value)),
                None => Test::NeedsYou,
            },
            Key::Conflict => Test::Conflict(
                values
                    .iter()
                    .map(|value| is_conflict(value).ok_or_else(|| unknown(value)))
                    .collect::<Result<_, _>>()?,
            ),
            Key::Agent => Test::Agent(values),
            Key::Goal => Test::Goal(values),
            Key::Branch => Test::Branch(values),
        })
    }
}

/// Returns what a word means by itself.
fn plain(word: &str) -> Option<Test> {
    if let Ok(flag) = word.parse() {
        return Some(Test::Flag(flag));
    }
    word.split(',').map(bucket).collect::<Option<Vec<_>>>().map(Test::Priority)
}

fn bucket(word: &str) -> Option<&'static str> {
    PRIORITIES.iter().copied().find(|bucket| *bucket == word)
}

fn is_conflict(word: &str) -> Option<bool> {
    match word {
        YES => Some(true),
        NONE => Some(false),
        _ => None,
    }
}

/// Returns the states whose name begins like that. A person who is still typing means all that it can become.
fn states_called(word: &str) -> Vec<StateName> {
    let named = |state: &StateName| state.as_str().starts_with(word);
    let review = |state: &StateName| *state == StateName::NeedsHuman && REVIEW.starts_with(word);
    StateName::ALL.iter().filter(|state| named(state) || review(state)).copied().collect()
}

/// Returns what can stand behind the colon, in words.
fn known(key: Key) -> String {
    match key {
        Key::State => listed(StateName::ALL.iter().map(ToString::to_string)),
        Key::Agent => format!("the name of an agent, or {NONE}"),
        Key::Goal => format!("a part of a goal's title, or {NONE}"),
        Key::Needs => "me".to_owned(),
        Key::Conflict => format!("{YES} or {NONE}"),
        Key::Branch => "a part of a branch's name".to_owned(),
        Key::Priority => listed(PRIORITIES.iter().map(ToString::to_string)),
    }
}

fn listed(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::change::Change;
    use crate::domain::goal::Goal;
    use crate::domain::id::{GoalId, JobId};
    use crate::domain::job::{Job, JobKind};
    use crate::domain::sample;
    use crate::domain::state::{Blocked, NeedsHuman};
    use crate::domain::ticket::{Title, Worktree};
    use crate::domain::time::Timestamp;

    fn board() -> Board {
        let mut board = sample::board();
        let id = GoalId(uuid::Uuid::from_u128(9));
        let goal = Goal::new(id, board.about.id, Title::new("User Auth").unwrap(), String::new(), Timestamp(0));
        let worktree = Worktree {
            path: "/w".into(),
            branch: "draft/3-retry".into(),
            base_branch: "main".into(),
            base: String::new(),
            port: None,
        };
        let titled = |number, title: &str| Ticket { title: Title::new(title).unwrap(), ..sample::ticket(number) };
        let priority = Some("P0".parse().unwrap());
        for ticket in [
            Ticket { goal: Some(goal.id), priority, ..titled(1, "Add JWT middleware") },
            Ticket { blocked_by: vec![sample::id(1)], ..titled(2, "Guard waiting rooms") },
            Ticket {
                state: State::Blocked { why: Blocked::Failed },
                worktree: Some(worktree),
                agent: Some("codex".into()),
                ..titled(3, "Retry uploads 12 times")
            },
            Ticket { state: State::NeedsHuman { why: NeedsHuman::Review }, ..titled(12, "Fix: std::fs") },
        ] {
            board.apply(&Change::Ticket(ticket));
        }
        board.apply(&Change::Goal(goal));
        let mut job = Job::queued(JobId(uuid::Uuid::from_u128(1)), sample::id(1), JobKind::Execute, Timestamp(1));
        job.agent = Some("Claude".into());
        board.apply(&Change::Job(job));
        board
    }

    fn conflicting() -> HashSet<TicketId> {
        HashSet::from([sample::id(3)])
    }

    fn found(text: &str) -> Vec<u32> {
        let (board, query) = (board(), Query::parse(text).unwrap());
        let mut found: Vec<u32> =
            board.tickets().filter(|it| query.matches(&board, &conflicting(), it)).map(|it| it.number.0).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_word_for_a_title_finds_its_goal() {
        for title in ["Safe arithmetic", "auth", "a, b and c", "say \"no\" to it", "c++: done"] {
            let mut board = sample::board_of(&[State::Planned, State::Planned]);
            let id = GoalId(uuid::Uuid::from_u128(9));
            let goal = Goal::new(id, board.about.id, Title::new(title).unwrap(), String::new(), Timestamp(0));
            board.apply(&Change::Goal(goal));
            board.apply(&Change::Ticket(Ticket { goal: Some(id), ..sample::ticket(1) }));
            let query = Query::parse(&word(Key::Goal, title)).unwrap();
            let found: Vec<u32> = board
                .tickets()
                .filter(|one| query.matches(&board, &conflicting(), one))
                .map(|one| one.number.0)
                .collect();
            assert_eq!(found, [1], "{title}");
        }
        assert_eq!(word(Key::Agent, "Claude"), "agent:claude");
    }

    #[test]
    fn words_narrow_the_board() {
        for (text, numbers) in [
            ("", &[1, 2, 3, 12][..]),
            ("state:blocked", &[3]),
            ("state:blo", &[3]),
            ("state:review", &[12]),
            ("STATE:Needs_Human,blocked", &[3, 12]),
            ("-state:planned", &[3, 12]),
            ("agent:codex", &[3]),
            ("agent:claude", &[1]),
            ("agent:none", &[2, 12]),
            ("goal:auth", &[1]),
            ("goal:\"user auth\"", &[1]),
            ("goal:none -state:planned", &[3, 12]),
            ("needs:me", &[3, 12]),
            ("branch:retry", &[3]),
            ("branch:main", &[1, 2, 3, 12]),
            ("p0", &[1]),
            ("p1,p0", &[1]),
            ("-p0 state:planned", &[2]),
            ("priority:p0", &[1]),
            ("waiting", &[2]),
            ("queued", &[1]),
            ("running", &[]),
            ("conflict:yes", &[3]),
            ("conflict:none", &[1, 2, 12]),
            ("conflict:yes,none", &[1, 2, 3, 12]),
            ("-conflict:none", &[3]),
            ("\"waiting\"", &[2]),
            ("\"waiting rooms\"", &[2]),
            ("\"rooms waiting", &[]),
            ("12", &[3, 12]),
            ("#12", &[12]),
            ("jwt MIDDLE", &[1]),
            ("\"std::fs\"", &[12]),
            ("-jwt", &[2, 3, 12]),
        ] {
            assert_eq!(found(text), numbers, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (text, said) in [
            (
                "stat:blocked",
                "`stat:` is no filter; there are state:, agent:, goal:, needs:, branch:, priority:, conflict:",
            ),
            ("state:xyz", "`state:xyz` means nothing; state: takes proposed, planned,"),
            ("state:", "`state:` wants something behind it: proposed, planned,"),
            ("needs:you,him", "`needs:him` means nothing; needs: takes me"),
            ("conflict:maybe", "`conflict:maybe` means nothing; conflict: takes yes or none"),
            ("priority:p9", "priority: takes p0, p1, p2, p3"),
            ("jwt -", "`-` wants something"),
        ] {
            let error = Query::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn every_word_that_is_offered_is_one_of_the_language() {
        assert_eq!(words_like("Con"), ["conflict:yes", "conflict:none"]);
        for word in words_like("").iter().filter(|word| !word.ends_with(':')) {
            let query = Query::parse(word).unwrap();
            assert!(!matches!(query.terms[0].test, Test::Text(_)), "{word}");
        }
    }

    fn term() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "state:blocked",
                "conflict:yes",
                "p0",
                "waiting",
                "needs:me",
                "agent:c",
                "goal:auth",
                "queued"
            ])
            .prop_map(str::to_owned),
            "[a-z#0-9]{1,4}",
            "\"[a-z :-]{1,6}\"",
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = Query::parse(&text);
        }

        #[test]
        fn not_is_the_opposite_and_two_words_are_both(a in term(), b in term()) {
            let board = board();
            let parse = |text: &str| Query::parse(text).unwrap();
            for ticket in board.tickets() {
                let holds = |text: &str| parse(text).matches(&board, &conflicting(), ticket);
                prop_assert_eq!(holds(&format!("-{a}")), !holds(&a));
                prop_assert_eq!(holds(&format!("{a}  {b}")), holds(&a) && holds(&b));
                prop_assert_eq!(holds(&format!("{b} {a}")), holds(&a) && holds(&b), "order means nothing");
            }
        }

        #[test]
        fn a_title_in_quotation_marks_finds_its_ticket(title in "[^\"\\p{C}]{1,40}") {
            let Ok(title) = Title::new(&title) else { return Ok(()) };
            let ticket = Ticket { title: title.clone(), ..sample::ticket(1) };
            let query = Query::parse(&format!("\"{title}\"")).unwrap();
            prop_assert!(query.matches(&sample::board(), &conflicting(), &ticket), "{}", title);
        }
    }
}
