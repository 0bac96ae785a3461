//! The member states of the European Union.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A member state of the European Union, by its ISO 3166 code (so Greece is `GR`, not VAT's `EL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Country {
    /// Austria.
    AT,
    /// Belgium.
    BE,
    /// Bulgaria.
    BG,
    /// Cyprus.
    CY,
    /// Czechia.
    CZ,
    /// Germany.
    DE,
    /// Denmark.
    DK,
    /// Estonia.
    EE,
    /// Spain.
    ES,
    /// Finland.
    FI,
    /// France.
    FR,
    /// Greece.
    GR,
    /// Croatia.
    HR,
    /// Hungary.
    HU,
    /// Ireland.
    IE,
    /// Italy.
    IT,
    /// Lithuania.
    LT,
    /// Luxembourg.
    LU,
    /// Latvia.
    LV,
    /// Malta.
    MT,
    /// Netherlands.
    NL,
    /// Poland.
    PL,
    /// Portugal.
    PT,
    /// Romania.
    RO,
    /// Sweden.
    SE,
    /// Slovenia.
    SI,
    /// Slovakia.
    SK,
}

impl Country {
    /// All 27 of them.
    #[rustfmt::skip] // a table
    pub const ALL: [Self; 27] = [
        Self::AT, Self::BE, Self::BG, Self::CY, Self::CZ, Self::DE, Self::DK, Self::EE, Self::ES,
        Self::FI, Self::FR, Self::GR, Self::HR, Self::HU, Self::IE, Self::IT, Self::LT, Self::LU,
        Self::LV, Self::MT, Self::NL, Self::PL, Self::PT, Self::RO, Self::SE, Self::SI, Self::SK,
    ];
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}
