//! `make bench`: the program beside others on the same captures, in the same rounds.
//!
//! Seconds depend on the machine and its mood; ratios within a round depend on its kind alone, so these are what is
//! printed, compared with those that `benches/recorded.json` has of the same kind, and claimed. Other programs take
//! part where they are installed.
//!
//! ```text
//! cargo bench --bench compare -- [--scale PERCENT] [--rounds N] [--only WORKLOAD] [--record] [--strict]
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use support::{Format, Kind};

/// Megabytes of the large captures.
const BULK: u64 = 500;

/// How much worse than recorded a ratio may be before it is told.
const SLACK: f64 = 1.25;

/// What is measured: a name, the command, and what it is compared with. `{f}` is the capture, `{keys}` its key log.
struct Case {
    file: &'static str,
    name: &'static str,
    command: &'static str,
    beside: &'static [&'static str],
}

const US: &str = env!("CARGO_BIN_EXE_bitsleuth");

const PEERS: [&str; 6] = [
    "tcpdump -r {f} -w /dev/null",
    "tcpflow -o {o} -r {f}",
    "suricata -r {f} -l {o} -k none --runmode single",
    "tshark -r {f} -Y http",
    "capinfos -cdu {f}",
    "{pcap} {f}",
];

const CASES: [Case; 13] = [
    Case {
        file: "bulk.pcap",
        name: "document",
        command: "sessions --json {f}",
        beside: &["cat {f}"],
    },
    Case {
        file: "haystack.pcap",
        name: "document",
        command: "sessions --json {f}",
        beside: &["cat {f}"],
    },
    Case {
        file: "rough.pcap",
        name: "document",
        command: "sessions --json {f}",
        beside: &["cat {f}"],
    },
    Case {
        file: "small.pcap",
        name: "lines",
        command: "sessions --format ndjson {f}",
        beside: &["{pcap} {f}"],
    },
    Case {
        file: "small.pcap",
        name: "document",
        command: "sessions --json {f}",
        beside: &["{us} sessions --format ndjson {f}"],
    },
    Case {
        file: "bulk.pcapng",
        name: "document",
        command: "sessions --json {f}",
        beside: &["{us} sessions --json {bulk.pcap}"],
    },
    Case {
        file: "bulk.pcap",
        name: "digest",
        command: "sessions --json --digest sha256 {f}",
        beside: &["openssl dgst -sha256 {f}"],
    },
    Case {
        file: "small.pcap",
        name: "digest",
        command: "sessions --format ndjson --digest sha256 {f}",
        beside: &["{us} sessions --format ndjson {f}"],
    },
    Case {
        file: "haystack.pcap",
        name: "digest",
        command: "sessions --json --digest sha256 {f}",
        beside: &["{us} sessions --json {f}"],
    },
    Case {
        file: "bulk-tls.pcap",
        name: "document",
        command: "sessions --json --tls-keys {keys} {f}",
        beside: &["{ring}", "{aes-gcm}", "cat {f}", "{us} sessions --json {bulk.pcap}"],
    },
    Case {
        file: "haystack.pcap.gz",
        name: "document",
        command: "sessions --json {f}",
        beside: &["gzip -dc {f}"],
    },
    Case {
        file: "haystack.pcap.zst",
        name: "document",
        command: "sessions --json {f}",
        beside: &["zstd -dc {f}"],
    },
    Case { file: "bulk.pcap", name: "peers", command: "sessions --json {f}", beside: &PEERS },
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, file] = &args[..]
        && flag == "--pcap-loop"
    {
        return pcap_loop(file);
    }
    if let [flag, bytes] = &args[..]
        && let Some((_, open)) =
            support::LIBRARIES.iter().find(|(name, _)| flag.strip_prefix("--") == Some(name))
    {
        println!("{}", open(bytes.parse().unwrap()));
        return;
    }
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let scale: u64 = value("--scale").map_or(100, |text| text.parse().unwrap());
    let rounds: usize = value("--rounds").map_or(5, |text| text.parse().unwrap());
    let only = value("--only").unwrap_or_default();
    let bench = Bench::new(scale, rounds);
    let (file, mut all) = recorded();
    let machine = machine();
    let known = all.remove(&machine).unwrap_or_default();
    let (mut found, mut worse) = (BTreeMap::new(), false);
    println!("{machine}{}\n", if known.is_empty() { ": nothing recorded yet" } else { "" });
    println!("| capture | what | beside | ratio | recorded | seconds | user+sys | peak MiB |");
    println!("|---|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| case.file.contains(&only)) {
        worse |= bench.case(case, &known, &mut found);
    }
    if args.iter().any(|arg| arg == "--record") {
        all.insert(machine, known.into_iter().chain(found).collect());
        std::fs::write(file, serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
    }
    if worse && args.iter().any(|arg| arg == "--strict") {
        std::process::exit(1);
    }
}

