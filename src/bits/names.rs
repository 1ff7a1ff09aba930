//! The fields of a head by name: one pass over the head, whatever is asked for.

use crate::http::Head;

/// Fields that mean something to the upload protocol, or tell who passed a message on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    AcceptEncoding,
    Allow,
    Authorization,
    BitsError,
    BitsErrorCode,
    BitsErrorContext,
    BitsHostId,
    BitsHostIdFallbackTimeout,
    BitsHostidFallbackTimeout,
    BitsPackageType,
    BitsPacketType,
    BitsProtocol,
    BitsReceivedContentRange,
    BitsRecievedContentRange,
    BitsReplyUrl,
    BitsSessionId,
    BitsSupportedProtocols,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentName,
    ContentRange,
    ContentType,
    Dav,
    Date,
    Expect,
    Host,
    Location,
    ProxyAuthenticate,
    ProxyAuthorization,
    RetryAfter,
    Server,
    SetCookie,
    TransferEncoding,
    UserAgent,
    Via,
    WwwAuthenticate,
    XHttpMethodOverride,
    /// Any other that only proxies, gateways and balancers add.
    Hop,
}

/// How many there are.
const FIELDS: usize = Field::Hop as usize + 1;

impl Field {
    /// The field of this name, compared without case.
    pub fn of(name: &str) -> Option<Self> {
        let alike = Self::of_len(name.len());
        // Most are spelled as usual.
        let usual = alike.iter().find(|(known, _)| *known == name);
        usual
            .or_else(|| alike.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
            .map(|(_, field)| *field)
    }

    /// Those whose name is so long.
    const fn of_len(len: usize) -> &'static [(&'static str, Self)] {
        match len {
            3 => &[("DAV", Self::Dav), ("Via", Self::Via)],
            4 => &[("Date", Self::Date), ("Host", Self::Host)],
            5 => &[("Allow", Self::Allow)],
            6 => &[("Expect", Self::Expect), ("Server", Self::Server), ("CF-RAY", Self::Hop)],
            7 => &[("X-Cache", Self::Hop), ("X-Iinfo", Self::Hop)],
            8 => &[("Location", Self::Location)],
            9 => &[("Forwarded", Self::Hop), ("X-Real-IP", Self::Hop), ("X-Varnish", Self::Hop)],
            10 => &[
                ("BITS-Error", Self::BitsError),
                ("Connection", Self::Connection),
                ("Set-Cookie", Self::SetCookie),
                ("User-Agent", Self::UserAgent),
                ("Akamai-GRN", Self::Hop),
                ("Cneonction", Self::Hop),
                ("nnCoection", Self::Hop),
            ],
            11 => &[
                ("Retry-After", Self::RetryAfter),
                ("X-Served-By", Self::Hop),
                ("Proxy-Agent", Self::Hop),
                ("X-Sucuri-ID", Self::Hop),
                ("X-Amz-Cf-Id", Self::Hop),
                ("X-Azure-Ref", Self::Hop),
            ],
            12 => &[
                ("BITS-Host-Id", Self::BitsHostId),
                ("Content-Name", Self::ContentName),
                ("Content-Type", Self::ContentType),
                ("X-ARR-LOG-ID", Self::Hop),
            ],
            13 => &[
                ("Authorization", Self::Authorization),
                ("BITS-Protocol", Self::BitsProtocol),
                ("Content-Range", Self::ContentRange),
                ("X-Squid-Error", Self::Hop),
            ],
            14 => &[
                ("BITS-Reply-URL", Self::BitsReplyUrl),
                ("Content-Length", Self::ContentLength),
                ("X-Cache-Lookup", Self::Hop),
                ("X-BlueCoat-Via", Self::Hop),
            ],
            15 => &[
                ("Accept-Encoding", Self::AcceptEncoding),
                ("BITS-Error-Code", Self::BitsErrorCode),
                ("BITS-Session-Id", Self::BitsSessionId),
                ("X-Forwarded-For", Self::Hop),
                ("X-Amzn-Trace-Id", Self::Hop),
                ("Apigw-Requestid", Self::Hop),
            ],
            16 => &[
                ("BITS-Packet-Type", Self::BitsPacketType),
                ("Content-Encoding", Self::ContentEncoding),
                ("WWW-Authenticate", Self::WwwAuthenticate),
                ("X-Forwarded-Host", Self::Hop),
                ("Proxy-Connection", Self::Hop),
                ("X-Amzn-ErrorType", Self::Hop),
            ],
            17 => &[
                ("BITS-Package-Type", Self::BitsPackageType),
                ("Transfer-Encoding", Self::TransferEncoding),
                ("X-Forwarded-Proto", Self::Hop),
            ],
            18 => &[
                ("BITS-Error-Context", Self::BitsErrorContext),
                ("Proxy-Authenticate", Self::ProxyAuthenticate),
                ("X-Forwarded-Server", Self::Hop),
            ],
            19 => &[("Proxy-Authorization", Self::ProxyAuthorization)],
            20 => &[("X-Kong-Proxy-Latency", Self::Hop)],
            22 => &[("X-Http-Method-Override", Self::XHttpMethodOverride)],
            23 => &[("X-Kong-Response-Latency", Self::Hop)],
            24 => &[("BITS-Supported-Protocols", Self::BitsSupportedProtocols)],
            27 => &[
                ("BITS-Received-Content-Range", Self::BitsReceivedContentRange),
                ("BITS-Recieved-Content-Range", Self::BitsRecievedContentRange),
                ("X-Envoy-Decorator-Operation", Self::Hop),
            ],
            28 => &[("BITS-HostId-Fallback-Timeout", Self::BitsHostidFallbackTimeout)],
            29 => &[
                ("BITS-Host-Id-Fallback-Timeout", Self::BitsHostIdFallbackTimeout),
                ("X-Envoy-Upstream-Service-Time", Self::Hop),
            ],
            _ => &[],
        }
    }

    /// Whether only proxies, gateways and balancers add it.
    pub const fn is_hop(self) -> bool {
        matches!(self, Self::Via | Self::Hop)
    }
}

/// What a head says in each of them.
pub(super) struct Fields<'a> {
    first: [Option<&'a [u8]>; FIELDS],
    /// Those that stand more than once, a bit each.
    repeated: u64,
}

impl<'a> Fields<'a> {
    pub fn of(head: &Head<'a>) -> Self {
        let mut fields = Self { first: [None; FIELDS], repeated: 0 };
        for header in head.headers {
            let Some(field) = Field::of(header.name) else { continue };
            match fields.first.get_mut(field as usize) {
                Some(place @ None) => *place = Some(header.value.trim_ascii()),
                _ => fields.repeated |= 1 << field as u32,
            }
        }
        fields
    }

    /// The first value of a field, white space trimmed.
    pub fn first(&self, field: Field) -> Option<&'a [u8]> {
        self.first.get(field as usize).copied().flatten()
    }

    /// Whether it stands there.
    pub fn has(&self, field: Field) -> bool {
        self.first(field).is_some()
    }

    /// Whether it stands there more than once.
    pub const fn repeats(&self, field: Field) -> bool {
        self.repeated & 1 << field as u32 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_their_length_says() {
        for len in 0..64 {
            for (name, field) in Field::of_len(len) {
                assert_eq!(name.len(), len, "{name}");
                assert_eq!(Field::of(&name.to_ascii_uppercase()), Some(*field));
            }
        }
        assert_eq!(Field::of("Accept"), None);
    }
}
