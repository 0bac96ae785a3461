//! Parcel numbers as the post writes them (standard S10 of the Universal Postal Union): `RA123456785DE`.

/// Returns the parcel number for a key: always the same for the same key.
pub(crate) fn number(key: &str) -> String {
    let serial = format!("{:08}", fnv1a(key.as_bytes()) % 100_000_000);
    format!("RA{serial}{}DE", check_digit(&serial))
}

/// Returns the digit that guards the eight of a serial number against slips.
fn check_digit(serial: &str) -> u32 {
    const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];
    let digits = serial.bytes().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

/// The FNV-1a hash: short, and the same in every version of every compiler (the standard library's hasher need not be).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[path = "parcel_test.rs"]
mod test;
