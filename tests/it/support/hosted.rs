//! A world whose repository has a remote on a host: a bare repository to push to, and stand-ins for `gh` and `glab` that
//! know what the real ones know, keep pull requests in files, and really merge.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{World, demo_world};

const COMMON: &str = include_str!("hosted/common.sh");
const GH: &str = include_str!("hosted/gh.sh");
const GLAB: &str = include_str!("hosted/glab.sh");

/// A world with a host.
pub(crate) struct Hosted {
    pub(crate) world: World,
    tool: &'static str,
}

impl Hosted {
    /// A world whose remote is on GitHub.
    pub(crate) fn on_github() -> Self {
        let hosted = Self::new("gh", "git@github.com:acme/shop.git");
        hosted.settings("{}");
        hosted
    }

    /// A world whose remote is on a GitLab of somebody's own.
    pub(crate) fn on_gitlab() -> Self {
        let hosted = Self::new("glab", "ssh://git@git.example.com:2222/group/sub/tool.git");
        hosted.settings("{gitlab_hosts: [git.example.com]}");
        hosted
    }

    fn new(tool: &'static str, url: &str) -> Self {
        let world = demo_world();
        let hosted = Self { world, tool };
        fs::create_dir(hosted.state()).unwrap();
        let far = hosted.far();
        let far = far.to_str().unwrap();
        hosted.world.git(&["init", "--quiet", "--bare", far]);
        hosted.world.git(&["push", "--quiet", far, "main"]);
        hosted.world.git(&["remote", "add", "origin", url]);
        hosted.world.git(&["remote", "set-url", "--push", "origin", far]);
        hosted.world.install("gh", &format!("{COMMON}\n{GH}"));
        hosted.world.install("glab", &format!("{COMMON}\n{GLAB}"));
        hosted
    }

    /// Writes what the user's own file says about the host.
    pub(crate) fn settings(&self, host: &str) {
        let folder = self.world.folder().join("config/draft");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.yaml"), format!("git_host_config: {host}\n")).unwrap();
    }

    /// Returns the folder in which the stand-ins keep what they know.
    pub(crate) fn state(&self) -> PathBuf {
        self.world.home().join("hosted")
    }

    /// Returns the bare repository.
    pub(crate) fn far(&self) -> PathBuf {
        self.world.home().join("far.git")
    }

    /// Runs git in the bare repository.
    pub(crate) fn far_git(&self, args: &[&str]) -> String {
        let far = self.far();
        self.world.git(&[&["-C", far.to_str().unwrap()], args].concat())
    }

    /// Tells the stand-ins something: a file of that name is there, or is not.
    pub(crate) fn tell(&self, name: &str, content: Option<&str>) {
        let file = self.state().join(name);
        match content {
            Some(content) => fs::write(file, content).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
    }

    /// Returns what the stand-ins were called with.
    pub(crate) fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.state().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// Files a ticket, has its agent make that file, and returns its number.
    pub(crate) fn changed(&self, title: &str, file: &str) -> String {
        let script = format!("More about it.\n[[write hello.txt hi\\n]][[write {file} made\\n]][[say done]]");
        let args = ["ticket", "add", title, "--description", &script, "--state", "planned", "--json"];
        let number = self.world.draft(&args).ok().json()["number"].to_string();
        self.world.draft(&["run", &number, "--trust"]).ok();
        number
    }

    /// Does the same, and approves the change.
    pub(crate) fn approved(&self, title: &str, file: &str) -> String {
        let number = self.changed(title, file);
        self.world.draft(&["review", &number, "--approve"]).ok();
        number
    }

    /// Has somebody else merge a pull request on the host.
    pub(crate) fn merged_there(&self, number: &str) {
        let state = self.state().join(number);
        let read = |name: &str| fs::read_to_string(state.join(name)).unwrap();
        let head = self.far_git(&["rev-parse", &format!("refs/heads/{}", read("head"))]);
        let mut command = self.world.command(self.tool);
        match self.tool {
            "gh" => command.args(["pr", "merge", number, "--repo", "github.com/acme/shop", "--squash"]),
            _ => command.args(["mr", "merge", number, "--repo", "https://git.example.com/group/sub/tool"]),
        };
        match self.tool {
            "gh" => command.args(["--match-head-commit", &head]),
            _ => command.args(["--sha", &head, "--auto-merge=false", "--yes"]),
        };
        self.world.start(command.env("GH_PROMPT_DISABLED", "1")).wait().ok();
    }

    /// Returns a ticket with everything about it.
    #[track_caller]
    pub(crate) fn show(&self, ticket: &str) -> Value {
        self.world.draft(&["ticket", "show", ticket, "--json"]).ok().json()
    }
}
