//! Pushes a commit to a branch of a remote, and never over what somebody else put there.

use std::path::Path;
use std::time::Duration;

use super::forward::why;
use super::{GitError, Repo};

/// How long a remote may take to say what it has.
const LOOK: Duration = Duration::from_secs(30);
/// How long a push may take: hooks run before it.
const PUSH: Duration = Duration::from_mins(10);

/// The addresses of a remote, with what `url.….insteadOf` makes of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Addresses {
    /// From where it is fetched.
    pub(super) fetch: String,
    /// To where it is pushed, where that is elsewhere.
    pub(super) push: Option<String>,
}

/// Returns the addresses of a remote; nothing when there is none of that name.
pub(super) fn addresses(repo: &Repo, remote: &str) -> Result<Option<Addresses>, GitError> {
    let ask = |more: &[&str]| {
        let call = repo.git.reading(repo.common_dir()).args(["remote", "get-url"]).args(more).args(["--", remote]);
        let said = call.run_to(&[2])?;
        let line = String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned();
        Ok(Some(line).filter(|line| said.code == 0 && !line.is_empty()))
    };
    let Some(fetch) = ask(&[])? else { return Ok(None) };
    let push = ask(&["--push"])?.filter(|push| *push != fetch);
    Ok(Some(Addresses { fetch, push }))
}

/// What came of a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pushed {
    /// The branch of the remote is at the commit.
    Done,
    /// It was there already.
    Already,
    /// The branch is at a commit that is none of ours, which is never overwritten.
    Foreign(String),
    /// The remote, a hook or git said no: why, for people.
    Refused(String),
}

/// What is to be pushed.
#[derive(Clone, Copy, Debug)]
pub struct Push<'a> {
    /// Where hooks run, as they do when a person pushes: the ticket's worktree.
    pub dir: &'a Path,
    /// The remote.
    pub remote: &'a str,
    /// Its address for pushes, where that is another one than that from which it is fetched.
    pub url: Option<&'a str>,
    /// The commit.
    pub commit: &'a str,
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// The commits that Draft itself may have pushed there before.
    pub ours: &'a [String],
}

/// Brings a branch of a remote to a commit. It looks first, so doing it again after a crash does nothing; and the remote
/// itself compares, so that whoever pushed in between is not overwritten.
///
/// # Errors
/// When git could not be started, or the remote does not answer.
pub fn push(repo: &Repo, what: Push<'_>) -> Result<Pushed, GitError> {
    let reference = format!("refs/heads/{}", what.branch);
    let there = at(repo, what, &reference)?;
    let expected = match there {
        Some(there) if there == what.commit => return Ok(Pushed::Already),
        Some(there) if !what.ours.contains(&there) => return Ok(Pushed::Foreign(there)),
        Some(there) => there,
        None => String::new(),
    };
    let lease = format!("--force-with-lease={reference}:{expected}");
    let refspec = format!("{}:{reference}", what.commit);
    let args = ["push", "--quiet", "--no-follow-tags", &lease, "--", what.remote, &refspec];
    match repo.git.writing(what.dir).args(args).within(PUSH).run() {
        Ok(_) => Ok(Pushed::Done),
        Err(GitError::Failed { stderr, .. }) => match at(repo, what, &reference)? {
            Some(there) if there == what.commit => Ok(Pushed::Done),
            Some(there) if there != expected => Ok(Pushed::Foreign(there)),
            Some(_) | None => Ok(Pushed::Refused(why(&stderr))),
        },
        Err(error) => Err(error),
    }
}

