//! Opens what a board needs: folders, git, the repository, the database, and the board itself on first use.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy;

use crate::config::in_force::Keeper;
use crate::config::{FILE_NAME, Files};
use crate::domain::board::{About, Board};
use crate::domain::id::BoardId;
use crate::engine::{Gates, Paths, Workshop};
use crate::git::still::Still;
use crate::git::{Git, GitError, Repo, owners};
use crate::store::{self, Reader, Readers, StoreError, Write, Writer};

use super::error::AppError;

/// The repository where none was named: the one around the current directory.
const HERE: &str = ".";

/// What a person chose on the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The repository, or a folder in it.
    pub repo: PathBuf,
    /// The board by name.
    pub board: Option<String>,
    /// Where everything is kept.
    pub data_dir: Option<PathBuf>,
    /// How many jobs run at once.
    pub max_parallel: Option<u32>,
    /// Whether its engine stays, and may begin what nobody asked for: checks of what waits.
    pub looks_ahead: bool,
}

/// A board that is open.
#[derive(Debug)]
pub struct Opened {
    /// What its engine works with.
    pub workshop: Arc<Workshop>,
    /// The way to write.
    pub writer: Writer,
    /// The board, where somebody read it already, with the number of the change at which it stood.
    pub read: Option<(Board, u64)>,
}

impl Opened {
    /// Opens a connection that only reads.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn reader(&self) -> Result<Reader, AppError> {
        Ok(Reader::open(&self.workshop.paths.database())?)
    }
}

/// Opens a repository's board; it is made on first use. Nothing is started for that: whether git is new enough is for
/// [`Git::check`] to say, before git is needed.
///
/// # Errors
/// When there is no git, repository, data folder or database.
pub fn open(options: &Options) -> Result<Opened, AppError> {
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::locate(&path_env).map_err(AppError::Git)?;
    let paths = paths(options.data_dir.as_deref())?;
    let folder = folder(options, &paths, &git)?;
    let repo = Repo::discover(&git, &folder).map_err(AppError::NoRepository)?;
    make_folders(&paths)?;
    let writer = store::open(&paths.database())?;
    let readers = Readers::of(&paths.database());
    let about = readers.read(|reader| Ok(find_or_make(reader, &writer, &repo, options.board.as_deref())))??;
    // A doctor of another data directory asks this one before it takes its refs for left over.
    let data_dir = paths.data_dir.canonicalize().unwrap_or_else(|_| paths.data_dir.clone());
    if let Err(error) = owners::note(&repo, &data_dir) {
        tracing::warn!(%error, "the repository does not know of this data directory");
    }
    let draft_program = std::env::current_exe().map_err(|source| AppError::Io {
        action: "find",
        path: PathBuf::from("draft"),
        source,
    })?;
    let workshop = Arc::new(Workshop {
        readers,
        gates: Gates::default(),
        paths,
        about,
        git,
        repo,
        draft_program,
        path_env,
        kept: Keeper::default(),
        max_parallel: options.max_parallel,
        still: Still::default(),
        looks_ahead: options.looks_ahead,
    });
    Ok(Opened { workshop, writer, read: None })
}

/// Returns the board that would be opened, where there is one already, and makes nothing.
///
/// # Errors
/// When there is no git, repository or home, or the database cannot be read.
pub fn board_here(options: &Options) -> Result<Option<Board>, AppError> {
    let git = Git::find(&std::env::var_os("PATH").unwrap_or_default()).map_err(AppError::Git)?;
    let paths = paths(options.data_dir.as_deref())?;
    if !paths.database().exists() {
        return Ok(None);
    }
    let repo = Repo::discover(&git, &folder(options, &paths, &git)?).map_err(AppError::NoRepository)?;
    let reader = Reader::open(&paths.database())?;
    let Some(about) = find(&reader, repo.root(), options.board.as_deref())? else { return Ok(None) };
    Ok(reader.board(about.id)?.map(|(board, _)| board))
}

/// Returns the folder in whose repository somebody wants to work: that of the board that is named, or the one that is named itself.
/// In a worktree that Draft made, it is the repository for whose board it was made.
///
/// # Errors
/// When there is no such board, or there are several.
pub(super) fn folder(options: &Options, paths: &Paths, git: &Git) -> Result<PathBuf, AppError> {
    let boards = || {
        // Brings an older database up to date, so that it can be read.
        drop(store::open(&paths.database())?);
        Ok::<_, AppError>(Reader::open(&paths.database())?.boards()?)
    };
    let owner = match is_ours(paths, &options.repo) {
        true => owner(&boards()?, paths, &options.repo),
        false => None,
    };
    let elsewhere = match &options.board {
        Some(name) if paths.database().exists() && options.repo == Path::new(HERE) => {
            elsewhere(&boards()?, git, name, owner.as_deref())?
        }
        Some(_) | None => None,
    };
    Ok(elsewhere.or(owner).unwrap_or_else(|| options.repo.clone()))
}

/// Says whether a path lies where Draft makes worktrees, for tickets or to land them.
fn is_ours(paths: &Paths, path: &Path) -> bool {
    [paths.worktrees(), paths.landings()].iter().any(|folder| is_inside(path, folder)) && paths.database().exists()
}

/// Returns the repository of the board for which the worktree was made in which a path lies.
fn owner(boards: &[About], paths: &Paths, path: &Path) -> Option<PathBuf> {
    let made_for = |about: &&About| {
        [paths.worktrees_of(about), paths.landings_of(about)].iter().any(|folder| is_inside(path, folder))
    };
    boards.iter().find(made_for).map(|about| about.repo_root.clone())
}

fn is_inside(path: &Path, folder: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| folder.canonicalize().is_ok_and(|folder| path.starts_with(folder)))
}

