//! ClientHello, ServerHello and EncryptedExtensions (RFC 8446 4.1, RFC 5246 7.4.1).

/// The random of a HelloRetryRequest: SHA-256 of its name (RFC 8446 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
/// Names kept of one list.
const MOST_NAMES: usize = 16;

/// A bounds-checked cursor.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self, len: usize) -> Option<usize> {
        Some(self.take(len)?.iter().fold(0, |n, &b| n << 8 | usize::from(b)))
    }

    fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    fn random(&mut self) -> Option<[u8; 32]> {
        self.take(32)?.try_into().ok()
    }

    /// A vector behind its length of `prefix` bytes.
    fn vector(&mut self, prefix: usize) -> Option<&'a [u8]> {
        let len = self.number(prefix)?;
        self.take(len)
    }
}

/// A ClientHello.
#[derive(Debug, Default)]
pub(super) struct ClientHello {
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) versions: Vec<u16>,
    pub(super) sni: Option<String>,
    pub(super) alpn: Vec<String>,
    pub(super) ticket: bool,
    pub(super) early_data: bool,
}

impl ClientHello {
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let mut at = Cursor(body);
        let version = at.u16()?;
        let mut hello =
            Self { random: at.random()?, session_id: at.vector(1)?.to_vec(), ..Self::default() };
        // Cipher suites and compression methods.
        at.vector(2)?;
        at.vector(1)?;
        extensions(&mut at, |kind, body| hello.extension(kind, body));
        if hello.versions.is_empty() {
            hello.versions.push(version);
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, body: &[u8]) {
        match kind {
            0 => self.sni = host_name(body),
            16 => self.alpn = protocols(body),
            35 => self.ticket = !body.is_empty(),
            42 => self.early_data = true,
            43 => self.versions = versions(body),
            _ => {}
        }
    }
}

/// A ServerHello.
#[derive(Debug, Default)]
pub(super) struct ServerHello {
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) alpn: Option<String>,
    pub(super) encrypt_then_mac: bool,
    pub(super) pre_shared_key: bool,
}

impl ServerHello {
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let mut at = Cursor(body);
        let version = at.u16()?;
        let (random, session_id, suite) = (at.random()?, at.vector(1)?.to_vec(), at.u16()?);
        let mut hello = Self { random, session_id, version, suite, ..Self::default() };
        at.take(1)?;
        extensions(&mut at, |kind, body| hello.extension(kind, body));
        Some(hello)
    }

    /// Whether this asks for another ClientHello.
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    fn extension(&mut self, kind: u16, body: &[u8]) {
        match kind {
            16 => self.alpn = protocols(body).into_iter().next(),
            22 => self.encrypt_then_mac = true,
            41 => self.pre_shared_key = true,
            43 => self.version = Cursor(body).u16().unwrap_or(self.version),
            _ => {}
        }
    }
}

/// The application protocol of an EncryptedExtensions message.
pub(super) fn encrypted_alpn(body: &[u8]) -> Option<String> {
    let mut alpn = None;
    extensions(&mut Cursor(body), |kind, body| {
        if kind == 16 {
            alpn = protocols(body).into_iter().next();
        }
    });
    alpn
}

fn extensions(at: &mut Cursor<'_>, mut each: impl FnMut(u16, &[u8])) {
    let mut list = Cursor(at.vector(2).unwrap_or_default());
    while let (Some(kind), Some(body)) = (list.u16(), list.vector(2)) {
        each(kind, body);
    }
}

fn host_name(body: &[u8]) -> Option<String> {
    let mut list = Cursor(Cursor(body).vector(2)?);
    (list.number(1)? == 0).then_some(())?;
    // A DNS name has at most 255 bytes.
    let name = list.vector(2)?;
    Some(String::from_utf8_lossy(name.get(..255).unwrap_or(name)).into_owned())
}

fn protocols(body: &[u8]) -> Vec<String> {
    let mut list = Cursor(Cursor(body).vector(2).unwrap_or_default());
    std::iter::from_fn(|| list.vector(1))
        .take(MOST_NAMES)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}

// Reserved values of the form 0x?a?a only test the server's tolerance (RFC 8701).
fn versions(body: &[u8]) -> Vec<u16> {
    let mut list = Cursor(Cursor(body).vector(1).unwrap_or_default());
    std::iter::from_fn(|| list.u16()).filter(|v| v & 0x0f0f != 0x0a0a).take(MOST_NAMES).collect()
}
