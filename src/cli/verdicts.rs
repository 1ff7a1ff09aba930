//! Whether uploads are diagnosed as before in what became of a capture.

use std::collections::BTreeMap;

use bitsleuth::at::Timestamp;
use bitsleuth::capture::Frame;
use bitsleuth::limits::Limits;
use bitsleuth::model::Session;
use bitsleuth::observe::Observer;
use bitsleuth::{Analysis, Options};

/// Uploads that are told one by one.
const TOLD: usize = 8;

/// The causes that an analysis finds, by the time and the frame in which an upload begins.
pub struct Verdicts {
    analysis: Analysis,
    causes: Causes,
}

#[derive(Default)]
struct Causes(BTreeMap<(Timestamp, u64), Vec<String>>);

impl Observer for Causes {
    fn session(&mut self, session: Session) -> Option<Session> {
        let cause = session.diagnosis.as_ref().map_or("nothing", |diagnosis| &diagnosis.cause);
        self.0.entry(session.order()).or_default().push(cause.to_owned());
        None
    }
}

impl Verdicts {
    /// Of a capture whose TLS stays closed.
    pub fn new(limits: &Limits) -> Self {
        let mut analysis = Analysis::new(Options { limits: limits.clone(), ..Options::default() });
        analysis.keys().complete();
        Self { analysis, causes: Causes::default() }
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame<'_>) {
        self.analysis.push(frame, &mut self.causes);
    }

    fn finish(self) -> Causes {
        let Self { analysis, mut causes } = self;
        analysis.finish(Vec::new(), &mut causes);
        causes
    }

    /// Which uploads have another cause in `other`, in words.
    pub fn compare(self, other: Self) -> Option<String> {
        let (ours, theirs) = (self.finish().0, other.finish().0);
        let changed = ours.iter().filter(|(order, causes)| theirs.get(order) != Some(causes));
        let all: Vec<String> = changed
            .map(|(order, causes)| {
                let now =
                    theirs.get(order).map_or_else(|| "not seen".to_owned(), |now| now.join(", "));
                format!("upload from frame {} ({}, now {now})", order.1, causes.join(", "))
            })
            .collect();
        let more = all.len().saturating_sub(TOLD);
        let told = all.get(..TOLD.min(all.len()))?.join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!all.is_empty()).then(|| format!("{told}{rest}"))
    }
}