/// Returns the commit that a ref of a remote is at.
fn at(repo: &Repo, what: Push<'_>, reference: &str) -> Result<Option<String>, GitError> {
    let call = repo.git.reading(repo.common_dir()).within(LOOK);
    let call = match what.url {
        None => call.args(["ls-remote", "--", what.remote, reference]),
        // An address may hold a password, so it is no argument: those are seen by everybody and stand in errors.
        Some(url) => call
            .variable("GIT_CONFIG_COUNT", "1")
            .variable("GIT_CONFIG_KEY_0", "remote.draft-push.url")
            .variable("GIT_CONFIG_VALUE_0", url)
            .args(["ls-remote", "--", "draft-push", reference]),
    };
    let said = call.run()?;
    let said = String::from_utf8_lossy(&said);
    let found = said.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == reference);
    Ok(found.map(|(commit, _)| commit.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, executable};

    /// A sandbox whose repository has a bare one as its remote.
    fn with_remote() -> (Sandbox, String) {
        let sandbox = Sandbox::new();
        let bare = sandbox.dir().join("far.git").display().to_string();
        sandbox.run(sandbox.dir(), &format!("init -q --bare {bare}"));
        sandbox.run(&sandbox.main(), &format!("remote add origin {bare}"));
        (sandbox, bare)
    }

    fn try_push(sandbox: &Sandbox, url: Option<&str>, commit: &str, ours: &[&str]) -> Pushed {
        let ours: Vec<String> = ours.iter().map(|one| (*one).to_owned()).collect();
        let dir = sandbox.main();
        let what = Push { dir: &dir, remote: "origin", url, commit, branch: "draft/1-x", ours: &ours };
        push(&sandbox.repo(), what).unwrap()
    }

    #[test]
    fn a_push_brings_the_branch_there_once_and_takes_the_next_commit_of_ours_in_its_place() {
        let (sandbox, far) = with_remote();
        let start = sandbox.run(&sandbox.main(), "rev-parse HEAD");
        let first = sandbox.commit(&sandbox.main(), "first");
        sandbox.run(&sandbox.main(), &format!("checkout -q --detach {start}"));
        let second = sandbox.commit(&sandbox.main(), "second");
        assert_eq!(try_push(&sandbox, Some(&far), &first, &[]), Pushed::Done);
        assert_eq!(try_push(&sandbox, None, &first, &[]), Pushed::Already);
        assert_eq!(try_push(&sandbox, Some(&far), &second, &[&first]), Pushed::Done);
        assert_eq!(sandbox.run(Path::new(&far), "rev-parse draft/1-x"), second);
    }

    #[test]
    fn what_somebody_else_pushed_is_never_overwritten() {
        let (sandbox, far) = with_remote();
        let theirs = sandbox.commit(&sandbox.main(), "theirs");
        sandbox.run(&sandbox.main(), "push -q origin HEAD:refs/heads/draft/1-x");
        sandbox.run(&sandbox.main(), "checkout -q --detach HEAD~1");
        let ours = sandbox.commit(&sandbox.main(), "ours");
        assert_eq!(try_push(&sandbox, None, &ours, &[]), Pushed::Foreign(theirs.clone()));
        assert_eq!(sandbox.run(Path::new(&far), "rev-parse draft/1-x"), theirs);
    }

    #[test]
    fn a_hook_that_says_no_is_heard_and_nothing_is_pushed() {
        let (sandbox, far) = with_remote();
        let hook = sandbox.main().join(".git/hooks/pre-push");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        executable(&hook, "#!/bin/sh\necho 'run the tests first' >&2\nexit 1\n");
        let head = sandbox.run(&sandbox.main(), "rev-parse HEAD");
        let answer = try_push(&sandbox, Some(&far), &head, &[]);
        assert!(matches!(&answer, Pushed::Refused(why) if why.contains("run the tests first")), "{answer:?}");
        assert_eq!(sandbox.run(Path::new(&far), "for-each-ref"), "");
    }

    #[test]
    fn a_remote_has_an_address_to_fetch_from_and_one_to_push_to() {
        let (sandbox, far) = with_remote();
        let main = sandbox.main();
        sandbox.run(&main, "remote set-url origin https://github.com/acme/shop.git");
        sandbox.run(&main, &format!("remote set-url --push origin {far}"));
        let fetch = "https://github.com/acme/shop.git".to_owned();
        assert_eq!(addresses(&sandbox.repo(), "origin").unwrap(), Some(Addresses { fetch, push: Some(far) }));
        assert_eq!(addresses(&sandbox.repo(), "upstream").unwrap(), None);
    }
}
