package main

// The exports of the world `messaging-plugin`. Nothing here needs a change, either.

//go:wasmexport post-message
func postMessageExport(channel pointer, channelLength uint32, content pointer, length uint32) pointer {
	to, text := textAt(channel, channelLength), textAt(content, length)
	begin()
	return putResult(postMessage(to, text))
}

//go:wasmexport poll-events
func pollEventsExport() pointer {
	begin()
	messages, err := pollEvents()
	if err != nil {
		Log(err.Error())
	}
	var words []uint32
	for _, message := range messages {
		for _, text := range []string{message.ID, message.Sender, message.SenderName, message.Text} {
			at, length := kept(text)
			words = append(words, at, length)
		}
		at, length := kept(message.Metadata)
		words = append(words, min(length, 1), at, length)
	}
	return putWords(words, len(messages))
}
