//! Reads the address of a remote: which machine it names, and which project there.

/// What an address names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    /// The machine, in small letters; with its port where a web address names one.
    pub(super) host: String,
    /// The project: at least an owner and a name, without `.git`.
    pub(super) path: String,
}

/// Machines that are reached by another name where the usual way is blocked.
const ALIASES: [(&str, &str); 4] = [
    ("ssh.github.com", "github.com"),
    ("www.github.com", "github.com"),
    ("altssh.gitlab.com", "gitlab.com"),
    ("www.gitlab.com", "gitlab.com"),
];

impl Address {
    /// Reads `https://host[:port]/owner/name.git`, `ssh://[user@]host[:port]/owner/name` and `[user@]host:owner/name`.
    /// A path on this machine names no host.
    pub(super) fn read(url: &str) -> Option<Self> {
        let url = url.trim();
        if let Some((scheme, rest)) = url.split_once("://") {
            let (authority, path) = rest.split_once('/')?;
            let machine = authority.rsplit_once('@').map_or(authority, |(_, machine)| machine);
            let (host, port) = split_port(machine)?;
            let default = match scheme.to_ascii_lowercase().as_str() {
                // The port of ssh says nothing about where the web is.
                "ssh" | "git+ssh" | "ssh+git" | "git" => return Self::of(host, None, path),
                "https" => "443",
                "http" => "80",
                _ => return None,
            };
            return Self::of(host, port.filter(|port| *port != default), path);
        }
        // As git reads it: a colon before any slash, or it is a path.
        let (machine, path) = url.split_once(':')?;
        if machine.contains('/') {
            return None;
        }
        let host = machine.rsplit_once('@').map_or(machine, |(_, host)| host);
        Self::of(host, None, path)
    }

    fn of(host: &str, port: Option<&str>, path: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
        let fits = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.starts_with('-');
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let is_host = !host.is_empty() && !host.starts_with('-') && host.chars().all(is_name);
        let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !"?#%".contains(c);
        if !is_host || !path.contains('/') || !path.split('/').all(fits) || !path.chars().all(is_plain) {
            return None;
        }
        let known = ALIASES.iter().find(|(alias, _)| *alias == host).map(|(_, name)| (*name).to_owned());
        let host = known.unwrap_or(host);
        Some(Self { host: port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")), path: path.to_owned() })
    }

    /// Returns the machine without its port.
    pub(super) fn machine(&self) -> &str {
        split_port(&self.host).map_or(&self.host, |(host, _)| host)
    }
}

/// Splits `host:port`; the name of a machine in brackets loses them.
fn split_port(machine: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = machine.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return Some((host, after.strip_prefix(':')));
    }
    match machine.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) && !host.contains(':') => {
            Some((host, Some(port).filter(|port| !port.is_empty())))
        }
        Some(_) | None => Some((machine, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_form_name_a_host_and_a_project() {
        for (url, host, path) in [
            ("https://github.com/acme/shop.git", "github.com", "acme/shop"),
            ("https://github.com/acme/shop/", "github.com", "acme/shop"),
            ("https://user:secret@GitHub.com/acme/shop", "github.com", "acme/shop"),
            ("git@github.com:acme/shop.git", "github.com", "acme/shop"),
            ("github.com:acme/shop", "github.com", "acme/shop"),
            ("ssh://git@github.com/acme/shop.git", "github.com", "acme/shop"),
            ("ssh://git@ssh.github.com:443/acme/shop.git", "github.com", "acme/shop"),
            ("git@gitlab.com:group/sub/tool.git", "gitlab.com", "group/sub/tool"),
            ("https://git.example.com:8443/team/app.git", "git.example.com:8443", "team/app"),
            ("https://git.example.com:443/team/app.git", "git.example.com", "team/app"),
            ("ssh://git@git.example.com:2222/team/app.git", "git.example.com", "team/app"),
            ("http://localhost:3000/a/b", "localhost:3000", "a/b"),
        ] {
            let read = Address::read(url);
            assert_eq!(read, Some(Address { host: host.to_owned(), path: path.to_owned() }), "{url}");
        }
    }

    #[test]
    fn what_names_no_project_on_a_host_is_none() {
        for url in [
            "",
            "/srv/git/github.com/acme/shop.git",
            "../github.com/shop",
            "./a:b/c",
            "file:///srv/github.com/a/b",
            "https://github.com/acme",
            "https://github.com/",
            "https://github.com/-x/y",
            "https://github.com/a/../b",
            "https://-oProxyCommand=x/a/b",
            "https://git hub.com/a/b",
            "git@github.com:",
            "https://github.com/a/b?c=d",
        ] {
            assert_eq!(Address::read(url), None, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_an_argument_or_leaves_the_project(url in "[-a-z:/@.\\[\\]%? 0-9]{0,40}") {
            if let Some(address) = Address::read(&url) {
                assert!(!address.host.starts_with('-') && !address.path.starts_with('-'), "{address:?}");
                assert!(!address.path.split('/').any(|part| part.is_empty() || part == ".."), "{address:?}");
            }
        }
    }
}
