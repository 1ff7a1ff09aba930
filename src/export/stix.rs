//! The sessions as a STIX 2.1 bundle: what was observed, between whom, and the technique it is an instance of.
//!
//! Ids are made from content, so that the same capture gives the same bundle. Sessions are written as they come, in any
//! order: of what was written, only the ids are kept, and that of the bundle comes last.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid, uuid};

use super::json::{self, Spelled};
use crate::at::Timestamp;
use crate::bits::PacketType;
use crate::model::{Exchange, Report, Session, url};

/// The namespace of observables (STIX 2.1 2.9).
const OBSERVABLES: Uuid = uuid!("00abedb4-aa42-466c-9c23-fed23a9cfcd2");
/// The namespace of our own objects.
const OURS: Uuid = uuid!("6e1ba62c-4f1e-5b0a-9d6e-2f63b3c6f1f4");
/// When ATT&CK took T1197 up: the object that stands for it is the same in every bundle.
const TECHNIQUE_MADE: &str = "2018-04-18T00:00:00.000Z";

/// Writes the bundle of a report.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let captures = report.captures.iter().map(|input| input.name.clone()).collect();
    let mut bundle = Bundle::new(out, captures);
    report.sessions.iter().try_for_each(|session| bundle.add(session))?;
    bundle.finish()
}

/// A bundle that is being written. Objects seen twice are one.
pub struct Bundle<'w> {
    out: Spelled<'w>,
    /// The names of the captures.
    captures: Vec<String>,
    written: HashSet<(&'static str, Uuid)>,
    /// How many uploads there are of what tells them apart.
    keys: HashMap<Uuid, u64>,
    /// What the id of the bundle comes from.
    content: Sha1,
    failed: io::Result<()>,
}

impl<'w> Bundle<'w> {
    /// One without sessions. `captures` are the names of the inputs.
    pub fn new(out: &'w mut dyn Write, captures: Vec<String>) -> Self {
        let mut out = Spelled::new(out);
        let failed = out.write_all(br#"{"type":"bundle""#);
        let (written, keys) = (HashSet::default(), HashMap::default());
        Self { out, captures, written, keys, content: begun(OURS), failed }
    }

    /// Writes what a session adds.
    ///
    /// # Errors
    ///
    /// The first that writing met, now or before.
    pub fn add(&mut self, session: &Session) -> io::Result<()> {
        self.session(session);
        std::mem::replace(&mut self.failed, Ok(()))
    }

    /// Writes the end.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.written.is_empty() {
            self.out.write_all(b"]")?;
        }
        writeln!(self.out, r#","id":"bundle--{}"}}"#, ended(self.content))?;
        self.out.flush()
    }

    fn session(&mut self, session: &Session) {
        let technique = self.technique();
        let ends = [session.client.address, session.server.address];
        let mut refs: BTreeSet<String> = ends.map(|end| self.address(end)).into();
        for exchanges in by_connection(session).values() {
            self.connection(exchanges, &mut refs);
        }
        if let Some(url) = &session.url {
            self.url(url, &mut refs);
        }
        let file = self.file(session);
        // With a digest the file is another object, and what refers to it has to be, too.
        let key = format!("{} {}", self.key(session), file.as_deref().unwrap_or_default());
        refs.extend(file);
        let made = millis(session.ended);
        // A list is never empty (STIX 2.1 2.12).
        let places = Some(references(session, &self.captures)).filter(|places| !places.is_empty());
        let seen = json::without_null(json!({
            "first_observed": millis(session.started), "last_observed": made, "number_observed": 1,
            "object_refs": refs, "external_references": places,
        }));
        let observed = self.own("observed-data", &key, made.clone(), seen);
        self.own(
            "relationship",
            &key,
            made,
            json!({
                "relationship_type": "related-to", "source_ref": observed, "target_ref": technique,
                "description": format!("BITS upload, {}", session.outcome.name()),
            }),
        );
    }

