use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

// Of "abc": FIPS 180-2 B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[derive(Default)]
struct Upload {
    digest: FileDigest,
    pool: Pool,
}

impl Upload {
    /// Fragment `number` brings `bytes`.
    fn send(&mut self, number: u32, start: u64, bytes: &[u8]) {
        let range = (start, Some(start + bytes.len() as u64));
        self.digest.begin(&mut self.pool, (1, number), range, Order::default());
        self.digest.data(&mut self.pool, (1, number), start, bytes);
    }

    fn answer(&mut self, number: u32, end: u64, accepted: bool, next: Option<u64>) {
        let answer = FragmentAnswer { accepted, next };
        self.digest.answer(&mut self.pool, (1, number), (0, Some(end)), answer);
    }

    fn finish(mut self) -> Option<String> {
        self.digest.finish(&mut self.pool, Some(3))
    }
}

#[test]
fn bytes_may_come_in_any_order_and_twice() {
    let mut upload = Upload::default();
    for (number, (start, bytes)) in (0..).zip([(2, &b"c"[..]), (0, b"ab"), (1, b"XX")]) {
        upload.send(number, start, bytes);
        upload.answer(number, start + bytes.len() as u64, true, None);
    }
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn a_refused_fragment_does_not_count() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"a");
    upload.answer(0, 1, true, Some(1));
    upload.send(1, 1, b"xx");
    upload.answer(1, 3, false, None);
    upload.send(2, 1, b"bc");
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn a_fragment_that_was_refused_at_last_counts() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"a");
    upload.answer(0, 1, true, Some(1));
    upload.send(1, 1, b"bc");
    upload.answer(1, 3, false, None);
    upload.send(2, 1, b"b");
    upload.answer(2, 2, false, None);
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn copies_that_differ_and_were_all_refused_leave_no_digest() {
    let mut upload = Upload::default();
    for (number, bytes) in (0..).zip([b"abc", b"xbc"]) {
        upload.send(number, 0, bytes);
        upload.answer(number, 3, false, None);
    }
    assert_eq!(upload.finish(), None);
}

#[test]
fn a_refused_fragment_is_not_held_either() {
    let mut upload = Upload::default();
    upload.send(0, 1, b"xx");
    upload.answer(0, 3, false, None);
    upload.send(1, 0, b"a");
    upload.send(2, 1, b"bc");
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn a_refused_fragment_leaves_what_was_held() {
    let mut upload = Upload::default();
    upload.send(0, 1, b"bc");
    upload.answer(0, 3, true, None);
    upload.send(1, 0, b"x");
    upload.answer(1, 1, false, None);
    upload.send(2, 0, b"a");
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn a_hole_leaves_no_digest() {
    let mut upload = Upload::default();
    upload.send(0, 1, b"bc");
    assert_eq!(upload.finish(), None);
}

#[test]
fn a_refusal_among_pipelined_fragments_leaves_no_digest() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"a");
    upload.digest.begin(
        &mut upload.pool,
        (1, 1),
        (1, Some(3)),
        Order { pipelined: true, after_gap: false },
    );
    upload.digest.data(&mut upload.pool, (1, 1), 1, b"bc");
    upload.answer(1, 3, false, None);
    upload.send(2, 0, b"abc");
    assert_eq!(upload.finish(), None);
}

#[test]
fn of_a_copy_without_an_answer_and_an_accepted_one_the_server_may_have_either() {
    for same in ["a", "ab", "abc"] {
        for (first, digest) in [(same.to_owned(), Some(ABC)), (same.replace('a', "X"), None)] {
            let mut upload = Upload::default();
            upload.send(0, 0, first.as_bytes());
            upload.send(1, 0, b"abc");
            upload.answer(1, 3, true, Some(3));
            assert_eq!(upload.finish().as_deref(), digest, "{first}");
        }
    }
}

#[test]
fn long_ones_may_be_the_same() {
    let file = vec![7; 5 * WHOLE];
    let (end, mut other) = (file.len() as u64, file.clone());
    other[0] = 1;
    let digest = |again: &[u8]| {
        let mut upload = Upload::default();
        upload.send(0, 0, &file);
        upload.send(1, 0, again);
        upload.answer(1, end, true, Some(end));
        upload.digest.finish(&mut upload.pool, Some(end))
    };
    assert!(digest(&file).is_some());
    assert_eq!(digest(&other), None);
}

