//! The one macro: a rule from its documentation and what it looks at.

/// `rule! { /// docs… Severity, belief 50, needs WholeExchange, Exchange }` defines `RULE`, which calls `check`.
macro_rules! rule {
    ($(#[doc = $doc:literal])+ $severity:ident, belief $belief:literal, needs $needs:ident, $check:ident) => {
        const DOCS: &str = concat!($($doc, "\n"),+);

        $(#[doc = $doc])+
        pub static RULE: $crate::rules::Rule = $crate::rules::Rule {
            module: module_path!(),
            severity: $crate::rules::Severity::$severity,
            belief: $belief,
            needs: $crate::rules::Needs::$needs,
            docs: DOCS,
            read: std::sync::LazyLock::new(|| $crate::rules::rule::Read::of(module_path!(), DOCS)),
            check: $crate::rules::Check::$check(check),
        };
    };
}
