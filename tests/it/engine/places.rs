//! Worktrees that can run: set-up and clean-up, ports, a base of one's own.

use std::fs;

use serde_json::json;

use super::Yard;
use crate::support::until;

#[test]
fn a_worktree_is_set_up_once_and_cleaned_up_before_it_goes() {
    let yard = Yard::new();
    let line = |what: &str| yard.script(&format!("sh -c 'echo {what} $PWD >> @scripts; echo {what} output'"));
    yard.config(&format!(
        "execute_config: {{}}\nworkspace_config: {{setup: [{}, 'git --version'], cleanup: [{}]}}\n",
        json!(line("setup")),
        json!(line("cleanup"))
    ));
    yard.tickets(&["[[write a.txt a]]"]);
    yard.run(&[]).ok();
    let shown = yard.show(1);
    let kinds: Vec<_> = shown.runs("execute").iter().map(|run| run["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["setup", "setup", "execute"]);
    let path = shown.worktree().display().to_string();
    assert_eq!(yard.journal("scripts"), [format!("setup {path}")]);
    assert_eq!(
        yard.world
            .draft(&["log", "1", "--raw", "--run", "1", "--job", shown.job("execute")["id"].as_str().unwrap()])
            .ok()
            .text(),
        "setup output\n"
    );

    let _ = yard.world.draft(&["ticket", "tell", "1", "[[write b.txt b]]"]).ok();
    yard.run(&["1"]).ok();
    assert_eq!(yard.journal("scripts").len(), 1, "what was set up is not set up again");
    let _ = yard.world.draft(&["ticket", "move", "1", "abandoned"]).ok();
    assert_eq!(yard.journal("scripts"), [format!("setup {path}"), format!("cleanup {path}")]);
    assert!(!fs::exists(&path).unwrap());

    let _ = yard.world.draft(&["ticket", "move", "1", "planned"]).ok();
    yard.run(&["1"]).ok();
    assert_eq!(yard.journal("scripts").len(), 3, "a worktree that was made anew is set up anew");
    yard.assert_tidy(1);
}

#[test]
fn a_worktree_that_somebody_deleted_comes_back_as_its_newest_revision_was() {
    let yard = Yard::new();
    yard.tickets(&["[[write b.txt b\\n]]"]);
    yard.run(&[]).ok();
    let worktree = yard.show(1).worktree().to_owned();
    for (n, branch_too) in [(2, false), (3, true)] {
        fs::remove_dir_all(&worktree).unwrap();
        if branch_too {
            yard.world.git(&["worktree", "prune"]);
            yard.world.git(&["branch", "-D", "draft/1-ticket-1"]);
        }
        yard.world.draft(&["ticket", "tell", "1", &format!("[[write c-{n}.txt c\\n]]")]).ok();
        yard.run(&["1"]).ok();
        let shown = yard.show(1);
        let newest = shown.revisions().iter().find(|one| one["number"] == n).unwrap();
        let files = yard.world.git(&["ls-tree", "--name-only", newest["head"].as_str().unwrap()]);
        assert!(files.contains("b.txt") && files.contains(&format!("c-{n}.txt")), "{files}");
        assert_eq!(newest["insertions"], n, "what came back is a part of its change: {newest:#}");
        let told = format!("its worktree came back from refs/draft/revisions/{}/{}", shown.id(), n - 1);
        assert!(shown.value["events"].to_string().contains(&told), "{:#}", shown.value["events"]);
    }
    yard.assert_tidy(1);
}

#[test]
fn a_set_up_that_fails_blocks_with_its_reason_before_an_agent_starts() {
    let yard = Yard::new();
    yard.config("execute_config: {}\nworkspace_config: {setup: ['sh -c \"exit 5\"', 'false']}\n");
    yard.tickets(&[&yard.script("[[run echo started >> @starts]]")]);
    yard.run(&[]).exits(1);
    yard.show(1).assert("blocked (failed)", "could not be made ready").assert("blocked (failed)", "exited with code 5");
    assert_eq!(yard.journal("starts"), [""; 0]);
    yard.config("execute_config: {}\nworkspace_config: {setup: ['no-such-program']}\n");
    yard.run(&["1"]).exits(1);
    yard.show(1).assert("blocked (failed)", "there is no `no-such-program` here");
    yard.assert_tidy(1);
}

#[test]
fn each_worktree_has_ports_of_its_own_on_whatever_board() {
    let yard = Yard::new();
    yard.config("execute_config: {max_parallel_jobs: 4}\nworkspace_config: {ports: 3, port_base: 23000}\n");
    let script = yard.script("[[run echo $DRAFT_PORT $DRAFT_PORTS $DRAFT_BRANCH >> @ports]] [[write a.txt a]]");
    yard.tickets(&[&script, &script, &script, &script]);
    yard.run(&[]).ok();
    let mut lines = yard.journal("ports");
    lines.sort();
    let first: Vec<u16> = lines.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(first.len(), 4);
    assert!(first.windows(2).all(|pair| pair[1] - pair[0] >= 3), "{lines:?}");
    assert!(lines.iter().all(|line| line.split(' ').nth(1) == Some("3") && line.contains("draft/")), "{lines:?}");
    yard.assert_tidy(4);
}

#[test]
fn a_ticket_may_start_from_a_branch_of_its_own() {
    let yard = Yard::new();
    yard.world.git(&["branch", "release"]);
    yard.world.write("new.txt", "on main only\n");
    yard.world.commit("second");
    yard.import(&[
        json!({ "title": "Fix", "state": "planned", "description": "[[write a.txt a]]", "base_branch": "release" }),
        json!({ "title": "Lost", "state": "planned", "description": "[[write a.txt a]]", "base_branch": "nowhere" }),
    ]);
    yard.run(&[]).exits(1);
    let shown = yard.show(1);
    shown.assert("needs_human (review)", "");
    assert!(!shown.worktree().join("new.txt").exists());
    assert_eq!(shown.revisions()[0]["base"], yard.world.git(&["rev-parse", "release"]));
    yard.show(2).assert("blocked (failed)", "nowhere");
    yard.assert_tidy(1);
}

#[test]
fn set_up_and_clean_up_outlive_the_engine_and_run_once() {
    let yard = Yard::new();
    let line = |what: &str| {
        let text = format!("echo {what} >> @scripts; touch @{what}; until test -e @go-{what}; do sleep 0.01; done");
        json!(yard.script(&format!("sh -c '{text}'")))
    };
    let (setup, cleanup) = (line("setup"), line("cleanup"));
    yard.config(&format!("execute_config: {{}}\nworkspace_config: {{setup: [{setup}], cleanup: [{cleanup}]}}\n"));
    yard.tickets(&["[[write a.txt a]]"]);
    let engine = yard.engine(&[]);
    yard.await_sign("setup");
    let _ = engine.kill_9();
    yard.give("go-setup");
    yard.run(&[]).ok();
    assert_eq!(yard.journal("scripts"), ["setup"]);
    yard.show(1).assert("needs_human (review)", "");

    let _ = yard.world.draft(&["ticket", "move", "1", "planned"]).ok();
    let path = yard.show(1).worktree().to_owned();
    let leaving = yard.world.draft_in_background(&["ticket", "move", "1", "abandoned"]);
    yard.await_sign("cleanup");
    let _ = leaving.kill_9();
    assert!(path.exists(), "it is not removed before that is over");
    yard.give("go-cleanup");
    // Whoever is the engine next finds it due; a command that it is for ends when it is done.
    let _ = yard.world.draft(&["ticket", "add", "Another"]).ok();
    yard.run(&[]).ok();
    assert_eq!(yard.journal("scripts"), ["setup", "cleanup"]);
    until("the worktree is gone", || !path.exists());
    let kinds: Vec<_> = yard.show(1).runs("execute").iter().map(|run| run["kind"].clone()).collect();
    assert_eq!(kinds, ["setup", "execute"], "what cleaned up belongs to the job that ran last");
    assert_eq!(yard.show(1).runs("verify")[0]["kind"], "cleanup");
    yard.world.assert_accounted_for();
    yard.world.assert_nothing_left();
}
