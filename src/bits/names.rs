//! The fields of a head by name: one pass over the head, whatever is asked for.

use crate::http::Header;

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

/// The names, by their length.
macro_rules! names {
    ($($len:literal: $($name:literal $field:ident),+;)+) => {
        impl Field {
            /// The field of this name, in its usual spelling.
            fn usual(name: &str) -> Option<Self> {
                // Where the length is known, a comparison is one of a few words.
                match name.len() {
                    $($len => match name {
                        $($name => Some(Self::$field),)+
                        _ => None,
                    },)+
                    _ => None,
                }
            }

            /// Those whose name is so long.
            const fn of_len(len: usize) -> &'static [(&'static str, Self)] {
                match len {
                    $($len => &[$(($name, Self::$field)),+],)+
                    _ => &[],
                }
            }
        }
    };
}

names! {
    3: "DAV" Dav, "Via" Via;
    4: "Date" Date, "Host" Host;
    5: "Allow" Allow;
    6: "Expect" Expect, "Server" Server, "CF-RAY" Hop;
    7: "X-Cache" Hop, "X-Iinfo" Hop;
    8: "Location" Location;
    9: "Forwarded" Hop, "X-Real-IP" Hop, "X-Varnish" Hop;
    10:
        "BITS-Error" BitsError,
        "Connection" Connection,
        "Set-Cookie" SetCookie,
        "User-Agent" UserAgent,
        "Akamai-GRN" Hop,
        "Cneonction" Hop,
        "nnCoection" Hop;
    11:
        "Retry-After" RetryAfter,
        "X-Served-By" Hop,
        "Proxy-Agent" Hop,
        "X-Sucuri-ID" Hop,
        "X-Amz-Cf-Id" Hop,
        "X-Azure-Ref" Hop;
    12:
        "BITS-Host-Id" BitsHostId,
        "Content-Name" ContentName,
        "Content-Type" ContentType,
        "X-ARR-LOG-ID" Hop;
    13:
        "Authorization" Authorization,
        "BITS-Protocol" BitsProtocol,
        "Content-Range" ContentRange,
        "X-Squid-Error" Hop;
    14:
        "BITS-Reply-URL" BitsReplyUrl,
        "Content-Length" ContentLength,
        "X-Cache-Lookup" Hop,
        "X-BlueCoat-Via" Hop;
    15:
        "Accept-Encoding" AcceptEncoding,
        "BITS-Error-Code" BitsErrorCode,
        "BITS-Session-Id" BitsSessionId,
        "X-Forwarded-For" Hop,
        "X-Amzn-Trace-Id" Hop,
        "Apigw-Requestid" Hop;
    16:
        "BITS-Packet-Type" BitsPacketType,
        "Content-Encoding" ContentEncoding,
        "WWW-Authenticate" WwwAuthenticate,
        "X-Forwarded-Host" Hop,
        "Proxy-Connection" Hop,
        "X-Amzn-ErrorType" Hop;
    17:
        "BITS-Package-Type" BitsPackageType,
        "Transfer-Encoding" TransferEncoding,
        "X-Forwarded-Proto" Hop;
    18:
        "BITS-Error-Context" BitsErrorContext,
        "Proxy-Authenticate" ProxyAuthenticate,
        "X-Forwarded-Server" Hop;
    19: "Proxy-Authorization" ProxyAuthorization;
    20: "X-Kong-Proxy-Latency" Hop;
    22: "X-Http-Method-Override" XHttpMethodOverride;
    23: "X-Kong-Response-Latency" Hop;
    24: "BITS-Supported-Protocols" BitsSupportedProtocols;
    27:
        "BITS-Received-Content-Range" BitsReceivedContentRange,
        "BITS-Recieved-Content-Range" BitsRecievedContentRange,
        "X-Envoy-Decorator-Operation" Hop;
    28: "BITS-HostId-Fallback-Timeout" BitsHostidFallbackTimeout;
    29:
        "BITS-Host-Id-Fallback-Timeout" BitsHostIdFallbackTimeout,
        "X-Envoy-Upstream-Service-Time" Hop;
}

impl Field {
    /// The field of this name, compared without case.
    pub fn of(name: &str) -> Option<Self> {
        Self::usual(name).or_else(|| {
            let mut alike = Self::of_len(name.len()).iter();
            alike.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
        })
    }

    /// Whether only proxies, gateways and balancers add it.
    pub const fn is_hop(self) -> bool {
        matches!(self, Self::Via | Self::Hop)
    }
}

/// Some fields, a bit each.
#[derive(Clone, Copy, Default)]
pub(super) struct Set(u64);

impl Set {
    /// These.
    pub const fn of(fields: &[Field]) -> Self {
        let mut set = Self(0);
        let mut rest = fields;
        while let [field, others @ ..] = rest {
            set = set.with(*field);
            rest = others;
        }
        set
    }

    const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u32)
    }

    /// These and those of `other`.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of `other` is among them.
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of them are among `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// What a head says in each of them.
pub(super) struct Fields<'h, 'a> {
    headers: &'h [Header<'a>],
    /// Where each stands first, from 1; 0 where it does not.
    places: [u16; FIELDS],
    /// Those that stand there.
    pub present: Set,
    /// Those that stand there more than once.
    pub repeated: Set,
}

impl<'h, 'a> Fields<'h, 'a> {
    pub fn of(headers: &'h [Header<'a>]) -> Self {
        let (present, repeated) = (Set::default(), Set::default());
        let mut fields = Self { headers, places: [0; FIELDS], present, repeated };
        for (number, header) in (1..=u16::MAX).zip(headers) {
            let Some(field) = Field::of(header.name) else { continue };
            match fields.places.get_mut(field as usize) {
                Some(place @ 0) => *place = number,
                _ => fields.repeated = fields.repeated.with(field),
            }
            fields.present = fields.present.with(field);
        }
        fields
    }

    /// The first value of a field, white space trimmed.
    pub fn first(&self, field: Field) -> Option<&'a [u8]> {
        let place = usize::from(*self.places.get(field as usize)?).checked_sub(1)?;
        self.headers.get(place).map(|header| header.value.trim_ascii())
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
