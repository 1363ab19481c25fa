//! Whether agents may act without asking in this repository.

use std::path::{Path, PathBuf};

use super::{Config, Loaded, Origin};

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Yolo {
    /// The user did not ask for it: agents run with their own rules.
    Disabled,
    /// Asked for, and the repository lies in a folder of the list.
    Allowed,
    /// Asked for, but not for this repository; no agent is started.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

/// What a person may allow agents where nobody chose yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// Edit files, and as little else as they can do with.
    Edits,
    /// Everything, in this repository.
    Everything,
}

/// Says whether nobody said yet what agents may do in this repository; the paths are those of [`yolo`].
pub fn is_open(loaded: &Loaded, repo_root: &Path, allowlist: &[PathBuf]) -> bool {
    match yolo(&loaded.config, repo_root, allowlist) {
        // It was said of other folders.
        Yolo::Refused { .. } => true,
        Yolo::Disabled => loaded.origin("execute_config.yolo_mode") == Origin::BuiltIn,
        Yolo::Allowed => false,
    }
}

/// Decides it. Both paths must be canonical, that is with all links resolved: then a folder is compared name by name,
/// and `/srv/app` does not cover `/srv/application`.
pub fn yolo(config: &Config, repo_root: &Path, allowlist: &[PathBuf]) -> Yolo {
    if !config.execute_config.yolo_mode {
        return Yolo::Disabled;
    }
    if allowlist.is_empty() {
        let reason = "`execute_config.yolo_mode` is on, but `execute_config.yolo_allowlist` names no folder that \
                      exists; add the folders that you trust";
        return Yolo::Refused { reason: reason.to_owned() };
    }
    if allowlist.iter().any(|trusted| repo_root.starts_with(trusted)) {
        return Yolo::Allowed;
    }
    let list = allowlist.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    Yolo::Refused {
        reason: format!(
            "`execute_config.yolo_mode` is on, but {} is in none of the trusted folders ({list}); add it to \
             `execute_config.yolo_allowlist` in your own file",
            repo_root.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SourceFile, Sources, load};
    use super::*;

    fn ask(mode: bool, root: &str, list: &[&str]) -> Yolo {
        let mut config = Config::default();
        config.execute_config.yolo_mode = mode;
        yolo(&config, Path::new(root), &list.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_off_unless_asked_for() {
        assert_eq!(ask(false, "/srv/app", &["/srv"]), Yolo::Disabled);
    }

    #[test]
    fn it_is_open_until_somebody_said_it_of_this_repository() {
        let open = |text: &str| {
            let user = SourceFile { path: "config.yaml".into(), bytes: text.into() };
            let loaded = load(&Sources { user: Some(user), ..Sources::default() }).unwrap();
            let list: Vec<PathBuf> = loaded.config.execute_config.yolo_allowlist.iter().map(PathBuf::from).collect();
            is_open(&loaded, Path::new("/srv/app"), &list)
        };
        assert!(open("execute_config: {timeout: 5}"));
        assert!(open("execute_config: {yolo_mode: true, yolo_allowlist: [/home]}"));
        assert!(!open("execute_config: {yolo_mode: true, yolo_allowlist: [/srv]}"));
        assert!(!open("execute_config: {yolo_mode: false}"));
    }

    #[test]
    fn it_holds_in_a_listed_folder_and_below_it() {
        assert_eq!(ask(true, "/srv/app", &["/srv/app"]), Yolo::Allowed);
        assert_eq!(ask(true, "/srv/app/deep", &["/home", "/srv"]), Yolo::Allowed);
    }

    #[test]
    fn it_is_refused_elsewhere_and_the_reason_names_both_sides() {
        assert!(matches!(ask(true, "/srv/app", &[]), Yolo::Refused { reason } if reason.contains("names no folder")));
        let Yolo::Refused { reason } = ask(true, "/srv/application", &["/srv/app", "/opt"]) else {
            panic!("a folder that only begins alike is another one");
        };
        assert!(reason.contains("/srv/application is in none") && reason.contains("(/srv/app, /opt)"));
        assert!(matches!(ask(true, "/srv", &["/srv/app"]), Yolo::Refused { .. }));
    }
}