    /// What no other upload of the report has.
    fn key(&mut self, session: &Session) -> String {
        let ends = session.exchanges.first().map_or_else(
            || format!("{} {}", session.client.address, session.server.socket()),
            |first| format!("{} {}", first.client, first.server),
        );
        let id = session.id.as_deref().unwrap_or_default();
        let url = session.url.as_deref().unwrap_or_default();
        let key = format!("{} {ends} {id} {url}", session.started);
        let alike = self.keys.entry(v5(OURS, &key)).or_default();
        *alike += 1;
        // Create-Session may be sent again at once, and a coarse clock tells the same time of both.
        if *alike > 1 { format!("{key} {alike}") } else { key }
    }

    fn technique(&mut self) -> String {
        self.own(
            "attack-pattern",
            "T1197",
            TECHNIQUE_MADE.to_owned(),
            json!({
                "name": "BITS Jobs",
                "external_references": [{
                    "source_name": "mitre-attack", "external_id": "T1197",
                    "url": "https://attack.mitre.org/techniques/T1197/",
                }],
            }),
        )
    }

    /// A connection as far as the upload used it: both ends, what was sent, and where to.
    fn connection(&mut self, exchanges: &[&Exchange], refs: &mut BTreeSet<String>) {
        let Some(first) = exchanges.first() else { return };
        let (client, server) = (self.address(first.client.ip()), self.address(first.server.ip()));
        refs.insert(self.traffic(first, exchanges, [&client, &server]));
        refs.extend([client, server]);
        let mut urls = exchanges.iter().filter_map(|one| url::of(one, one.request.as_ref()?));
        if let Some(url) = urls.next() {
            self.url(&url.text(), refs);
        }
    }

    fn traffic(&mut self, first: &Exchange, all: &[&Exchange], ends: [&str; 2]) -> String {
        let family = if first.server.is_ipv4() { "ipv4" } else { "ipv6" };
        let carrier = if first.tls { "https" } else { "http" };
        let [client, server] = ends;
        let (started, ended) = Exchange::times_of(all.iter().copied()).unwrap_or_default();
        let mut fixed = json!({
            "start": millis(started), "end": later(started, ended), "src_ref": client, "dst_ref": server,
            "src_port": first.client.port(), "dst_port": first.server.port(),
            "protocols": [family, "tcp", carrier],
        });
        let request = all.iter().find_map(|exchange| exchange.request.as_ref());
        if let (Some(fixed), Some(request)) = (fixed.as_object_mut(), request) {
            let agent = request.user_agent.as_deref().map(|agent| json!({"User-Agent": [agent]}));
            let mut http = json!({
                "request_method": request.method.to_lowercase(),
                "request_value": request.target,
                "request_version": format!("http/1.{}", request.minor_version),
            });
            if let (Some(http), Some(agent)) = (http.as_object_mut(), agent) {
                http.insert("request_header".into(), agent);
            }
            fixed.insert("extensions".into(), json!({"http-request-ext": http}));
        }
        // What has an end is over (STIX 2.1 6.12).
        let rest = json::without_null(json!({"src_byte_count": sent(all), "is_active": false}));
        self.observable("network-traffic", fixed, rest)
    }

    /// A URL, and its host where that is a name.
    fn url(&mut self, url: &str, refs: &mut BTreeSet<String>) {
        let value = super::har::encoded(url);
        refs.insert(self.observable("url", json!({"value": value}), json!({})));
        refs.extend(self.host(url));
    }

    fn address(&mut self, address: IpAddr) -> String {
        let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        self.observable(kind, json!({"value": address}), json!({}))
    }

    /// The host of a URL, where it is a name.
    fn host(&mut self, url: &str) -> Option<String> {
        let (host, _) = url::host_and_port(url);
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        let name = plain && host.contains('.') && host.parse::<IpAddr>().is_err();
        name.then(|| self.observable("domain-name", json!({"value": host}), json!({})))
    }

    /// The file, as long as it has a name or a hash; without a hash, its size tells it from others of its name.
    fn file(&mut self, session: &Session) -> Option<String> {
        let file = session.file.as_ref()?;
        let path = session.url.as_deref().and_then(|url| url.rsplit('/').next());
        let name = session.content_name.as_deref().or(path).filter(|name| !name.is_empty());
        let mut fixed = serde_json::Map::new();
        name.map(|name| fixed.insert("name".into(), json!(name)));
        file.sha256.as_ref().map(|hash| fixed.insert("hashes".into(), json!({"SHA-256": hash})));
        if fixed.is_empty() {
            return None;
        }
        let mut rest = serde_json::Map::new();
        let telling = if file.sha256.is_some() { &mut rest } else { &mut fixed };
        telling.insert("size".into(), json!(file.size));
        Some(self.observable("file", Value::Object(fixed), Value::Object(rest)))
    }

