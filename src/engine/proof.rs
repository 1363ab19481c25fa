//! Looks up what is proven of a tree that would be on a target.

use crate::config::Config;
use crate::domain::proof::Proof;

use super::error::EngineError;
use super::jobs::verify::checks_of;
use super::workshop::Workshop;

/// Returns the commands of the checks that a landing would run: a ticket's own, or the repository's; or which of them is not allowed.
pub(super) fn commands(own: &[String], config: &Config) -> Result<Vec<String>, String> {
    Ok(checks_of(own, config)?.into_iter().map(|check| check.display).collect())
}

/// Returns what the results that are stored say about a tree.
pub(super) fn of_tree(shop: &Workshop, commands: &[String], tree: &str) -> Result<Proof, EngineError> {
    let results = shop.readers.read(|reader| reader.results_on(shop.about.id, tree))?;
    Ok(Proof::of(commands.iter().map(String::as_str), &results))
}

/// Returns what is proven of the tree that a landing would put on its target, given the checks that are the ticket's own.
///
/// # Errors
/// When the settings or the database cannot be read.
pub fn proof_of(shop: &Workshop, own: &[String], tree: &str) -> Result<Proof, EngineError> {
    let config = &shop.settings()?.config;
    if !config.merge_config.check_divergence {
        return Ok(Proof::None);
    }
    match commands(own, config) {
        Ok(commands) => of_tree(shop, &commands, tree),
        Err(_) => Ok(Proof::Unknown),
    }
}
