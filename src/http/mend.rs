//! Heads that the grammar does not allow, as one that it does: what their senders meant.

use super::{Oddities, line};

/// Whether a line ends in LF alone.
pub(super) fn has_bare_lf(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    // Without a way out of the loop it is done for many bytes at once.
    pairs.fold(bytes.starts_with(b"\n"), |bare, (one, next)| {
        bare | (*next == b'\n' && *one != b'\r')
    })
}

/// Rewrites a head into one that the grammar allows: unfolds, drops lines that are no fields, replaces NUL, escapes
/// what may not stand in a target.
pub(super) fn mend(bytes: &[u8], whole: bool, max_headers: usize, odd: &mut Oddities) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len() + 4);
    let text = bytes.trim_ascii_start();
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if !whole {
        // The last line was cut off.
        lines.pop();
    }
    let mut room = max_headers;
    for (number, line) in lines.iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or_else(|| {
            odd.bare_lf |= !line.is_empty();
            line
        });
        if number == 0 {
            line::canonical(&mut out, line, false, odd);
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            // Before the first field there is nothing to continue (RFC 9112 2.2).
            if room == max_headers {
                odd.bad_lines = true;
                continue;
            }
            odd.folded |= !line.trim_ascii().is_empty();
            unfold(&mut out, line);
        } else if !line.is_empty() {
            // Fields beyond the cap are left out; the message is not.
            if room == 0 {
                odd.bad_lines = true;
                break;
            }
            let before = out.len();
            push_field(&mut out, line, odd);
            room -= usize::from(out.len() > before);
        }
    }
    if lines.is_empty() {
        line::canonical(&mut out, text, true, odd);
    }
    odd.nul |= memchr::memchr(0, text).is_some();
    // Line ends are no part of the values.
    odd.control |= text.iter().any(|byte| byte.is_ascii_control() && !b"\0\t\r\n".contains(byte));
    out.extend_from_slice(b"\r\n");
    out
}

fn unfold(out: &mut Vec<u8>, line: &[u8]) {
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    out.push(b' ');
    push_value(out, line.trim_ascii());
    out.extend_from_slice(b"\r\n");
}

fn push_field(out: &mut Vec<u8>, line: &[u8], odd: &mut Oddities) {
    let colon = memchr::memchr(b':', line).unwrap_or(0);
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii();
    if name.is_empty() || !name.iter().all(|byte| line::is_token(*byte)) {
        odd.bad_lines = true;
        return;
    }
    out.extend_from_slice(name);
    out.push(b':');
    push_value(out, value.get(1..).unwrap_or_default());
    out.extend_from_slice(b"\r\n");
}

fn push_value(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(
        value
            .iter()
            .map(|byte| if *byte < b' ' && *byte != b'\t' || *byte == 0x7f { b' ' } else { *byte }),
    );
}
