//! orchestrator-svc

pub mod owner;
