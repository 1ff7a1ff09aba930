//! TLS by rustls in front of a plain server: PORT BACKEND CERT KEY SUITE FLAGS
//!
//! SUITE is part of a suite's name in rustls, FLAGS any of `early` (data is accepted) and `keyupdate` (before the first
//! answer).

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, crypto};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, port, backend, cert, key, suite, flags] = args.as_slice() else { panic!("arguments") };
    let mut provider = crypto::ring::default_provider();
    provider.cipher_suites.retain(|known| format!("{:?}", known.suite()).contains(suite));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            CertificateDer::pem_file_iter(cert).unwrap().map(Result::unwrap).collect(),
            PrivateKeyDer::from_pem_file(key).unwrap(),
        )
        .unwrap();
    if flags.contains("early") {
        config.max_early_data_size = 16384;
    }
    let config = Arc::new(config);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    for socket in listener.incoming() {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let plain = TcpStream::connect(format!("127.0.0.1:{backend}")).unwrap();
        relay(tls, socket.unwrap(), plain, flags);
    }
}

fn relay(mut tls: ServerConnection, mut socket: TcpStream, mut plain: TcpStream, flags: &str) {
    socket.set_nonblocking(true).unwrap();
    plain.set_nonblocking(true).unwrap();
    let (mut buffer, mut first) = ([0; 16384], true);
    loop {
        while tls.wants_write() {
            if tls.write_tls(&mut socket).is_err() {
                return;
            }
        }
        match tls.read_tls(&mut socket) {
            Ok(0) => return,
            Ok(_) => {
                if tls.process_new_packets().is_err() {
                    let _ = tls.write_tls(&mut socket);
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        if let Some(mut early) = tls.early_data() {
            while let Ok(len @ 1..) = early.read(&mut buffer) {
                plain.write_all(&buffer[..len]).unwrap();
            }
        }
        match tls.reader().read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => plain.write_all(&buffer[..len]).unwrap(),
            Err(_) => {}
        }
        if !tls.is_handshaking()
            && let Ok(len) = plain.read(&mut buffer)
        {
            if len == 0 {
                tls.send_close_notify();
                let _ = tls.write_tls(&mut socket);
                return;
            }
            if first && flags.contains("keyupdate") {
                tls.refresh_traffic_keys().unwrap();
            }
            first = false;
            tls.writer().write_all(&buffer[..len]).unwrap();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