#[test]
fn where_a_server_may_have_gone_back_unseen_bytes_that_come_again_are_to_be_the_same() {
    let file = vec![7; 2 * WHOLE];
    let (middle, end, mut other) = (WHOLE as u64 + 1, file.len() as u64, file.clone());
    other[0] = 1;
    let digest = |again: &[u8], after_gap: bool| {
        let mut upload = Upload::default();
        for (number, (start, bytes)) in
            (0..).zip([(0, &file[..=WHOLE]), (middle, &file[WHOLE + 1..])])
        {
            upload.send(number, start, bytes);
            let next = start + bytes.len() as u64;
            upload.answer(number, next, true, Some(next));
        }
        let order = Order { pipelined: false, after_gap };
        upload.digest.begin(&mut upload.pool, (1, 2), (0, Some(end)), order);
        upload.digest.data(&mut upload.pool, (1, 2), 0, again);
        upload.answer(2, end, true, Some(end));
        upload.digest.finish(&mut upload.pool, Some(end))
    };
    assert!(digest(&file, true).is_some() && digest(&other, false).is_some());
    assert_eq!(digest(&other, true), None);
}

#[test]
fn a_copy_without_an_answer_does_not_count_if_another_one_may_be_missing() {
    for (after_gap, digest) in [(false, Some(ABC)), (true, None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"ab");
        let order = Order { pipelined: false, after_gap };
        upload.digest.begin(&mut upload.pool, (1, 1), (2, Some(3)), order);
        upload.digest.data(&mut upload.pool, (1, 1), 2, b"c");
        upload.answer(1, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn a_copy_without_an_answer_counts_where_the_server_has_it() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"ab");
    upload.send(1, 0, b"XX");
    upload.answer(1, 2, false, Some(2));
    upload.send(2, 2, b"c");
    upload.answer(2, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn the_first_of_two_copies_without_an_answer_counts() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"abc");
    upload.send(1, 0, b"XYZ");
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn copies_without_an_answer_count_if_they_are_the_same() {
    for (second, digest) in [(b"ab", Some(ABC)), (b"aX", None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"ab");
        upload.send(1, 0, second);
        upload.send(2, 0, b"ab");
        upload.answer(2, 2, false, Some(2));
        upload.send(3, 2, b"c");
        upload.answer(3, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn long_copies_without_an_answer_do_not_count_if_only_their_ends_are_known() {
    let (first, mut second) = (vec![0; WHOLE + 1], vec![0; WHOLE + 1]);
    second[0] = 1;
    let (mut upload, end) = (Upload::default(), first.len() as u64);
    upload.send(0, 0, &first);
    upload.send(1, 0, &second);
    upload.send(2, 0, b"X");
    upload.answer(2, 1, false, Some(end));
    upload.send(3, end, b"c");
    upload.answer(3, end + 1, true, Some(end + 1));
    assert_eq!(upload.digest.finish(&mut upload.pool, Some(end + 1)), None);
}

#[test]
fn of_three_long_copies_all_are_to_be_the_same() {
    let file = vec![7; 5 * WHOLE];
    let (end, mut other) = (file.len() as u64, file.clone());
    other[0] = 1;
    let digest = |copies: [&[u8]; 3]| {
        let mut upload = Upload::default();
        for (number, copy) in (0..).zip(copies) {
            upload.send(number, 0, copy);
        }
        upload.answer(2, end, true, Some(end));
        upload.digest.finish(&mut upload.pool, Some(end))
    };
    assert!(digest([&file, &file, &file]).is_some());
    assert_eq!(digest([&file, &other, &file]), None);
    assert_eq!(digest([&file, &other[1..], &file]), None);
}

#[test]
fn what_comes_again_among_pipelined_fragments_is_to_be_the_same() {
    for (again, digest) in [(b"ab", Some(ABC)), (b"aX", None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"ab");
        let order = Order { pipelined: true, after_gap: false };
        upload.digest.begin(&mut upload.pool, (1, 1), (0, Some(2)), order);
        upload.digest.data(&mut upload.pool, (1, 1), 0, again);
        upload.answer(1, 2, true, Some(2));
        upload.send(2, 2, b"c");
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn an_answer_that_comes_late_counts_for_its_own_copy() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"abc");
    upload.send(1, 0, b"X");
    upload.answer(0, 3, true, Some(3));
    upload.digest.data(&mut upload.pool, (1, 1), 1, b"XX");
    upload.answer(1, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn so_do_its_bytes_when_they_are_gone_back_to() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"ab");
    upload.send(1, 0, b"XX");
    upload.answer(0, 2, true, Some(2));
    upload.send(2, 2, b"XX");
    upload.answer(2, 4, false, Some(1));
    upload.send(3, 1, b"bc");
    upload.answer(3, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn bytes_that_the_server_no_longer_has_do_not_count() {
    // The start of a Fragment can be gone back to.
    for back in [0, 1, 2] {
        let mut upload = Upload::default();
        for (number, byte) in (0..).zip(b"abX") {
            let start = u64::from(number);
            let byte = if start < back { *byte } else { b'X' };
            upload.send(number, start, &[byte]);
            upload.answer(number, start + 1, true, None);
        }
        upload.send(3, 3, b"X");
        upload.answer(3, 4, false, Some(back));
        upload.send(4, back, &b"abc"[back as usize..]);
        upload.answer(4, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), Some(ABC), "{back}");
    }
}

#[test]
fn a_fragment_of_which_the_server_took_nothing_does_not_count() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"XX");
    upload.answer(0, 2, true, Some(0));
    upload.send(1, 0, b"abc");
    upload.answer(1, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

/// Of "abX".
const ABX: &str = "8a0fe5e48dfe39ae4ca34b375ea03e76b51413f2967034a8bf08d61270bd9462";

#[test]
fn a_part_that_is_sent_again_counts_if_the_server_takes_it() {
    for (accepted, digest) in [(true, Some(ABX)), (false, None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"abc");
        upload.answer(0, 3, true, Some(2));
        upload.send(1, 2, b"X");
        upload.answer(1, 3, accepted, Some(3));
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn of_a_long_fragment_it_leaves_no_digest() {
    let long = vec![0; WHOLE + 1];
    let mut upload = Upload::default();
    upload.send(0, 0, &long);
    upload.answer(0, long.len() as u64, true, Some(5));
    upload.send(1, 5, &long[..3]);
    upload.answer(1, 8, true, Some(8));
    assert_eq!(upload.digest.finish(&mut upload.pool, Some(8)), None);
}

#[test]
fn what_a_server_took_of_a_fragment_counts_though_it_refused_the_rest() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"aXX");
    upload.answer(0, 3, false, Some(1));
    upload.send(1, 1, b"bc");
    upload.answer(1, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn what_a_server_has_of_a_fragment_that_it_refused_as_a_whole_is_from_another_copy() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"ab");
    upload.answer(0, 2, false, Some(2));
    upload.send(1, 2, b"c");
    upload.answer(1, 3, true, Some(3));
    assert_eq!(upload.finish(), None);
}

#[test]
fn what_a_server_took_in_spite_of_an_error_is_known_if_copies_agree() {
    for (second, digest) in [(b"bc", Some(ABC)), (b"bX", None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"a");
        upload.answer(0, 1, true, Some(1));
        upload.send(1, 1, b"bc");
        upload.answer(1, 3, false, None);
        upload.send(2, 1, second);
        upload.answer(2, 3, false, Some(3));
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn what_a_server_gave_up_does_not_stand_for_what_the_capture_lacks() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"aXX");
    upload.answer(0, 3, false, Some(1));
    upload.send(1, 3, b"d");
    upload.answer(1, 4, true, Some(4));
    assert_eq!(upload.digest.finish(&mut upload.pool, Some(4)), None);
}

#[test]
fn what_is_sent_again_to_a_server_that_went_back_is_to_be_the_same() {
    for (again, digest) in [(b"a", Some(ABC)), (b"X", None)] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"ab");
        upload.answer(0, 2, true, Some(2));
        upload.send(1, 0, again);
        upload.answer(1, 1, true, Some(1));
        upload.send(2, 1, b"bc");
        upload.answer(2, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), digest);
    }
}

#[test]
fn a_refused_fragment_that_goes_on_does_not_count() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"X");
    upload.answer(0, 3, false, None);
    upload.digest.data(&mut upload.pool, (1, 0), 1, b"XX");
    upload.send(1, 0, b"abc");
    upload.answer(1, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn what_it_took_of_one_without_an_answer_counts_though_it_refused_the_next() {
    let mut upload = Upload::default();
    upload.send(0, 0, b"aXX");
    upload.send(1, 0, b"aYY");
    upload.answer(1, 3, false, Some(1));
    upload.send(2, 1, b"bc");
    upload.answer(2, 3, true, Some(3));
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

#[test]
fn the_same_bytes_again_do_no_harm() {
    for (start, again) in [(2, &b"c"[..]), (1, b"Xc"), (1, b"bc")] {
        let mut upload = Upload::default();
        upload.send(0, 0, b"abc");
        upload.answer(0, 3, true, Some(2));
        upload.send(1, start, again);
        upload.answer(1, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }
}

#[test]
fn so_do_not_the_last_ones_of_each_fragment() {
    let file: Vec<u8> = (0..=u8::MAX).cycle().take(60_000).collect();
    let mut upload = Upload::default();
    for (number, start) in (0..).zip([0, 19_999, 39_998]) {
        let end = (start + 20_002).min(file.len());
        upload.send(number, start as u64, &file[start..end]);
        let next = if end < file.len() { start + 19_999 } else { end };
        upload.answer(number, end as u64, true, Some(next as u64));
    }
    let mut whole = Upload::default();
    whole.send(0, 0, &file);
    let size = Some(file.len() as u64);
    let expected = whole.digest.finish(&mut whole.pool, size);
    assert_eq!(upload.digest.finish(&mut upload.pool, size), expected);
}

#[test]
fn a_server_that_counts_otherwise_does_no_harm_while_the_client_goes_on() {
    let mut upload = Upload::default();
    for (number, byte) in (0..).zip(b"abc") {
        upload.send(number, u64::from(number), &[*byte]);
        upload.answer(number, u64::from(number) + 1, true, Some(0));
    }
    assert_eq!(upload.finish().as_deref(), Some(ABC));
}

/// What becomes of a Fragment.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Taken,
    TakenLess(usize),
    Refused,
    /// 416, which tells where the server stands.
    Corrected,
    /// The server lost it all but for so many bytes, and says so.
    Lost(usize),
    Unanswered,
    /// The server took it, and says so when it comes again.
    AnswerLost,
    /// The same for so many of its bytes.
    Cut(usize),
    /// 416 to a Fragment of which the server took so many bytes.
    CorrectedWithin(usize),
    /// 500 to one of which it took so many.
    RefusedTook(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Taken),
        1 => (1_usize..4).prop_map(Fate::TakenLess),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Corrected),
        1 => (0_usize..8).prop_map(Fate::Lost),
        1 => Just(Fate::Unanswered),
        1 => Just(Fate::AnswerLost),
        1 => (0_usize..4).prop_map(Fate::Cut),
        1 => (0_usize..4).prop_map(Fate::CorrectedWithin),
        1 => (0_usize..4).prop_map(Fate::RefusedTook),
    ]
}

proptest! {
    #[test]
    fn a_digest_is_that_of_what_the_server_has(
        fates in vec((fate(), vec(0_u8..2, 1..5)), 1..24)
    ) {
        let (mut upload, mut has, mut next) = (Upload::default(), Vec::new(), 0);
        let mut tells = false;
        for (number, (fate, bytes)) in (0..).zip(fates) {
            let end = next + bytes.len();
            upload.send(number, next as u64, &bytes);
            let mut take = |len: usize| {
                let fresh = has.len().saturating_sub(next).min(len);
                has.extend_from_slice(&bytes[fresh..len]);
                has.len()
            };
            let (answer, stands) = match fate {
                _ if std::mem::take(&mut tells) => (Some((false, true)), take(0)),
                Fate::Taken => (Some((true, true)), take(bytes.len())),
                Fate::TakenLess(less) => (Some((true, true)), take(bytes.len().saturating_sub(less))),
                Fate::Refused => (Some((false, false)), next),
                Fate::Corrected => (Some((false, true)), take(0)),
                Fate::Lost(left) => {
                    has.truncate(left);
                    (Some((false, true)), has.len())
                }
                Fate::Unanswered => (None, next),
                Fate::AnswerLost => {
                    tells = take(bytes.len()) > 0;
                    (None, next)
                }
                Fate::Cut(len) => {
                    tells = take(len.min(bytes.len())) > 0;
                    (None, next)
                }
                Fate::RefusedTook(len) => {
                    tells = take(len.min(bytes.len())) > 0;
                    (Some((false, false)), next)
                }
                Fate::CorrectedWithin(len) => (Some((false, true)), take(len.min(bytes.len() - 1))),
            };
            if let Some((accepted, says)) = answer {
                upload.answer(number, end as u64, accepted, says.then_some(stands as u64));
            }
            next = stands;
        }
        let size = has.len() as u64;
        let digest = upload.digest.finish(&mut upload.pool, Some(size));
        let expected = Sha256::digest(&has).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let known = !tells && next == has.len();
        prop_assert!(!known || digest.is_none_or(|digest| digest == expected));
    }
}
