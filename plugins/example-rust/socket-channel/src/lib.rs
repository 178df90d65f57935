//! A messaging connector whose platform speaks over a WebSocket, world `socket-messaging-plugin`. px holds the WebSocket and wakes this component
//! with what it asked for: nothing of it runs while nobody says anything.
//!
//! The platform is a small one: it says `{"type":"hello","every":MS}` first, then `{"type":"said","s":N,"id":…,"room":…,"by":…,"text":…}`, and tells again
//! what came after the `s` it is asked to go on from. What is posted to `settings.url` over HTTP is shown in its room.

use std::collections::HashMap;

wit_bindgen::generate!({ path: "../../../wit", world: "socket-messaging-plugin" });

use project_x::core::host_api::{HttpError, Request, config_get, http_request};
use project_x::core::messaging_types::{Heartbeat, User};
use tinyjson::JsonValue;

struct Plugin;

type Fields = HashMap<String, JsonValue>;

fn setting(key: &str) -> Option<String> {
    config_get(key)?.parse::<JsonValue>().ok()?.try_into().ok()
}

fn text(fields: &Fields, key: &str) -> String {
    fields.get(key).and_then(|value| value.get::<String>()).cloned().unwrap_or_default()
}

fn object<const N: usize>(fields: [(&str, &str); N]) -> String {
    let fields: Fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned().into())).into();
    JsonValue::from(fields).stringify().unwrap_or_default()
}

fn message(said: &Fields) -> Message {
    Message {
        id: text(said, "id"),
        sender: User { id: text(said, "by"), display_name: text(said, "by") },
        text: text(said, "text"),
        metadata: Some(object([("channel", &text(said, "room"))])),
    }
}

impl Guest for Plugin {
    fn next_socket() -> Result<Option<Socket>, String> {
        let Some(url) = setting("socket") else { return Ok(None) };
        Ok(Some(Socket {
            url,
            headers: vec![("authorization".into(), "Bearer {{secret:ROOMS_TOKEN}}".into())],
            protocols: Vec::new(),
            wake: vec![r#"{"type":"hello"}"#.into(), r#"{"type":"said"}"#.into()],
            cursor: Some("/s".into()),
            send: Vec::new(),
        }))
    }

    fn on_socket(event: SocketEvent) -> Result<SocketAnswer, String> {
        let mut answer = SocketAnswer {
            messages: Vec::new(),
            keep: Vec::new(),
            cursor: None,
            wake: None,
            send: Vec::new(),
            heartbeat: None,
            ready: false,
            reconnect: false,
        };
        let SocketEvent::Messages(all) = event else { return Ok(answer) };
        for raw in all {
            let parsed: JsonValue = raw.parse().map_err(|_| "the platform says what is no JSON".to_owned())?;
            let Some(said) = parsed.get::<Fields>() else { continue };
            if text(said, "type") == "said" {
                answer.messages.push(message(said));
                continue;
            }
            answer.ready = true;
            answer.send.push(r#"{"type":"from","s":"{{cursor}}"}"#.into());
            if let Some(every) = said.get("every").and_then(|value| value.get::<f64>()) {
                answer.heartbeat = Some(Heartbeat {
                    every_ms: *every as u32,
                    message: r#"{"type":"alive"}"#.into(),
                    answer: Some(r#"{"type":"alive"}"#.into()),
                });
            }
        }
        Ok(answer)
    }

    fn post_message(channel_id: String, content: String) -> Result<String, String> {
        let url = setting("url").ok_or("settings.url is not set")?;
        let request = Request {
            method: "POST".into(),
            url,
            headers: vec![("authorization".into(), "Bearer {{secret:ROOMS_TOKEN}}".into())],
            body: Some(object([("room", &channel_id), ("text", &content)]).into_bytes()),
            timeout_ms: None,
        };
        match http_request(&request) {
            Ok(response) if response.status == 200 => Ok(String::from_utf8_lossy(&response.body).into_owned()),
            Ok(response) if response.status == 401 => Err("unauthorized: the platform does not know this token".into()),
            Ok(response) => Err(format!("the platform answered {}", response.status)),
            // Whether it arrived nobody knows.
            Err(HttpError::Timeout) => Err("unknown: the platform did not answer in time".into()),
            Err(HttpError::Denied(why)) => Err(format!("denied: {why}")),
            Err(error) => Err(format!("network: {error:?}")),
        }
    }

    fn poll_events() -> Vec<Message> {
        Vec::new()
    }
}

export!(Plugin);
