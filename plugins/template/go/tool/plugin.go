// A plugin for px with two tools.
package main

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Tool is what the model may call. It reads Description and Parameters (JSON Schema); an error it is told as well.
type Tool struct {
	Name, Description, Parameters string
	Run                           func(args []byte) (string, error)
}

var tools = []Tool{
	{
		Name:        "greet",
		Description: "Greets somebody by name, and counts how often.",
		Parameters:  `{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}`,
		Run:         greet,
	},
	{
		Name:        "zen",
		Description: "One of GitHub's sentences on design.",
		Parameters:  `{"type": "object", "properties": {}}`,
		Run:         zen,
	},
}

func greet(args []byte) (string, error) {
	var given struct{ Name string }
	if err := json.Unmarshal(args, &given); err != nil {
		return "", err
	}
	// The plugin's own store: encrypted on disk, read by nobody else.
	before, _ := KvGet("count:" + given.Name)
	count, _ := strconv.Atoi(before)
	count++
	if err := KvSet("count:"+given.Name, strconv.Itoa(count)); err != nil {
		return "", err
	}
	Log("greeted " + given.Name)
	return fmt.Sprintf("Hello, %s! Greeting number %d.", given.Name, count), nil
}

func zen([]byte) (string, error) {
	answer, err := Send(Request{Method: "GET", URL: "https://api.github.com/zen"})
	if err != nil {
		return "", err
	}
	if answer.Status != 200 {
		return "", fmt.Errorf("GitHub answered %d", answer.Status)
	}
	return string(answer.Body), nil
}
