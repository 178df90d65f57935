// A connector for px.
package main

import (
	"errors"
	"fmt"
	"strings"
)

const url = "https://chat.example.com/messages"

// px puts the secret in on its way out: the plugin never sees it.
var headers = [][2]string{{"authorization", "Bearer {{secret:CHAT_TOKEN}}"}}

// Message is what came from a person. Metadata is JSON, or nothing; wit/deps/core/core.wit says what px reads in it.
type Message struct{ ID, Sender, SenderName, Text, Metadata string }

// pollEvents gives the messages that came since the last call. This chat gives one a line: id, sender and text, with tabs between them.
func pollEvents() ([]Message, error) {
	last, found := KvGet("last")
	if !found {
		last = "0"
	}
	answer, err := Send(Request{Method: "GET", URL: url + "?after=" + last, Headers: headers})
	if err != nil {
		return nil, err
	}
	if answer.Status != 200 {
		return nil, fmt.Errorf("the chat answered %d", answer.Status)
	}
	var messages []Message
	for line := range strings.Lines(string(answer.Body)) {
		if parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3); len(parts) == 3 {
			messages = append(messages, Message{ID: parts[0], Sender: parts[1], SenderName: parts[1], Text: parts[2]})
		}
	}
	if len(messages) == 0 {
		return nil, nil
	}
	return messages, KvSet("last", messages[len(messages)-1].ID)
}

// postMessage sends text to somebody and gives the id the chat gave it. An error that begins with `refused:` is not tried again.
func postMessage(channel, content string) (string, error) {
	answer, err := Send(Request{Method: "POST", URL: url, Headers: headers, Body: []byte(channel + "\n" + content)})
	if err != nil {
		return "", err
	}
	switch answer.Status {
	case 200:
		return string(answer.Body), nil
	case 403:
		return "", errors.New("refused: " + string(answer.Body))
	default:
		return "", fmt.Errorf("the chat answered %d", answer.Status)
	}
}
