//! The page that tells people about the keys; it is written from the table.

use std::fmt::Write as _;
use std::fs;

use crate::ui::keys::{Context, KeyTable, Keys};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
const BEGIN: &str = "<!-- The rest of this page is written by a test: `DRAFT_WRITE_DOCS=1 cargo test keys_page` -->\n";

#[test]
fn the_keys_page_shows_the_table_as_it_is() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, told) = page.split_once(BEGIN).unwrap();
    let wanted = rows();
    if std::env::var_os("DRAFT_WRITE_DOCS").is_some() {
        fs::write(PAGE, format!("{before}{BEGIN}{wanted}")).unwrap();
    } else {
        assert_eq!(told, wanted, "run it once with DRAFT_WRITE_DOCS=1");
    }
}

fn rows() -> String {
    let mut page = String::new();
    for context in Context::ALL {
        let _ = write!(
            page,
            "\n## {} (`{context}`)\n\n| action | keys | what it does |\n| --- | --- | --- |\n",
            context.heading()
        );
        for row in KeyTable::built_in().rows(*context) {
            let keys: Vec<String> = row.keys.iter().map(code).collect();
            let _ = writeln!(page, "| `{}` | {} | {} |", row.action, keys.join(" "), row.help);
        }
    }
    page
}

/// Returns keys as the file has them. A bar would end the cell of the table.
fn code(keys: &Keys) -> String {
    format!("`{}`", keys.to_string().replace('|', "\\|"))
}
