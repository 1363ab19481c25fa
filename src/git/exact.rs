//! A change as `git apply` takes it back, byte for byte: also binary files, and text of any size and encoding.

use super::{GitError, Repo};

/// What no configuration and no attribute of anybody may change.
const EXACT: [&str; 13] = [
    "diff-tree",
    "-r",
    "--patch",
    "--binary",
    "--full-index",
    "--find-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
    "--ignore-submodules=none",
    "--src-prefix=a/",
    "--dst-prefix=b/",
];

/// Returns what differs between two commits or trees as a patch.
///
/// # Errors
/// When one of them is missing, or git fails.
pub fn exact_patch(repo: &Repo, base: &str, tree_or_commit: &str) -> Result<Vec<u8>, GitError> {
    repo.git.reading(repo.common_dir()).args(EXACT).args([base, tree_or_commit, "--"]).run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Sandbox, write};

    #[test]
    fn a_patch_brings_every_byte_to_another_checkout() {
        let sandbox = Sandbox::new();
        let main = sandbox.main();
        sandbox.run(&main, "checkout -q -b work");
        std::fs::write(main.join("latin.txt"), b"gr\xfc\xdfe\r\n").unwrap();
        std::fs::write(main.join("picture.bin"), [0, 159, 146, 150, 0, 10, 13]).unwrap();
        write(&main, "a \"name\".txt", "no line end");
        std::fs::remove_file(main.join("a.txt")).unwrap();
        let commit = sandbox.commit(&main, "all kinds");
        let patch = exact_patch(&sandbox.repo(), "main", &commit).unwrap();
        sandbox.run(&main, "checkout -q main");
        let file = sandbox.dir().join("change.patch");
        std::fs::write(&file, patch).unwrap();
        sandbox.args(&main, ["apply", "--index", "--whitespace=nowarn", file.to_str().unwrap()]);
        assert_eq!(sandbox.run(&main, "write-tree"), sandbox.run(&main, "rev-parse work^{tree}"));
    }
}
