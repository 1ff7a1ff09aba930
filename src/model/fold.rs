//! A session from its exchanges.
