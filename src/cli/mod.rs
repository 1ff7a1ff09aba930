//! The command line: one file per subcommand.

pub mod capture;
pub mod input;
pub mod interfaces;
