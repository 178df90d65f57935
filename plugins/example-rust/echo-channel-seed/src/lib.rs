//! The same connector against the first contract px was asked for (no package version, three host functions): wit/core.wit here.
//! it answers from its own small store, so it needs no platform and no grant.
//! What is posted to it comes back at the next poll, as a message from `echo`.

wit_bindgen::generate!({ path: "wit", world: "messaging-plugin" });

include!("../../echo-channel/src/connector.rs");