/// Recorded ratios, by capture, what and beside.
type Ratios = BTreeMap<String, f64>;

/// Those of each kind of machine.
fn recorded() -> (PathBuf, BTreeMap<String, Ratios>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/recorded.json");
    let known = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    (file, known.unwrap_or_default())
}

/// The kind of this machine: ratios of one say nothing of another.
fn machine() -> String {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let fact = |name: &str| {
        let line = facts.lines().find(|line| line.split('\t').next() == Some(name))?;
        line.split_once(": ").map(|(_, value)| value.to_owned())
    };
    let processor = match (fact("vendor_id"), fact("cpu family")) {
        (Some(vendor), Some(family)) => format!("{vendor} family {family}"),
        _ => std::env::consts::ARCH.to_owned(),
    };
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processor}, {count} processors")
}

struct Bench {
    dir: PathBuf,
    /// Bytes of the large captures, as asked for.
    bulk: u64,
    rounds: usize,
}

/// One run.
#[derive(Clone, Copy, Default)]
struct Run {
    wall: f64,
    cpu: f64,
    mib: f64,
}

impl Bench {
    /// Makes the captures that are not there yet.
    fn new(scale: u64, rounds: usize) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{scale}"));
        std::fs::create_dir_all(&dir).unwrap();
        let mb = |size: u64| size * scale * 10_000;
        let pcap = |name: &str, kind, size, format| {
            make(&dir.join(name), |out| support::write(kind, mb(size), format, out));
        };
        pcap("bulk.pcap", Kind::Bulk, BULK, Format::Pcap);
        pcap("bulk.pcapng", Kind::Bulk, BULK, Format::Pcapng);
        pcap("bulk-tls.pcap", Kind::Sealed, BULK, Format::Pcap);
        std::fs::write(dir.join("keys"), support::key_log()).unwrap();
        pcap("small.pcap", Kind::Small, 110, Format::Pcap);
        pcap("haystack.pcap", Kind::Haystack, 300, Format::Pcap);
        pcap("rough.pcap", Kind::Rough, 150, Format::Pcap);
        let plain = dir.join("haystack.pcap");
        make(&dir.join("haystack.pcap.gz"), |out| {
            let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            io::copy(&mut File::open(&plain)?, &mut packer)?;
            packer.finish().map(|_| ())
        });
        make(&dir.join("haystack.pcap.zst"), |out| {
            zstd::stream::copy_encode(File::open(&plain)?, out, 3)
        });
        Self { bulk: mb(BULK), dir, rounds }
    }

    /// Measures one case and prints its rows; whether something is worse than recorded.
    fn case(&self, case: &Case, known: &Ratios, found: &mut Ratios) -> bool {
        let beside: Vec<_> = case.beside.iter().filter(|command| is_installed(command)).collect();
        let mut runs = vec![Vec::new(); beside.len() + 1];
        for _ in 0..self.rounds {
            runs[0].push(self.run(&format!("{{us}} {}", case.command), case.file));
            for (place, command) in beside.iter().enumerate() {
                runs[place + 1].push(self.run(command, case.file));
            }
        }
        let mut worse = false;
        for (place, command) in beside.iter().enumerate() {
            let name = command.split(' ').next().unwrap_or_default();
            let name = if name == "{us}" { command.split_once(' ').unwrap().1 } else { name };
            let ratios =
                runs[0].iter().zip(&runs[place + 1]).map(|(own, other)| own.wall / other.wall);
            let ratio = median(ratios);
            let key = format!("{} {} / {}", case.file, case.name, name);
            let before = known.get(&key);
            let is_worse = before.is_some_and(|before| ratio > before * SLACK);
            worse |= is_worse;
            let pick = |pick: fn(&Run) -> f64| median(runs[0].iter().map(pick));
            println!(
                "| {} | {} | {name} | {ratio:.3} | {}{} | {:.3} | {:.2} | {:.1} |",
                case.file,
                case.name,
                before.map_or_else(|| "–".to_owned(), |before| format!("{before:.3}")),
                if is_worse { " (worse)" } else { "" },
                pick(|run| run.wall),
                pick(|run| run.cpu),
                pick(|run| run.mib),
            );
            found.insert(key, (ratio * 1000.0).round() / 1000.0);
        }
        worse
    }

    /// Runs a command on a capture that was just read.
    fn run(&self, command: &str, file: &str) -> Run {
        let path = self.dir.join(file);
        let out = self.dir.join("out");
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir_all(&out).unwrap();
        warm(&path);
        let own = std::env::current_exe().unwrap();
        let words = command.split(' ').flat_map(|word| match word {
            "{us}" => vec![US.to_owned()],
            "{pcap}" => vec![own.display().to_string(), "--pcap-loop".to_owned()],
            "{ring}" | "{aes-gcm}" => {
                let flag = format!("--{}", word.trim_matches(['{', '}']));
                vec![own.display().to_string(), flag, self.bulk.to_string()]
            }
            "{keys}" => vec![self.dir.join("keys").display().to_string()],
            "{f}" => vec![path.display().to_string()],
            "{o}" => vec![out.display().to_string()],
            "{bulk.pcap}" => vec![self.dir.join("bulk.pcap").display().to_string()],
            word => vec![word.to_owned()],
        });
        let figures = self.dir.join("figures");
        let words: Vec<String> = words.collect();
        let mut command = timed(&words, &figures);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        command.status().unwrap();
        let wall = begun.elapsed().as_secs_f64();
        let text = std::fs::read_to_string(&figures).unwrap_or_default();
        let figures: Vec<f64> = text
            .lines()
            .last()
            .unwrap_or_default()
            .split(' ')
            .filter_map(|figure| figure.parse().ok())
            .collect();
        match figures[..] {
            [user, system, kib] => Run { wall, cpu: user + system, mib: kib / 1024.0 },
            _ => Run { wall, ..Run::default() },
        }
    }
}

