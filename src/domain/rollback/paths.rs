//! What the name of a file says about what taking it back needs beside git.

/// Folders whose files are migrations.
const MIGRATION_FOLDERS: &[&str] = &["migrations", "migration", "migrate"];
/// What in such folders is no migration.
const NOT_MIGRATIONS: &[&str] = &[".md", ".txt", ".lock", ".toml", "__init__.py", ".gitkeep"];

/// Lock files, each with the command that installs what it locks.
const LOCKS: &[(&str, &str)] = &[
    ("Cargo.lock", "cargo fetch --locked"),
    ("Gemfile.lock", "bundle install"),
    ("Pipfile.lock", "pipenv sync"),
    ("bun.lock", "bun install --frozen-lockfile"),
    ("bun.lockb", "bun install --frozen-lockfile"),
    ("composer.lock", "composer install"),
    ("deno.lock", "deno install"),
    ("go.sum", "go mod download"),
    ("mix.lock", "mix deps.get"),
    ("npm-shrinkwrap.json", "npm ci"),
    ("package-lock.json", "npm ci"),
    ("packages.lock.json", "dotnet restore --locked-mode"),
    ("pdm.lock", "pdm sync"),
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile"),
    ("poetry.lock", "poetry install"),
    ("pubspec.lock", "dart pub get"),
    ("uv.lock", "uv sync --locked"),
    ("yarn.lock", "yarn install --frozen-lockfile"),
];

/// Settings of what keeps results for later.
const CACHE_SETTINGS: &[&str] =
    &[".bazelrc", "nx.json", "redis.conf", "sccache.toml", "ccache.conf", "turbo.json", "varnish.vcl"];

/// Says whether a file looks like a migration of a database.
pub(super) fn is_migration(path: &str) -> bool {
    let low = path.to_lowercase();
    let (folders, name) = low.rsplit_once('/').unwrap_or(("", &low));
    if NOT_MIGRATIONS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    let in_folder = folders.split('/').any(|folder| MIGRATION_FOLDERS.contains(&folder));
    let is_alembic = folders.contains("alembic/versions");
    // `0013_users.sql`, and `V2__users.sql` as Flyway has it.
    let numbered = name.strip_prefix('v').filter(|rest| rest.contains("__")).unwrap_or(name);
    let is_numbered = name.ends_with(".sql") && numbered.starts_with(|c: char| c.is_ascii_digit());
    in_folder || is_alembic || is_numbered || name.contains(".migration.")
}

/// Returns the command that installs what a lock file locks; nothing for other files.
pub(super) fn install(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    LOCKS.iter().find(|(lock, _)| *lock == name).map(|(_, command)| *command)
}

/// Says whether a file sets up a cache: by its whole name, or with `cache` in the name of a setting.
pub(super) fn is_cache_setting(path: &str) -> bool {
    let low = path.to_lowercase();
    let name = low.rsplit('/').next().unwrap_or(&low);
    let ends = [".yaml", ".yml", ".toml", ".json", ".conf", ".ini", ".config.js", ".config.ts"];
    CACHE_SETTINGS.contains(&name) || name.contains("cache") && ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_told_by_their_folders_and_their_numbers() {
        for path in [
            "db/migrate/20240101_users.rb",
            "app/migrations/0002_add.py",
            "prisma/migrations/1_init/migration.sql",
            "alembic/versions/ab12_users.py",
            "assets/schema/0013_checklist.sql",
            "sql/V2__users.sql",
            "src/users.migration.ts",
        ] {
            assert!(is_migration(path), "{path}");
        }
        for path in [
            "docs/migrations/guide.md",
            "app/migrations/__init__.py",
            "src/migrate.rs",
            "query/users.sql",
            "versions/1.txt",
        ] {
            assert!(!is_migration(path), "{path}");
        }
    }

    #[test]
    fn lock_files_and_settings_of_caches_are_told_by_their_names() {
        assert_eq!(install("web/package-lock.json"), Some("npm ci"));
        assert_eq!(install("src/lock.rs"), None);
        assert!(LOCKS.is_sorted_by_key(|(name, _)| *name));
        for path in ["config/cache.yml", "turbo.json", "etc/redis.conf", "cache.config.js"] {
            assert!(is_cache_setting(path), "{path}");
        }
        for path in ["src/cache.rs", "docs/caching.md", "config/app.yml"] {
            assert!(!is_cache_setting(path), "{path}");
        }
    }
}
