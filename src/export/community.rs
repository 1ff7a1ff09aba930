//! Community ID v1, the join key of Zeek, Suricata and Arkime (github.com/corelight/community-id-spec).

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

const TCP: u8 = 6;

/// The id of a TCP connection with seed 0, the same for both directions.
pub fn id(one: SocketAddr, other: SocketAddr) -> String {
    let key = |at: SocketAddr| (octets(at.ip()), at.port());
    let (mut first, mut second) = (key(one), key(other));
    if second < first {
        (first, second) = (second, first);
    }
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    hash.update(&first.0);
    hash.update(&second.0);
    hash.update([TCP, 0]);
    hash.update(first.1.to_be_bytes());
    hash.update(second.1.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the baseline of the specification's own test captures.
    #[test]
    fn both_directions_have_the_id_of_the_specification() {
        let (client, server) =
            ("128.232.110.120:34855".parse().unwrap(), "66.35.250.204:80".parse().unwrap());
        assert_eq!(id(client, server), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(id(server, client), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    }
}
