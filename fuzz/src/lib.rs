//! What must hold for any input, one function for each boundary. The fuzz targets call them, and so do the tests that
//! replay what was found.

mod properties;

pub use properties::{bits, capture, engine, http, packet, stream, tls, transcript};