/// The files that settings come from, and the repository, where there is one.
#[derive(Clone, Debug)]
pub struct ConfigFiles {
    /// The files.
    pub files: Files,
    /// The repository; nothing for one without a commit, which can have no board yet.
    pub repo_root: Option<PathBuf>,
}

/// Finds the files that settings come from, and makes nothing. Outside of repositories that is the user's own, unless
/// another folder was named; and a repository has settings of its board once it has a board.
///
/// # Errors
/// When a repository was named and there is none, the board that was named is not its own, or there is no home.
pub fn config_files(options: &Options) -> Result<ConfigFiles, AppError> {
    let path_env = std::env::var_os("PATH").unwrap_or_default();
    let paths = paths(options.data_dir.as_deref())?;
    let git = Git::find(&path_env).map_err(AppError::Git)?;
    let folder = folder(options, &paths, &git)?;
    let (root, repo_root) = match Repo::discover(&git, &folder) {
        Ok(repo) => (Some(repo.root().to_owned()), Some(repo.root().to_owned())),
        Err(GitError::NoCommits { root }) => (Some(root), None),
        Err(GitError::NotARepository { .. }) if options.repo == Path::new(".") => (None, None),
        Err(error) => return Err(AppError::NoRepository(error)),
    };
    let board = match &repo_root {
        Some(root) if paths.database().exists() => {
            find(&Reader::open(&paths.database())?, root, options.board.as_deref())?
        }
        Some(_) | None => None,
    };
    let files = Files {
        board: board.map(|about| paths.board_config(&about)),
        repo: root.map(|root| root.join(FILE_NAME)),
        user: Some(paths.user_config),
    };
    Ok(ConfigFiles { files, repo_root })
}

/// Returns the repository of the board of that name, where it is not the one here: the owner of the worktree around the current
/// directory, or the repository around it.
fn elsewhere(boards: &[About], git: &Git, name: &str, owner: Option<&Path>) -> Result<Option<PathBuf>, AppError> {
    let around = || Repo::discover(git, Path::new(HERE)).ok().map(|repo| repo.root().to_owned());
    let here = owner.map(Path::to_owned).or_else(around);
    let named: Vec<&PathBuf> = boards.iter().filter(|about| about.name == name).map(|about| &about.repo_root).collect();
    match named.as_slice() {
        [] if here.is_none() => {
            let known = boards.iter().map(|about| about.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(AppError::NoBoardNamed { name: name.to_owned(), known })
        }
        [] => Ok(None),
        several if here.as_ref().is_some_and(|here| several.contains(&here)) => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => {
            let roots = several.iter().map(|root| root.to_string_lossy().into_owned()).collect();
            Err(AppError::SeveralBoards { name: name.to_owned(), roots })
        }
    }
}

/// Returns where Draft keeps things.
///
/// # Errors
/// When no folder was named and there is no home.
pub(super) fn paths(data_dir: Option<&Path>) -> Result<Paths, AppError> {
    let base = etcetera::choose_base_strategy();
    let data_dir = match (data_dir, &base) {
        (Some(dir), _) => {
            std::path::absolute(dir).map_err(|source| AppError::Io { action: "find", path: dir.to_owned(), source })?
        }
        (None, Ok(base)) => base.data_dir().join("draft"),
        (None, Err(_)) => return Err(AppError::NoHome),
    };
    let user_config = match &base {
        Ok(base) => base.config_dir().join("draft").join("config.yaml"),
        Err(_) => data_dir.join("config.yaml"),
    };
    Ok(Paths { data_dir, user_config })
}

/// Makes the folders that everything is kept in, for the user alone.
fn make_folders(paths: &Paths) -> Result<(), AppError> {
    for folder in [paths.data_dir.clone(), paths.runs(), paths.worktrees(), paths.logs()] {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|source| AppError::Io {
            action: "make the folder",
            path: folder,
            source,
        })?;
    }
    Ok(())
}

/// Returns the board of a repository that has one, by its name if one is given.
fn find(reader: &Reader, root: &Path, name: Option<&str>) -> Result<Option<About>, AppError> {
    let here: Vec<About> = reader.boards()?.into_iter().filter(|about| about.repo_root == root).collect();
    Ok(match name {
        None => here.first().cloned(),
        Some(name) => match here.iter().find(|about| about.name == name) {
            Some(about) => Some(about.clone()),
            None if here.is_empty() => None,
            None => {
                let known = here.iter().map(|about| about.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(AppError::NoSuchBoard { name: name.to_owned(), known });
            }
        },
    })
}

fn find_or_make(reader: &Reader, writer: &Writer, repo: &Repo, name: Option<&str>) -> Result<About, AppError> {
    if let Some(about) = find(reader, repo.root(), name)? {
        return Ok(about);
    }
    if let Some(removed) = reader.board_by_repo(repo.root())? {
        return Err(AppError::BoardRemoved { name: removed.name });
    }
    let folder = repo.root().file_name().map(|name| name.to_string_lossy().into_owned());
    let about = About {
        id: BoardId(uuid::Uuid::now_v7()),
        name: name.map(str::to_owned).or(folder).unwrap_or_else(|| "board".to_owned()),
        repo_root: repo.root().to_owned(),
        base_branch: repo.base_branch().map_err(AppError::NoRepository)?,
        created_at: chrono::Utc::now().into(),
    };
    match writer.write_blocking(Write::Board(about.clone())) {
        Ok(_) => Ok(about),
        // Another process was faster; its board is the one.
        Err(StoreError::Conflict { .. }) => {
            let made = reader.board_by_repo(repo.root())?;
            made.ok_or(AppError::NoSuchBoard { name: about.name, known: "none".to_owned() })
        }
        Err(error) => Err(error.into()),
    }
}
