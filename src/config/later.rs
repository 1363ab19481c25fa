//! Settings that are read and checked, and that nothing uses yet: what a file says in them is kept for the day on which
//! something does. A key leaves this file when it comes into use.

use std::time::Duration;

/// What the planner asks, and whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannerModel {
    /// The model: `cli/` and an agent, or the name of a model of an interface.
    pub model: String,
    /// The agent's program.
    pub agent_path: String,
    /// Longest time of one question.
    pub timeout: Duration,
    /// Longest answer about a ticket that ended, in tokens.
    pub max_tokens_reflection: u32,
    /// Longest answer about a ticket that follows, in tokens.
    pub max_tokens_followup: u32,
    /// Most tickets that follow from one.
    pub max_followups_per_ticket: u32,
    /// Most tickets that follow at once.
    pub max_followups_per_tick: u32,
    /// Reasons from which no ticket follows.
    pub skip_followup_reasons: Vec<String>,
    /// Whether tickets are proposed that follow from others.
    pub propose_followups: bool,
    /// Whether what was learned from a ticket is written down.
    pub generate_reflections: bool,
    /// Whether tickets are looked at before they are proposed.
    pub validate_tickets: bool,
}

impl Default for PlannerModel {
    fn default() -> Self {
        Self {
            model: "cli/claude".to_owned(),
            agent_path: "claude".to_owned(),
            timeout: Duration::from_secs(30),
            max_tokens_reflection: 300,
            max_tokens_followup: 500,
            max_followups_per_ticket: 2,
            max_followups_per_tick: 3,
            skip_followup_reasons: ["no changes produced", "no changes", "empty diff"].map(str::to_owned).to_vec(),
            propose_followups: false,
            generate_reflections: false,
            validate_tickets: false,
        }
    }
}

/// How the planner makes and changes tickets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UdarConfig {
    /// Whether it does.
    pub enabled: bool,
    /// Whether plans change while work goes on.
    pub enable_incremental_replanning: bool,
    /// Whether a model looks at the result.
    pub enable_llm_validation: bool,
    /// How often a plan may be mended.
    pub max_self_correction_iterations: u32,
    /// How many ended tickets lead to a new plan.
    pub replan_batch_size: u32,
    /// How many changed files matter to a plan.
    pub replan_significance_threshold: u32,
    /// Least time between two plans, in minutes.
    pub replan_max_frequency_minutes: u32,
    /// Whether the plain way is taken when this one fails.
    pub fallback_to_legacy: bool,
    /// Longest time of a plan.
    pub timeout_seconds: Duration,
    /// Whether its cost is counted.
    pub enable_cost_tracking: bool,
    /// How often it is tried again.
    pub max_retries_on_error: u32,
}

impl Default for UdarConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            enable_incremental_replanning: false,
            enable_llm_validation: false,
            max_self_correction_iterations: 1,
            replan_batch_size: 5,
            replan_significance_threshold: 10,
            replan_max_frequency_minutes: 30,
            fallback_to_legacy: true,
            timeout_seconds: Duration::from_secs(120),
            enable_cost_tracking: true,
            max_retries_on_error: 0,
        }
    }
}

/// How several agents work on one ticket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TeamConfig {
    /// Whether they do.
    pub enabled: bool,
    /// The agent of a member when nobody names one.
    pub default_executor: String,
    /// Longest time of the one who leads.
    pub orchestrator_timeout: Duration,
    /// Longest time of a member.
    pub worker_timeout: Duration,
    /// Time between two looks at the messages.
    pub message_check_interval: Duration,
    /// Most members.
    pub max_team_size: u32,
    /// When the work is over.
    pub completion_strategy: String,
}

impl Default for TeamConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            default_executor: "claude".to_owned(),
            orchestrator_timeout: Duration::from_secs(1800),
            worker_timeout: Duration::from_secs(600),
            message_check_interval: Duration::from_secs(10),
            max_team_size: 10,
            completion_strategy: "orchestrator_done_or_timeout".to_owned(),
        }
    }
}

/// Whom to tell what happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What to tell; `*` is everything.
    pub events: Vec<String>,
    /// With what messages are signed.
    pub secret: Option<String>,
}

impl Default for Webhook {
    fn default() -> Self {
        Self { url: String::new(), events: vec!["*".to_owned()], secret: None }
    }
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Later {
    /// What the planner asks, and whom.
    pub planner: PlannerModel,
    /// How the planner makes and changes tickets.
    pub udar: UdarConfig,
    /// How several agents work on one ticket.
    pub team_config: TeamConfig,
    /// Whom to tell what happens.
    pub webhooks: Vec<Webhook>,
}
