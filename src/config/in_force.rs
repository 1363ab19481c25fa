//! The settings that are in force in a process that lives on: those of the files as they are now, or the last good ones
//! while a file is wrong.
//!
//! Files are read each time and compared, since they are a page of text: that costs a few microseconds and is always
//! right, which a file's time stamp is not. What is kept is the meaning, which costs a thousand times as much.

use std::sync::{Arc, Mutex, PoisonError};

use super::{ConfigErrors, Loaded, Sources, load};

/// Keeps what was read last.
#[derive(Debug, Default)]
pub struct Keeper(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    sources: Option<Sources>,
    in_force: InForce,
}

/// What is in force, and what is wrong with the files. One of the two is there.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// The settings of the files, or the last good ones; nothing when there were no good ones yet.
    pub settings: Option<Arc<Loaded>>,
    /// Why the files as they are now do not count.
    pub problem: Option<Arc<ConfigErrors>>,
}

impl Keeper {
    /// Returns what is in force, now that this was read.
    pub fn see(&self, read: Result<Sources, ConfigErrors>) -> InForce {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(sources) if kept.sources.as_ref() == Some(&sources) => {}
            Ok(sources) => {
                match load(&sources) {
                    Ok(loaded) => kept.in_force = InForce { settings: Some(Arc::new(loaded)), problem: None },
                    Err(errors) => kept.in_force.problem = Some(Arc::new(errors)),
                }
                kept.sources = Some(sources);
            }
            Err(errors) => {
                kept.sources = None;
                kept.in_force.problem = Some(Arc::new(errors));
            }
        }
        kept.in_force.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Problem, SourceFile};
    use super::*;

    fn repo(text: &str) -> Result<Sources, ConfigErrors> {
        let repo = Some(SourceFile { path: "draft.yaml".into(), bytes: text.into() });
        Ok(Sources { repo, ..Sources::default() })
    }

    fn timeout(in_force: &InForce) -> u64 {
        in_force.settings.as_ref().unwrap().config.execute_config.timeout.as_secs()
    }

    #[test]
    fn the_same_text_is_not_read_twice_and_another_is() {
        let keeper = Keeper::default();
        let one = keeper.see(repo("execute_config: {timeout: 5}")).settings.unwrap();
        let same = keeper.see(repo("execute_config: {timeout: 5}")).settings.unwrap();
        assert!(Arc::ptr_eq(&one, &same));
        assert_eq!(timeout(&keeper.see(repo("execute_config: {timeout: 6}"))), 6);
    }

    #[test]
    fn while_a_file_is_wrong_the_last_good_settings_stay_and_it_is_said() {
        let keeper = Keeper::default();
        let first = keeper.see(repo("execute_config: {timeout: x}"));
        assert!(first.settings.is_none() && first.problem.is_some());
        assert!(keeper.see(repo("execute_config: {timeout: 5}")).problem.is_none());
        let wrong = keeper.see(repo("execute_config: {timeout: x}"));
        assert_eq!((timeout(&wrong), wrong.problem.unwrap().0.len()), (5, 1));
        let unreadable = Err(ConfigErrors(vec![super::super::ConfigError {
            file: "draft.yaml".into(),
            place: None,
            problem: Problem::NotAFile,
        }]));
        let gone = keeper.see(unreadable);
        assert_eq!((timeout(&gone), gone.problem.unwrap().0[0].problem.clone()), (5, Problem::NotAFile));
        let mended = keeper.see(repo("execute_config: {timeout: 7}"));
        assert_eq!((timeout(&mended), mended.problem.is_none()), (7, true));
    }
}
