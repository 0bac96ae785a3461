//! The storm: load on one side, faults on the other, and somebody who watches the leases.

pub(crate) mod faults;
pub(crate) mod inject;
pub(crate) mod load;
pub(crate) mod takeover;
pub(crate) mod watch;
