//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte.
pub(crate) fn lower(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(super::lower(&[0, 9, 0xaf]), "0009af");
    }
}