/// The command under GNU time, where there is one.
fn timed(words: &[String], figures: &Path) -> Command {
    let time = Path::new("/usr/bin/time");
    if !time.exists() {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        return command;
    }
    let mut command = Command::new(time);
    command.args(["-f", "%U %S %M", "-o"]).arg(figures).args(words);
    command
}

fn make(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    if path.exists() {
        return;
    }
    let unfinished = path.with_extension("unfinished");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&unfinished).unwrap());
    write(&mut out).unwrap();
    out.flush().unwrap();
    std::fs::rename(unfinished, path).unwrap();
}

/// Reads a file, so that it is in memory.
fn warm(path: &Path) {
    let (mut file, mut buffer) = (File::open(path).unwrap(), vec![0; 256 << 10]);
    while file.read(&mut buffer).unwrap() > 0 {}
}

fn is_installed(command: &str) -> bool {
    let name = command.split(' ').next().unwrap_or_default();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    match name {
        "{us}" | "{ring}" | "{aes-gcm}" => true,
        "{pcap}" => cfg!(feature = "live"),
        _ => std::env::split_paths(&paths).any(|dir| dir.join(name).exists()),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What reading a capture by libpcap costs at least.
#[cfg(feature = "live")]
fn pcap_loop(file: &str) {
    let (mut capture, mut bytes) = (pcap::Capture::from_file(file).unwrap(), 0);
    while let Ok(packet) = capture.next_packet() {
        bytes += packet.data.len() + usize::from(packet.data[0]);
    }
    println!("{bytes}");
}

#[cfg(not(feature = "live"))]
fn pcap_loop(_: &str) {}
