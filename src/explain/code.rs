//! HRESULTs, HTTP statuses and Win32 errors: one number in three guises.

use schemars::JsonSchema;
use serde::Serialize;

use super::rule;
use crate::bits::fields::{self, Notation};
use crate::bits::hresult;

/// A code as the BITS client logs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Code {
    /// As `0x` and eight digits.
    pub code: String,
    /// As the signed number that PowerShell and many logs show.
    pub decimal: i32,
    /// Its symbolic name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<&'static str>,
    /// The HTTP status that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The Win32 error that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win32: Option<u16>,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// What is usually behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// What usually helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
    /// The rules that speak of it.
    pub rules: Vec<String>,
}

impl Code {
    fn of(code: u32) -> Self {
        let (hex, symbol, status) =
            (hresult::hex(code), hresult::symbol(code), hresult::status(code));
        Self {
            decimal: code.cast_signed(),
            symbol,
            http_status: status,
            win32: hresult::win32(code),
            meaning: hresult::meaning(code),
            cause: hresult::cause(code),
            remedy: hresult::remedy(code),
            rules: rule::about(&hex, symbol, status),
            code: hex,
        }
    }
}

/// The code that a number or symbol names, if anything is known about it.
pub(super) fn find(what: &str) -> Option<Code> {
    let symbol = || hresult::symbols().find(|(_, symbol)| symbol.eq_ignore_ascii_case(what));
    let code = number(what).or_else(|| symbol().map(|(code, _)| code))?;
    let known = hresult::meaning(code).is_some() || hresult::by_facility(code).is_some();
    known.then(|| Code::of(code))
}

fn number(what: &str) -> Option<u32> {
    let (value, notation) = fields::hresult(what)?;
    match (notation, u16::try_from(value)) {
        (Notation::Decimal, Ok(status @ 100..=599)) if !is_win32_alone(status) => {
            Some(hresult::of_status(status))
        }
        // A bare number may be a word of letters from a to f.
        (Notation::BareHex, _) if what.len() < 8 => None,
        // 0 and 1 are on the wire as they stand.
        (Notation::Decimal, Ok(error @ 2..)) => Some(hresult::of_win32(error)),
        (_, Ok(error @ 2..)) if is_known(hresult::of_win32(error)) => {
            Some(hresult::of_win32(error))
        }
        _ => Some(value),
    }
}

/// Whether a number is known as a Win32 error and not as a status: 112 is ERROR_DISK_FULL.
fn is_win32_alone(number: u16) -> bool {
    is_known(hresult::of_win32(number)) && !is_known(hresult::of_status(number))
}

fn is_known(code: u32) -> bool {
    hresult::meaning(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_bits_has_no_name_for_is_still_a_code() {
        let code = find("450").unwrap();
        assert_eq!((code.symbol, code.http_status, code.meaning), (None, Some(450), None));
        assert_eq!(code.decimal, -2_145_844_798);
    }

    #[test]
    fn a_win32_error_may_have_the_number_of_no_status() {
        for (what, code) in [("112", "0x80070070"), ("0x2EE2", "0x80072EE2"), ("404", "0x80190194")]
        {
            assert_eq!(find(what).unwrap().code, code);
        }
    }

    #[test]
    fn what_nobody_knows_is_no_code() {
        for what in ["0xDEADBEEF", "0xFFFF", "99999", "4294967296", "fade", "", "-5", "0x123456789"]
        {
            assert_eq!(find(what), None, "{what}");
        }
    }
}
