//! Keys as people write them, and the bytes that a terminal sends for them.

/// Returns the bytes for keys such as `jj<enter>` or `<c-x>q`.
#[track_caller]
pub(super) fn bytes(keys: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|after| after.split_once('>'));
        match named {
            Some((name, after)) => {
                bytes.extend(named_key(name));
                assert!(name != "esc" || after.is_empty(), "`<esc>` must be the last of `{keys}`: wait for the screen");
                rest = after;
            }
            None => {
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    bytes
}

#[track_caller]
fn named_key(name: &str) -> Vec<u8> {
    let fixed = match name {
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "s-tab" => "\x1b[Z",
        "space" => " ",
        "bs" => "\x7f",
        "del" => "\x1b[3~",
        "ins" => "\x1b[2~",
        "up" => "\x1b[A",
        "down" => "\x1b[B",
        "right" => "\x1b[C",
        "left" => "\x1b[D",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "pgup" => "\x1b[5~",
        "pgdn" => "\x1b[6~",
        "f1" => "\x1bOP",
        "f2" => "\x1bOQ",
        "f3" => "\x1bOR",
        "f4" => "\x1bOS",
        "f5" => "\x1b[15~",
        "lt" => "<",
        _ => return modified_key(name),
    };
    fixed.bytes().collect()
}

#[track_caller]
fn modified_key(name: &str) -> Vec<u8> {
    match (name.split_once('-'), name.as_bytes()) {
        (Some(("c", _)), [_, _, letter @ b'a'..=b'z']) => vec![letter - b'a' + 1],
        (Some(("a", key)), _) if key.chars().count() == 1 => format!("\x1b{key}").into_bytes(),
        (Some(("a", key)), _) => [b"\x1b", &named_key(key)[..]].concat(),
        _ => panic!("there is no key `<{name}>`"),
    }
}

#[test]
fn keys_are_read_as_people_write_them() {
    assert_eq!(bytes("jj<enter>ü<lt>a>"), "jj\rü<a>".as_bytes());
    assert_eq!(bytes("<c-a><c-z><a-x><a-enter><up>"), b"\x01\x1a\x1bx\x1b\r\x1b[A");
    assert_eq!(bytes("a < b"), b"a < b", "a lone sign is itself");
}
