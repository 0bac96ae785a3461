//! How a sender shows who it is.

use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use ring::hmac::{HMAC_SHA256, Key, sign, verify};
use warren_bindings::{Error, Maker};
use warren_service::settings::HttpBindingSettings;

/// Where Stripe puts its signatures: `t=SECONDS,v1=SIGNATURE,v1=…`.
const STRIPE: HeaderName = HeaderName::from_static("stripe-signature");
/// How old a signature of Stripe's may be, in seconds: as its own libraries have it.
const TOLERANCE_SECONDS: u64 = 300;

/// Knows senders. `Debug` of a key shows nothing of it.
#[derive(Debug)]
pub(super) enum Gatekeeper {
    /// Lets everybody in.
    Open,
    /// `authorization: Bearer TOKEN`.
    Bearer { token: Key, expected: ring::hmac::Tag },
    /// A signature of the body in a header.
    Hmac { key: Key, header: HeaderName },
    /// A signature of a time and the body.
    Stripe { key: Key },
}

impl Gatekeeper {
    pub(super) fn new(maker: Maker<'_>, settings: &HttpBindingSettings) -> Result<Self, Error> {
        let secret = || {
            let secret = maker.secret("secret", &settings.secret)?;
            if secret.is_empty() { Err(maker.wrong("secret", "is empty in the environment")) } else { Ok(secret) }
        };
        let key = || Ok(Key::new(HMAC_SHA256, secret()?.as_bytes()));
        Ok(match settings.authentication.as_str() {
            "none" => Self::Open,
            "bearer" => {
                // Compared as signatures by one key: that takes as long whatever the token is.
                let token = Key::new(HMAC_SHA256, b"bearer");
                let expected = sign(&token, secret()?.as_bytes());
                Self::Bearer { token, expected }
            }
            "hmac" => Self::Hmac {
                key: key()?,
                header: settings
                    .signature_header
                    .parse()
                    .map_err(|_| maker.wrong("signature_header", "is no header"))?,
            },
            "stripe" => Self::Stripe { key: key()? },
            _ => return Err(maker.wrong("authentication", "must be one of: bearer, hmac, none, stripe")),
        })
    }

    /// Returns whether the sender may come in; `now` is in seconds since 1970.
    pub(super) fn knows(&self, headers: &HeaderMap, body: &[u8], now: u64) -> bool {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        match self {
            Self::Open => true,
            Self::Bearer { token, expected } => {
                let given = text(&AUTHORIZATION).and_then(|value| value.split_once(' '));
                given.is_some_and(|(scheme, given)| {
                    scheme.eq_ignore_ascii_case("bearer")
                        && verify(token, given.trim().as_bytes(), expected.as_ref()).is_ok()
                })
            }
            Self::Hmac { key, header } => {
                let given = text(header).map(|value| value.strip_prefix("sha256=").unwrap_or(value));
                given.and_then(bytes).is_some_and(|signature| verify(key, body, &signature).is_ok())
            }
            Self::Stripe { key } => text(&STRIPE).is_some_and(|value| is_signed_by_stripe(key, value, body, now)),
        }
    }
}

fn is_signed_by_stripe(key: &Key, value: &str, body: &[u8], now: u64) -> bool {
    let parts = || value.split(',').filter_map(|part| part.trim().split_once('='));
    let Some((_, time)) = parts().find(|(name, _)| *name == "t") else { return false };
    let is_fresh = time.parse::<u64>().is_ok_and(|time| time.abs_diff(now) <= TOLERANCE_SECONDS);
    let signed = [time.as_bytes(), b".", body].concat();
    let mut signatures = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, digits)| bytes(digits));
    is_fresh && signatures.any(|signature| verify(key, &signed, &signature).is_ok())
}

/// Reads hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pairs = (0..digits.len()).step_by(2);
    is_hex.then(|| pairs.filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect())
}

#[cfg(test)]
#[path = "authentication_test.rs"]
mod test;
