//! Control packets under the same master key (RFC 3711 section 3.4, RFC 7714 section 9).

use super::{Profile, Session};

/// Bytes of the header that is always readable: the first report's, up to its source.
const HEAD: usize = 8;
/// The tag of AES_CM suites, whatever that of their media is (RFC 4568 section 6.2, RFC 5764 section 4.1.2).
const TAG: usize = 10;
/// Says that the rest is encrypted.
const ENCRYPTED: u32 = 1 << 31;

impl Session {
    /// The compound packet in clear, if the tag is right.
    pub fn open_control(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.identifiers().iter().find_map(|id| match self.profile {
            Profile::Counter(..) => self.open_counter(bytes, *id),
            Profile::Gcm(_) => self.open_gcm(bytes, *id),
        })
    }

    fn open_counter(&self, bytes: &[u8], identifier: usize) -> Option<Vec<u8>> {
        let end = bytes.len().checked_sub(TAG + identifier)?;
        let signed = bytes.get(..end)?;
        self.control.authentic(&[signed], bytes, TAG)?;
        let (packet, word) = signed.split_last_chunk::<4>()?;
        let (head, sealed) = packet.split_at_checked(HEAD)?;
        let word = u32::from_be_bytes(*word);
        if word & ENCRYPTED == 0 {
            return Some(packet.to_vec());
        }
        let [i0, i1, i2, i3] = (word & !ENCRYPTED).to_be_bytes();
        let [s0, s1, s2, s3] = *head.last_chunk()?;
        let counter = [0, 0, 0, 0, s0, s1, s2, s3, 0, 0, i0, i1, i2, i3];
        Some([head, &self.control.decrypt(counter, sealed)?].concat())
    }

    fn open_gcm(&self, bytes: &[u8], identifier: usize) -> Option<Vec<u8>> {
        let (packet, last) = bytes.get(..bytes.len().checked_sub(identifier)?)?.split_last_chunk::<4>()?;
        let word = u32::from_be_bytes(*last);
        // In clear all but the tag is authenticated beside the text, which is empty.
        let clear = if word & ENCRYPTED == 0 { packet.len().checked_sub(16)? } else { HEAD };
        let (head, sealed) = packet.split_at_checked(clear)?;
        let [i0, i1, i2, i3] = (word & !ENCRYPTED).to_be_bytes();
        let [s0, s1, s2, s3] = *head.get(4..HEAD)?.first_chunk()?;
        let counter = [0, 0, s0, s1, s2, s3, 0, 0, i0, i1, i2, i3];
        let text = self.control.decrypt_authentic(counter, &[head, last].concat(), sealed)?;
        Some([head, &text].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::tests::{session_of, unhex};
    use super::*;

    /// RFC 7714 section 17.1.
    #[test]
    fn a_control_packet_of_rfc_7714_opens() {
        let session = session_of("000102030405060708090a0b0c0d0e0f", "517569642070726f2071756f");
        let sealed = "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4";
        let plain = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
        assert_eq!(session.open_control(&unhex(sealed)), Some(unhex(plain)));
        let mut damaged = unhex(sealed);
        damaged[3] ^= 1;
        assert_eq!(session.open_control(&damaged), None);
    }

    #[test]
    fn a_control_packet_in_counter_mode_opens_with_the_long_tag_of_either_suite() {
        let (key, salt) = (unhex("e1f97a0d3e018be0d64fa32c06de4139"), unhex("0ec675ad498afeebb6960b3aabe6"));
        let sealed = unhex("81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798");
        for tag in [10, 4] {
            let session = Session::new(Profile::Counter(16, tag), &key, &salt).unwrap();
            let plain = [&sealed[..8], &[0xab; 16]].concat();
            assert_eq!(session.open_control(&sealed), Some(plain));
        }
    }
}