    /// An observable whose id comes from the properties in `fixed`.
    fn observable(&mut self, kind: &'static str, fixed: Value, rest: Value) -> String {
        // A map of serde_json is sorted and its text compact, as RFC 8785 asks for.
        let id = v5(OBSERVABLES, &fixed.to_string());
        self.put(kind, id, [fixed, rest])
    }

    fn own(&mut self, kind: &'static str, key: &str, made: String, rest: Value) -> String {
        let id = v5(OURS, &format!("{kind} {key}"));
        self.put(kind, id, [json!({"created": made, "modified": made}), rest])
    }

    /// Writes an object, unless it was, and returns its id.
    fn put(&mut self, kind: &'static str, id: Uuid, parts: [Value; 2]) -> String {
        let name = format!("{kind}--{id}");
        let before = if self.written.is_empty() { r#","objects":["# } else { "," };
        if self.failed.is_ok() && self.written.insert((kind, id)) {
            let mut fields = serde_json::Map::new();
            fields.insert("type".into(), json!(kind));
            fields.insert("spec_version".into(), json!("2.1"));
            fields.insert("id".into(), json!(name));
            for part in parts {
                if let Value::Object(part) = part {
                    fields.extend(part);
                }
            }
            let text = Value::Object(fields).to_string();
            self.content.update(&text);
            self.failed = write!(self.out, "{before}{text}");
        }
        name
    }
}

/// Where the upload is to be looked up: by its id at the server, by its frames in each capture that holds some.
fn references(session: &Session, captures: &[String]) -> Vec<Value> {
    let id = session.id.as_deref().filter(|id| !id.is_empty());
    let id = id.map(|id| json!({"source_name": "BITS-Session-Id", "external_id": id}));
    let mut frames: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    let spans = || session.exchanges.iter().flat_map(Exchange::spans);
    for at in spans().flat_map(|span| [span.first, span.last]) {
        let frame = if at.input > 0 { u64::from(at.input_frame) } else { at.frame };
        let [first, last] = frames.entry(at.place() as usize).or_insert([frame, frame]);
        (*first, *last) = (frame.min(*first), frame.max(*last));
    }
    let named = frames.iter().filter_map(|(place, frames)| Some((captures.get(*place)?, frames)));
    let seen = named.map(|(name, [first, last])| {
        let frames = format!("frames {first} to {last} of {name}");
        json!({"source_name": "packet capture", "description": frames})
    });
    id.into_iter().chain(seen).collect()
}

/// The exchanges of each connection, in order.
fn by_connection(session: &Session) -> BTreeMap<u64, Vec<&Exchange>> {
    let mut all: BTreeMap<u64, Vec<&Exchange>> = BTreeMap::new();
    for exchange in &session.exchanges {
        all.entry(exchange.connection).or_default().push(exchange);
    }
    all
}

/// Bytes of Fragment bodies; what else was sent is not counted, so that none are not told as 0.
fn sent(exchanges: &[&Exchange]) -> Option<u64> {
    let fragments = exchanges.iter().filter(|exchange| exchange.kind == PacketType::Fragment);
    let bytes = fragments.filter_map(|exchange| Some(exchange.request.as_ref()?.body.bytes)).sum();
    (bytes > 0).then_some(bytes)
}

/// The end, which has to lie after the start.
fn later(started: Timestamp, ended: Timestamp) -> String {
    let least = started.nanos().saturating_add(1_000_000);
    millis(Timestamp::from_nanos(ended.nanos().max(least)))
}

/// RFC 3339 to the millisecond, which is what STIX prescribes for its own times.
fn millis(time: Timestamp) -> String {
    time.moment().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A UUID of version 5 (RFC 9562 5.5).
fn v5(namespace: Uuid, name: &str) -> Uuid {
    let mut hash = begun(namespace);
    hash.update(name.as_bytes());
    ended(hash)
}

fn begun(namespace: Uuid) -> Sha1 {
    let mut hash = Sha1::new();
    hash.update(namespace.as_bytes());
    hash
}

fn ended(hash: Sha1) -> Uuid {
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    /// The objects of one type in the bundle of a transcript.
    fn objects(text: &str, kind: &str) -> Vec<Value> {
        objects_of(&transcript::analyse(&transcript::play(text).unwrap(), &mut ()), kind)
    }

    fn objects_of(report: &Report, kind: &str) -> Vec<Value> {
        let mut out = Vec::new();
        write(&mut out, report).unwrap();
        let bundle: Value = serde_json::from_slice(&out).unwrap();
        let all = bundle["objects"].as_array().unwrap().iter();
        all.filter(|object| object["type"] == kind).cloned().collect()
    }

    #[test]
    fn each_connection_has_its_own_ends_times_and_bytes() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n= server 10.0.0.9:81\n\
                    = connection\n... 9 s\n> FRAGMENT 10-29/30\n< 200\n";
        let mut traffic = objects(text, "network-traffic");
        traffic.sort_by_key(|one| one["start"].to_string());
        let of = |name: &str| traffic.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
        assert_eq!(
            (of("src_byte_count"), of("dst_port")),
            (vec![json!(10), json!(20)], vec![json!(80), json!(81)])
        );
        assert!(traffic[0]["end"].as_str() < traffic[1]["start"].as_str(), "{traffic:?}");
        assert_ne!(traffic[0]["src_port"], traffic[1]["src_port"]);
        let addresses = objects(text, "ipv4-addr");
        let observed = objects(text, "observed-data").remove(0);
        let refs = observed["object_refs"].as_array().unwrap();
        assert_eq!(addresses.len(), 3);
        assert!(
            addresses.iter().chain(&traffic).all(|one| refs.contains(&one["id"])),
            "{observed}"
        );
    }

    #[test]
    fn an_upload_is_to_be_found_by_its_id() {
        let observed = objects("> CREATE-SESSION\n< 200 session=1\n", "observed-data").remove(0);
        let expected = json!([{"source_name": "BITS-Session-Id", "external_id": "1"}]);
        assert_eq!(observed["external_references"], expected);
        let observed = objects("> CREATE-SESSION\n", "observed-data").remove(0);
        assert!(observed.get("external_references").is_none(), "{observed}");
    }

    #[test]
    fn what_refers_to_a_file_with_a_hash_is_another_object() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n";
        let mut report = transcript::analyse(&transcript::play(text).unwrap(), &mut ());
        let ids = |report: &Report| {
            ["observed-data", "relationship"].map(|kind| objects_of(report, kind)[0]["id"].clone())
        };
        let without = ids(&report);
        report.sessions[0].file.as_mut().unwrap().sha256 = Some("ab".repeat(32));
        assert!(ids(&report).iter().zip(&without).all(|(with, without)| with != without));
    }

