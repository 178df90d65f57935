package main

// px's host-api in Go, against the canonical ABI: strings and lists are an address and a length, results and options start with a tag
// byte, and what is larger than one value is returned by its address. Addresses are 32 bits wide in the component and 64 in Go's
// compiler, so that structures are spelt in words. Nothing here needs a change to write a plugin.

import (
	"errors"
	"fmt"
	"unsafe"
)

// Log writes one line into px's log. What is printed goes there, too.
func Log(message string) {
	start, length := spread(message)
	rawLog(0, start, length)
}

// KvGet reads a value of the plugin's own store; false when the key has none.
func KvGet(key string) (string, bool) {
	start, length := spread(key)
	rawKvGet(start, length, pointer(&answer))
	text := string(bytesAt(load32(4), load32(8)))
	return text, load8(0) == 0
}

// KvSet stores a value, encrypted on disk.
func KvSet(key, value string) error {
	keyAt, keyLength := spread(key)
	start, length := spread(value)
	rawKvSet(keyAt, keyLength, start, length, pointer(&answer))
	return failure()
}

// KvDelete removes a value; removing what is not there is fine.
func KvDelete(key string) error {
	start, length := spread(key)
	rawKvDelete(start, length, pointer(&answer))
	return failure()
}

// KvList gives the keys that begin with a prefix, sorted.
func KvList(prefix string) ([]string, error) {
	start, length := spread(prefix)
	rawKvList(start, length, pointer(&answer))
	if err := failure(); err != nil {
		return nil, err
	}
	words := wordsAt(load32(4), 2*load32(8))
	keys := make([]string, 0, len(words)/2)
	for i := 0; i < len(words); i += 2 {
		keys = append(keys, string(bytesAt(words[i], words[i+1])))
	}
	return keys, nil
}

// ConfigGet gives one of the plugin's settings from px.yaml, as JSON text; false when there is none.
func ConfigGet(key string) (string, bool) {
	start, length := spread(key)
	rawConfigGet(start, length, pointer(&answer))
	if load8(0) == 0 {
		return "", false
	}
	return string(bytesAt(load32(4), load32(8))), true
}

// SecretExists says whether a secret is set and granted. Use it as {{secret:NAME}} in a request: px fills it in.
func SecretExists(name string) bool {
	start, length := spread(name)
	return rawSecretExists(start, length) != 0
}

// Request is one request under the plugin's grants.
type Request struct {
	Method, URL string
	Headers     [][2]string
	Body        []byte
}

// Response is an answer, of any status.
type Response struct {
	Status  int
	Headers [][2]string
	Body    []byte
}

// Send sends a request and waits for the answer.
func Send(request Request) (Response, error) {
	method, methodLength := spread(request.Method)
	url, urlLength := spread(request.URL)
	words := make([]uint32, 0, 4*len(request.Headers)+1)
	for _, header := range request.Headers {
		for _, text := range header {
			at, length := kept(text)
			words = append(words, at, length)
		}
	}
	hasBody := uint32(0)
	if request.Body != nil {
		hasBody = 1
	}
	rawHTTP(method, methodLength, url, urlLength, pointer(unsafe.SliceData(words)), uint32(len(request.Headers)),
		hasBody, pointer(unsafe.SliceData(request.Body)), uint32(len(request.Body)), 0, 0, pointer(&answer))
	if load8(0) != 0 {
		switch load8(8) {
		case 1:
			return Response{}, errors.New("no answer in time")
		case 2:
			return Response{}, fmt.Errorf("the answer is larger than %d bytes", answer[2])
		default:
			return Response{}, errors.New(string(bytesAt(load32(16), load32(20))))
		}
	}
	response := Response{Status: int(load32(8) & 0xffff), Body: bytesAt(load32(20), load32(24))}
	for list := wordsAt(load32(12), 4*load32(16)); len(list) > 0; list = list[4:] {
		name, value := string(bytesAt(list[0], list[1])), string(bytesAt(list[2], list[3]))
		response.Headers = append(response.Headers, [2]string{name, value})
	}
	return response, nil
}

type pointer = unsafe.Pointer

//go:wasmimport project-x:core/host-api@0.1.0 log
func rawLog(level uint32, message pointer, length uint32)

//go:wasmimport project-x:core/host-api@0.1.0 kv-set
func rawKvSet(key pointer, keyLength uint32, value pointer, length uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 kv-get
func rawKvGet(key pointer, keyLength uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 kv-delete
func rawKvDelete(key pointer, keyLength uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 kv-list
func rawKvList(prefix pointer, length uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 config-get
func rawConfigGet(key pointer, length uint32, into pointer)

//go:wasmimport project-x:core/host-api@0.1.0 secret-exists
func rawSecretExists(name pointer, length uint32) uint32

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

// begin forgets the memory of the last call; the arguments of this one have been copied before.
func begin() {
	clear(keep)
	area = [5]uint64{}
}

func word(at pointer) uint32 { return uint32(uintptr(at)) }

// An address the host handed over.
func hosted(address uint32) pointer { return pointer(uintptr(address)) }

func load8(offset uintptr) uint8   { return *(*uint8)(unsafe.Add(pointer(&answer), offset)) }
func load32(offset uintptr) uint32 { return *(*uint32)(unsafe.Add(pointer(&answer), offset)) }

func store32(offset uintptr, value uint32) { *(*uint32)(unsafe.Add(pointer(&area), offset)) = value }

// failure is the error of a result in answer.
func failure() error {
	if load8(0) == 0 {
		return nil
	}
	return errors.New(string(bytesAt(load32(4), load32(8))))
}

// bytesAt copies what the host handed over.
func bytesAt(address, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(hosted(address)), length)...)
}

func wordsAt(address, count uint32) []uint32 {
	if count == 0 {
		return nil
	}
	return unsafe.Slice((*uint32)(hosted(address)), count)
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
	store32(offset, start)
	store32(offset+4, length)
}

// putResult writes a `result<string, string>`.
func putResult(text string, err error) pointer {
	if err != nil {
		area[0], text = 1, err.Error()
	}
	putText(4, text)
	return pointer(&area)
}

// putWords writes a list whose elements are made of words.
func putWords(words []uint32, count int) pointer {
	list := pointer(unsafe.SliceData(append(words, 0)))
	keep[word(list)] = unsafe.Slice((*byte)(list), 4*len(words))
	store32(0, word(list))
	store32(4, uint32(count))
	return pointer(&area)
}

func main() {}
