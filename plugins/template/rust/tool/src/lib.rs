//! Exports what wit/world.wit says.

wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });

use project_x::core::host_api::{self, HttpError, LogLevel, Request};

struct Plugin;

impl Guest for Plugin {
    fn greet(name: String) -> String {
        // The plugin's own store: encrypted on disk, read by nobody else.
        let key = format!("count:{name}");
        let before = host_api::kv_get(&key).ok().and_then(|value| String::from_utf8(value).ok()?.parse::<u32>().ok());
        let count = before.unwrap_or(0) + 1;
        if let Err(why) = host_api::kv_set(&key, count.to_string().as_bytes()) {
            host_api::log(LogLevel::Error, &why);
        }
        host_api::log(LogLevel::Info, &format!("greeted {name}"));
        format!("Hello, {name}! Greeting number {count}.")
    }

    fn zen() -> Result<String, String> {
        let url = "https://api.github.com/zen".into();
        let request = Request { method: "GET".into(), url, headers: vec![], body: None, timeout_ms: None };
        let answer = host_api::http_request(&request).map_err(|why| match why {
            HttpError::Denied(why) | HttpError::Network(why) => why,
            HttpError::Timeout => "GitHub takes too long".into(),
            HttpError::TooLarge(most) => format!("more than {most} bytes came"),
        })?;
        match answer.status {
            200 => String::from_utf8(answer.body).map_err(|_| "GitHub's answer is no text".into()),
            status => Err(format!("GitHub answered {status}")),
        }
    }
}

export!(Plugin);
