//! The memory allocator of Warren's binaries.
//!
//! A batch is thousands of small pieces that are made together and dropped together, often on another thread. With glibc's
//! allocator they take up to a quarter of orchestrator-svc's processor time (docs/performance.md). It is the program that
//! chooses one, not a library of it, so each binary says:
//!
//! ```
//! use warren_service::allocator::Allocator;
//!
//! #[global_allocator]
//! static MEMORY: Allocator = Allocator;
//! # fn main() {}
//! ```

pub use tikv_jemallocator::Jemalloc as Allocator;
