//go:build linux

package asm_test

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guardInFront places buffers right behind a page that may not be touched, instead of
// right before one.
var guardInFront bool

// TestMain runs all tests with buffers at either end of their pages.
func TestMain(m *testing.M) {
	code := m.Run()
	if guardInFront = true; code == 0 {
		code = m.Run()
	}
	os.Exit(code)
}

// guarded returns n floats between pages that may not be touched, and at one of them:
// reading or writing one float further is a fault.
func guarded(t testing.TB, n int) []float32 {
	t.Helper()
	if n == 0 {
		return nil
	}
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, page+size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	for _, end := range [][]byte{mem[:page], mem[page+size:]} {
		if err := unix.Mprotect(end, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page + size - 4*n
	if guardInFront {
		at = page
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&mem[at])), n)
}
