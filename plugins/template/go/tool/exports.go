package main

// The exports of the world `tool-plugin`: px asks for the list of tools and calls them by name. Nothing here needs a change, either.

//go:wasmexport list-tools
func listTools() pointer {
	begin()
	var words []uint32
	for _, tool := range tools {
		for _, text := range []string{tool.Name, tool.Description, tool.Parameters} {
			at, length := kept(text)
			words = append(words, at, length)
		}
	}
	return putWords(words, len(tools))
}

//go:wasmexport call-tool
func callTool(name pointer, nameLength uint32, args pointer, argsLength uint32) pointer {
	wanted, given := textAt(name, nameLength), textAt(args, argsLength)
	begin()
	for _, tool := range tools {
		if tool.Name == wanted {
			return putResult(tool.Run([]byte(given)))
		}
	}
	return putResult("", unknown(wanted))
}

type unknown string

func (name unknown) Error() string { return "there is no tool " + string(name) }
