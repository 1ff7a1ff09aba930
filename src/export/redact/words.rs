//! Words that tell of protocols and products, not of people and places.

/// Fields with numbers and dates, of which [`NUMERIC`] words and numbers of any length are kept.
pub(super) const NUMBERS: &[&str] = &[
    "Accept-Ranges",
    "Age",
    "BITS-Error",
    "BITS-Error-Code",
    "BITS-Error-Context",
    "BITS-Host-Id-Fallback-Timeout",
    "BITS-HostId-Fallback-Timeout",
    "BITS-Received-Content-Range",
    "BITS-Recieved-Content-Range",
    "Content-Length",
    "Content-Range",
    "Date",
    "Expires",
    "Last-Modified",
    "Max-Forwards",
    "Range",
    "Retry-After",
    "X-AspNet-Version",
];

/// Fields with an HRESULT or a context, in one of the notations for these.
pub(super) const CODES: &[&str] = &["BITS-Error", "BITS-Error-Code", "BITS-Error-Context"];

/// Fields with the type of a packet, which is kept where there is such a type.
pub(super) const TYPES: &[&str] = &["BITS-Package-Type", "BITS-Packet-Type"];

/// Fields with products and registered values, of which [`PLAIN`](super::plain::PLAIN) words and short numbers are
/// kept.
pub(super) const PRODUCTS: &[&str] = &[
    "Accept",
    "Accept-Encoding",
    "Allow",
    "BITS-Copy-File-To-Destination",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Type",
    "DAV",
    "Expect",
    "Keep-Alive",
    "Pragma",
    "Proxy-Connection",
    "Server",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "Warning",
    "X-BlueCoat-Via",
    "X-Cache",
    "X-Cache-Lookup",
    "X-Forwarded-Proto",
    "X-Http-Method-Override",
    "X-Powered-By",
    "X-Squid-Error",
];

/// Protocols by their GUID, which are no secret.
pub(super) const PROTOCOLS: &[&str] = &["BITS-Protocol", "BITS-Supported-Protocols"];

/// Credentials: a scheme, then a secret.
pub(super) const CREDENTIALS: &[&str] = &[
    "Authentication-Info",
    "Authorization",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "WWW-Authenticate",
];

/// Cookies: names are kept, for balancers are known by them.
pub(super) const COOKIES: &[&str] = &["Cookie", "Cookie2", "Set-Cookie", "Set-Cookie2"];

/// Further names of fields that are kept; their values are not.
const NAMES: &[&str] = &[
    "BITS-Host-Id",
    "BITS-Original-Request-URL",
    "BITS-Reply-URL",
    "BITS-Request-DataFile-Name",
    "BITS-Response-DataFile-Name",
    "BITS-Session-Id",
    "BITS-Static-Response-URL",
    "CF-RAY",
    "Content-Location",
    "Content-Name",
    "ETag",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Location",
    "Origin",
    "Referer",
    "X-ARR-LOG-ID",
    "X-Amz-Cf-Id",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Real-IP",
];

/// Parts of paths that servers and dialects are known by, in lower case.
pub(super) const PATHS: &[&str] = &[
    "bits",
    "ccm",
    "http",
    "https",
    "incoming",
    "replies",
    "requests",
    "sessions",
    "system",
    "windowsauth",
];

/// Words in the names of query parameters that are credentials, in lower case.
pub(super) const PARAMETERS: &[&str] = &[
    "access",
    "amz",
    "api",
    "apikey",
    "auth",
    "key",
    "passwd",
    "password",
    "pwd",
    "sig",
    "signature",
    "token",
    "x",
];

/// Words beside numbers: units of ranges, and those of dates (RFC 9110 5.6.7), in lower case.
pub(super) const NUMERIC: &[&str] = &[
    "bytes", "octets", "none", "gmt", "utc", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Whether `name` is one of `known`, in any case.
pub(super) fn is_one(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether the name of a field may stay.
pub(super) fn is_known_name(name: &str) -> bool {
    [NUMBERS, PRODUCTS, TYPES, PROTOCOLS, CREDENTIALS, COOKIES, NAMES]
        .iter()
        .any(|known| is_one(name, known))
}
