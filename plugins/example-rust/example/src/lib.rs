//! The world of plugins/example.wit in Rust; wit-bindgen makes the bindings.

wit_bindgen::generate!({ path: ["../../../wit", "../../example.wit"], world: "px:example/example", generate_all });

use project_x::core::host_api::{self, LogLevel, Request};

struct Plugin;

impl Guest for Plugin {
    fn greet(name: String) -> String {
        let name = if name.is_empty() { "whoever you are" } else { &name };
        let greeting = format!("Hello, {name}!");
        host_api::log(LogLevel::Info, &greeting);
        greeting
    }

    fn add(a: i32, b: i32) -> Result<i32, String> {
        a.checked_add(b).ok_or_else(|| "the sum does not fit in 32 bits".into())
    }

    fn total(lines: Vec<OrderLine>) -> Receipt {
        Receipt {
            amount: lines.iter().map(|line| line.amount).sum(),
            price: lines.iter().map(|line| line.price * f64::from(line.amount)).sum(),
            items: lines.into_iter().map(|line| line.item).collect(),
        }
    }

    fn remember(key: String, text: String) -> Result<Option<String>, String> {
        let before = host_api::kv_get(&key).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        host_api::kv_set(&key, text.as_bytes())?;
        Ok(before)
    }

    fn fetch(url: String) -> Result<Page, HttpError> {
        let request = Request { method: "GET".into(), url, headers: vec![], body: None, timeout_ms: None };
        let answer = host_api::http_request(&request)?;
        Ok(Page { status: answer.status, body: String::from_utf8_lossy(&answer.body).into_owned() })
    }

    fn look_around() -> Surroundings {
        around::look()
    }

    fn spin() {
        loop {
            std::hint::spin_loop();
        }
    }

    fn crash() {
        panic!("crash");
    }
}

/// With WASI (target wasm32-wasip2) the standard library has something to look with.
#[cfg(target_os = "wasi")]
mod around {
    use super::Surroundings;
    use std::hash::{BuildHasher, RandomState};
    use std::time::{SystemTime, UNIX_EPOCH};
    use std::{env, fs, net::TcpStream};

    pub fn look() -> Surroundings {
        println!("looking around");
        let files = fs::read_dir("/").into_iter().flatten().flatten();
        Surroundings {
            variables: env::vars().map(|(name, _)| name).collect(),
            files: files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
            connected: TcpStream::connect("127.0.0.1:80").is_ok(),
            clock: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
            random: RandomState::new().hash_one(0),
        }
    }
}

/// Without WASI there is only what px gives.
#[cfg(not(target_os = "wasi"))]
mod around {
    use super::{Surroundings, host_api};

    pub fn look() -> Surroundings {
        let random = host_api::random_bytes(8).iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Surroundings { variables: vec![], files: vec![], connected: false, clock: host_api::now(), random }
    }
}

export!(Plugin);
