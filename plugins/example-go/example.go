// The world of ../example.wit in Go: standard Go for wasip1, no generator.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"time"
	"unsafe"
)

//go:wasmexport greet
func greet(name pointer, length uint32) pointer {
	who := textAt(name, length)
	begin()
	if who == "" {
		who = "whoever you are"
	}
	greeting := "Hello, " + who + "!"
	Log(greeting)
	putText(0, greeting)
	return pointer(&area)
}

// result<s32, string>: a tag byte, then the value at offset 4.
//
//go:wasmexport add
func add(a, b int32) pointer {
	begin()
	sum := int64(a) + int64(b)
	if sum < math.MinInt32 || sum > math.MaxInt32 {
		area[0] = 1
		putText(4, "the sum does not fit in 32 bits")
	} else {
		store32(&area, 4, uint32(int32(sum)))
	}
	return pointer(&area)
}

// An order-line is text (2 words), padding to 8, f64, u32: 24 bytes.
type orderLine struct {
	item   [2]uint32
	price  float64
	amount uint32
}

// A receipt is a list (2 words), u32, f64.
//
//go:wasmexport total
func total(lines pointer, count uint32) pointer {
	var amount uint32
	var price float64
	texts := make([]string, 0, count)
	for _, line := range unsafe.Slice((*orderLine)(lines), count) {
		texts = append(texts, textAt(hosted(line.item[0]), line.item[1]))
		amount += line.amount
		price += line.price * float64(line.amount)
	}
	begin()
	putList(0, texts)
	store32(&area, 8, amount)
	*(*float64)(at(&area, 16)) = price
	return pointer(&area)
}

// result<option<string>, string>
//
//go:wasmexport remember
func remember(key pointer, keyLength uint32, text pointer, length uint32) pointer {
	name, value := textAt(key, keyLength), textAt(text, length)
	begin()
	before, found := KvGet(name)
	if err := KvSet(name, value); err != "" {
		area[0] = 1
		putText(4, err)
	} else if found {
		store32(&area, 4, 1)
		putText(8, before)
	}
	return pointer(&area)
}

// result<page, http-error>, both at offset 8 of the answer and of what is returned: http-error goes on as it came.
//
//go:wasmexport fetch
func fetch(url pointer, length uint32) pointer {
	where := textAt(url, length)
	begin()
	get(where)
	if *(*uint8)(pointer(&answer)) != 0 {
		area = answer
		return pointer(&area)
	}
	store32(&area, 8, load32(&answer, 8)&0xffff)
	putText(12, string(bytesAt(load32(&answer, 20), load32(&answer, 24))))
	return pointer(&area)
}

//go:wasmexport look-around
func lookAround() pointer {
	begin()
	fmt.Println("looking around")
	var random [8]byte
	rand.Read(random[:])
	entries, _ := os.ReadDir("/")
	files := make([]string, 0, len(entries))
	for _, entry := range entries {
		files = append(files, entry.Name())
	}
	putList(0, os.Environ())
	putList(8, files)
	area[3] = uint64(time.Now().UnixMilli())
	area[4] = binary.LittleEndian.Uint64(random[:])
	return pointer(&area)
}

//go:wasmexport spin
func spin() {
	for {
	}
}

//go:wasmexport crash
func crash() {
	panic("crash")
}