    #[test]
    fn files_of_one_name_and_differing_size_are_two() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n= server 10.0.0.9:80\n\
                    = connection\n> CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-9/40\n< 200\n";
        let sizes = |kind| {
            objects(text, kind).iter().map(|one| one["size"].as_u64()).collect::<BTreeSet<_>>()
        };
        assert_eq!(sizes("file"), BTreeSet::from([Some(30), Some(40)]));
    }

    #[test]
    fn uploads_that_begin_at_once_are_told_apart() {
        let text = "> CREATE-SESSION\n= connection\n> CREATE-SESSION\n";
        let mut records = transcript::play(text).unwrap();
        let first = records[0].at.time;
        records.iter_mut().for_each(|record| record.at.time = first);
        let report = transcript::analyse(&records, &mut ());
        let mut out = Vec::new();
        write(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(report.sessions.len(), 2);
        assert_eq!(text.matches(r#""type":"observed-data""#).count(), 2, "{text}");
    }

    #[test]
    fn nothing_ends_before_it_begins_where_the_clock_goes_back() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... -5 s\n< 200\n";
        let observed = objects(text, "observed-data").remove(0);
        assert!(
            observed["first_observed"].as_str() < observed["last_observed"].as_str(),
            "{observed}"
        );
    }

    // RFC 9562 A.4.
    #[test]
    fn version_5_is_that_of_the_rfc() {
        let dns = uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        assert_eq!(v5(dns, "www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    }
}
