#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bitsleuth_fuzz::tls(data));
