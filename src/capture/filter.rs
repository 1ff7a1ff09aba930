//! Filter expressions of pcap-filter(7) over frames of any link type.

#[cfg(feature = "live")]
use hashbrown::HashMap;

use super::{Error, LinkType};

/// A filter expression, compiled for each link type that turns up.
#[cfg(feature = "live")]
pub struct Filter {
    expression: String,
    programs: HashMap<LinkType, Option<pcap::BpfProgram>>,
}

#[cfg(feature = "live")]
impl Filter {
    /// Compiles `expression` for Ethernet, to find its mistakes.
    ///
    /// # Errors
    ///
    /// [`Error::Filter`] where it is none, [`Error::NotBuiltIn`] without the feature `live`.
    pub fn new(expression: &str) -> Result<Self, Error> {
        let ethernet = compile(expression, LinkType(1))?;
        let programs = [(LinkType(1), Some(ethernet))].into_iter().collect();
        Ok(Self { expression: expression.to_owned(), programs })
    }

    /// Whether the expression is true of a frame. It is of none where it makes no sense for the link type.
    pub fn matches(&mut self, link: LinkType, data: &[u8]) -> bool {
        let Self { expression, programs } = self;
        let program = programs.entry(link).or_insert_with(|| compile(expression, link).ok());
        program.as_ref().is_some_and(|program| program.filter(data))
    }
}

#[cfg(feature = "live")]
fn compile(expression: &str, link: LinkType) -> Result<pcap::BpfProgram, Error> {
    let why = |error| super::live::no_filter(expression, &error);
    let dead = pcap::Capture::dead(pcap::Linktype(super::live::to_dlt(link))).map_err(why)?;
    dead.compile(expression, true).map_err(why)
}

/// A filter expression; none can be made without the feature `live`.
#[cfg(not(feature = "live"))]
pub enum Filter {}

#[cfg(not(feature = "live"))]
impl Filter {
    /// Refuses every expression.
    ///
    /// # Errors
    ///
    /// Always [`Error::NotBuiltIn`].
    pub fn new(_expression: &str) -> Result<Self, Error> {
        Err(Error::NotBuiltIn)
    }

    /// Never called, for there is no filter.
    pub fn matches(&mut self, _link: LinkType, _data: &[u8]) -> bool {
        match *self {}
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;

    /// IPv4, TCP from port 80 to port 4096, without options.
    const IP: [u8; 40] = {
        let mut ip = [0; 40];
        (ip[0], ip[3], ip[9], ip[21], ip[22]) = (0x45, 40, 6, 80, 16);
        ip
    };

    #[test]
    fn same_expression_serves_every_link_type() {
        let mut filter = Filter::new("tcp port 80").unwrap();
        let ethernet = [&[0; 12][..], &[8, 0], &IP].concat();
        assert!(filter.matches(LinkType(1), &ethernet));
        assert!(filter.matches(LinkType(101), &IP));
        assert!(!Filter::new("tcp port 81").unwrap().matches(LinkType(101), &IP));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(Filter::new("port and and"), Err(Error::Filter { .. })));
        let said = Filter::new("http").map(|_| ()).unwrap_err().to_string();
        assert!(said.starts_with("filter \"http\": ") && said.contains("pcap-filter(7)"), "{said}");
    }
}
