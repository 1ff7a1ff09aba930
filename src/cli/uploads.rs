//! What all commands about uploads have in common.

use std::path::Path;

use bitsleuth::Options;
use bitsleuth::model::Report;
use bitsleuth::observe::Observer;
use clap::Args;

use super::input::InputArgs;
use super::judge::JudgeArgs;
use super::redact::Redact;
use super::run::{Failure, Status, analyse, is_in_vain};
use super::select::Select;
use super::target::{failed, folder_of};

/// Which captures, which uploads in them, and how they are judged.
#[derive(Args, Clone, Debug)]
pub struct Uploads {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub judge: JudgeArgs,
    #[command(flatten)]
    pub redact: Redact,
}

impl Uploads {
    /// The report of the uploads that are meant, with all their names. `output` is a file to be made meanwhile.
    ///
    /// # Errors
    ///
    /// The errors of [`analyse`]; where nothing could be read that the file could tell of, lest it replace one that
    /// does.
    pub fn report(
        &self,
        output: Option<&Path>,
        digest: bool,
        observer: &mut impl Observer,
    ) -> Result<(Report, Status), Failure> {
        let folder = output.and_then(folder_of);
        let input = self.input.writing_to(folder.as_deref());
        let options = Options { digest, ..self.judge.options() };
        let (mut report, status) = analyse(&input, options, observer)?;
        if let Some(output) = output.filter(|_| folder.is_some())
            && is_in_vain(&report, status)
        {
            return Err(failed(output, "not written, since nothing could be read"));
        }
        report.retain(|session| self.select.keep(session));
        Ok((report, status))
    }

    /// As [`Self::report`], with pseudonyms where they are asked for.
    ///
    /// # Errors
    ///
    /// The errors of [`analyse`].
    pub fn redacted_report(&self) -> Result<(Report, Status), Failure> {
        let (mut report, status) = self.report(None, false, &mut ())?;
        self.redact.apply(&mut report);
        Ok((report, status))
    }
}
