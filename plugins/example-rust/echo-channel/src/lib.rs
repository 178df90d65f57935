//! A messaging connector in Rust, world `messaging-plugin`: it answers from its own small store, so it needs no platform and no grant.
//! What is posted to it comes back at the next poll, as a message from `echo`.

wit_bindgen::generate!({ path: "../../../wit", world: "messaging-plugin" });

include!("connector.rs");
