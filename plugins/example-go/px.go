// Bindings for ../example.wit against the canonical ABI, by hand: strings and lists are an address and a length, results and options start
// with a tag byte, and what is larger than one value is returned by its address. Addresses are 32 bits wide in the component and 64 in
// Go's compiler, so that structures are spelt in words.
package main

import "unsafe"

type pointer = unsafe.Pointer

//go:wasmimport project-x:core/host-api@0.1.0 log
func rawLog(level uint32, message pointer, length uint32)

//go:wasmimport project-x:core/host-api@0.1.0 kv-set
func rawKvSet(key pointer, keyLength uint32, value pointer, length uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 kv-get
func rawKvGet(key pointer, keyLength uint32, into pointer)

// The record `request`, flat: method, url, headers, body, timeout-ms.
//
//go:wasmimport project-x:core/host-api@0.1.0 http-request
func rawHTTP(method pointer, methodLength uint32, url pointer, urlLength uint32, headers pointer, headerCount uint32,
	hasBody uint32, body pointer, bodyLength uint32, hasTimeout uint32, timeout uint32, into pointer)

// Memory that the host knows stays reachable here until the next call of an exported function.
var keep = map[uint32][]byte{}

// Where results are written, and where the host answers; uint64 aligns both to 8.
var area, answer [5]uint64

//go:wasmexport cabi_realloc
func cabiRealloc(old pointer, oldSize, align, size uint32) pointer {
	block := make([]byte, size+8) // Go aligns what is 8 bytes or more to 8.
	if oldSize > 0 {
		copy(block, unsafe.Slice((*byte)(old), oldSize))
	}
	at := pointer(unsafe.SliceData(block))
	keep[word(at)] = block
	return at
}

func word(at pointer) uint32 { return uint32(uintptr(at)) }

func at(base *[5]uint64, offset uintptr) pointer { return unsafe.Add(pointer(base), offset) }

func load32(base *[5]uint64, offset uintptr) uint32 { return *(*uint32)(at(base, offset)) }

func store32(base *[5]uint64, offset uintptr, value uint32) { *(*uint32)(at(base, offset)) = value }

// An address the host handed over.
func hosted(address uint32) pointer { return pointer(uintptr(address)) }

// bytesAt copies what the host handed over.
func bytesAt(address, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(hosted(address)), length)...)
}

func textAt(address pointer, length uint32) string { return string(bytesAt(word(address), length)) }

// spread gives a string's address and length.
func spread(text string) (pointer, uint32) {
	return pointer(unsafe.StringData(text)), uint32(len(text))
}

// kept keeps a string until the host has read it.
func kept(text string) (at, length uint32) {
	start, length := spread(text)
	if length > 0 {
		keep[word(start)] = unsafe.Slice((*byte)(start), length)
	}
	return word(start), length
}

// putText writes a string into the result.
func putText(offset uintptr, text string) {
	start, length := kept(text)
	store32(&area, offset, start)
	store32(&area, offset+4, length)
}

// putList writes a list of strings into the result.
func putList(offset uintptr, texts []string) {
	words := make([]uint32, 1, 2*len(texts)+1)
	for _, text := range texts {
		start, length := kept(text)
		words = append(words, start, length)
	}
	list := unsafe.Add(pointer(unsafe.SliceData(words)), 4)
	keep[word(list)] = unsafe.Slice((*byte)(list), 8*len(texts))
	store32(&area, offset, word(list))
	store32(&area, offset+4, uint32(len(texts)))
}

// begin forgets the memory of the last call, but not the arguments of this one, which the caller has copied.
func begin() {
	clear(keep)
	area = [5]uint64{}
}

// Log writes one line into px's log.
func Log(message string) {
	start, length := spread(message)
	rawLog(0, start, length)
}

// KvGet reads a value; false when the key has none.
func KvGet(key string) (string, bool) {
	start, length := spread(key)
	rawKvGet(start, length, pointer(&answer))
	if *(*uint8)(pointer(&answer)) != 0 {
		return "", false
	}
	return string(bytesAt(load32(&answer, 4), load32(&answer, 8))), true
}

// KvSet stores a value; the text is the error, empty when there is none.
func KvSet(key, value string) string {
	keyAt, keyLength := spread(key)
	start, length := spread(value)
	rawKvSet(keyAt, keyLength, start, length, pointer(&answer))
	if *(*uint8)(pointer(&answer)) == 0 {
		return ""
	}
	return string(bytesAt(load32(&answer, 4), load32(&answer, 8)))
}

// get sends a request; `result<response, http-error>` is in answer then.
func get(url string) {
	method, methodLength := spread("GET")
	start, length := spread(url)
	rawHTTP(method, methodLength, start, length, nil, 0, 0, nil, 0, 0, 0, pointer(&answer))
}

func main() {}
