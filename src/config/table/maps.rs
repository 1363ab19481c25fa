//! The keys of what stands in lists and below names: a profile, a command that is written as a map, a webhook.

use super::super::keys::{Key, Kind};
use super::super::later::Webhook;
use super::super::{CommandSpec, ExecutorProfile};
use super::WEEK;

/// The keys of a profile.
pub(in crate::config) const PROFILE: &[Key<ExecutorProfile>] = &[
    of_profile("executor_type", "the agent", Kind::Text { at: |profile| &mut profile.executor_type }),
    of_profile(
        "timeout",
        "longest time of one attempt, in seconds; null leaves it to execute_config.timeout",
        Kind::OptionalSeconds { least: 1, most: WEEK, at: |profile| &mut profile.timeout },
    ),
    of_profile(
        "extra_flags",
        "arguments for the agent beside its own",
        Kind::Flags { at: |profile| &mut profile.extra_flags },
    )
    .runs(),
    of_profile(
        "model",
        "the model for the agent; null leaves it to execute_config.executor_model",
        Kind::OptionalText { at: |profile| &mut profile.model },
    ),
    of_profile("env", "variables of its environment, by name", Kind::Variables { at: |profile| &mut profile.env })
        .runs(),
];

/// The keys of a command that is written as a map.
pub(in crate::config) const COMMAND: &[Key<CommandSpec>] = &[
    of_command("run", "the command", Kind::Text { at: |command| &mut command.run }).runs(),
    of_command("shell", "whether `sh -c` runs it", Kind::Switch { at: |command| &mut command.shell }).runs(),
    of_command(
        "timeout",
        "longest time, in seconds; null leaves it to the section",
        Kind::OptionalSeconds { least: 1, most: WEEK, at: |command| &mut command.timeout },
    ),
];

/// The keys of a webhook.
pub(in crate::config) const WEBHOOK: &[Key<Webhook>] = &[
    of_webhook("url", "the address", Kind::Url { at: |hook| &mut hook.url }).user(),
    of_webhook("events", "what to tell; * is everything", Kind::Texts { at: |hook| &mut hook.events }).user(),
    of_webhook("secret", "with what messages are signed", Kind::OptionalText { at: |hook| &mut hook.secret }).user(),
];

const fn of_profile(path: &'static str, about: &'static str, kind: Kind<ExecutorProfile>) -> Key<ExecutorProfile> {
    Key::new(path, about, kind)
}

const fn of_command(path: &'static str, about: &'static str, kind: Kind<CommandSpec>) -> Key<CommandSpec> {
    Key::new(path, about, kind)
}

const fn of_webhook(path: &'static str, about: &'static str, kind: Kind<Webhook>) -> Key<Webhook> {
    Key::new(path, about, kind)
}
