//! Closed windows.

use super::{ACK, Net};
use crate::packet::Segment;
use crate::stream::Side;

#[test]
fn a_closed_window_is_a_period_and_its_probes_are_counted() {
    let mut net = Net::open();
    let closed = |segment: &mut Segment<'_>| segment.window = 0;
    net.send(false, 500, 100, ACK, b"", closed);
    net.client(99, 500, ACK, b"");
    net.server(500, 100, ACK, b"");
    let period = net.side(Side::Server).zero_windows[0];
    assert_eq!((period.start.frame, period.end.unwrap().frame), (4, 6));
    assert_eq!(net.side(Side::Client).window_probes, 1);
}

#[test]
fn of_many_closed_windows_the_longest_and_the_last_are_kept() {
    let mut net = Net::open();
    let closed = |segment: &mut Segment<'_>| segment.window = 0;
    for round in 0..100 {
        net.send(false, 500, 100, ACK, b"", closed);
        net.time += if round == 70 { 90_000_000_000 } else { 0 };
        net.server(500, 100, ACK, b"");
    }
    net.send(false, 500, 100, ACK, b"", closed);
    let periods = &net.side(Side::Server).zero_windows;
    let last = periods.last().unwrap();
    assert_eq!((periods.len(), last.start.frame, last.end), (64, 204, None));
    assert_eq!(periods.iter().filter(|period| period.secs() > 60.0).count(), 1);
}
