//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// batch is one of two networks of one layer with two units, of four samples, in a stream.
func batch() []byte {
	const header = `{"A/x":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]},"B/x":{"dtype":"F32","shape":[4,2],"data_offsets":[32,64]}}`
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	for i := range 16 {
		b = append(b, 0, 0, byte(16*(i*i%7)), 0x40)
	}
	return b
}

// TestPipe reads a named pipe, and lets its writer die: nothing is left.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	pipe, out := filepath.Join(dir, "pipe"), filepath.Join(dir, "x.moments")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err == nil {
			w.Write(b)
			err = w.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	whole := bytes.Repeat(batch(), 3)
	for _, command := range []string{"moments", "compare"} {
		go write(whole[:len(whole)-9])
		if _, stderr, code := run(t, command, pipe, "-o", out); code != 1 || !strings.Contains(stderr, "pipe, batch 2: ") || !strings.Contains(stderr, "the stream ends at byte") {
			t.Errorf("%s: exit code %d: %s", command, code, stderr)
		}
		if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something is left: %v", command, err)
		}
	}
	go write(whole)
	if stdout, stderr, code := run(t, "moments", pipe, "-o", out); code != 0 || stdout != out+"\n" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, stderr, code := run(t, "compare", pipe, out, "-o", filepath.Join(dir, "out")); code != 1 || !strings.Contains(stderr, "pipe") {
		t.Errorf("beside a file: exit code %d: %s", code, stderr)
	}
}

// TestPipeInterrupted within a second of the interrupt, while the writer is silent.
func TestPipeInterrupted(t *testing.T) {
	for _, name := range []string{"moments", "compare"} {
		out, tmp := filepath.Join(t.TempDir(), "out"), t.TempDir()
		c := command(name, "-", "-o", out)
		c.Env = append(c.Env, "TMPDIR="+tmp)
		stdin, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		stdin.Write(bytes.Repeat(batch(), 12000)) // more than a pipe holds: the command is reading
		start := time.Now()
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err = c.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 130 || time.Since(start) > time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		}
		left, err := os.ReadDir(tmp)
		if _, missing := os.Lstat(out); err != nil || len(left) > 0 || !errors.Is(missing, os.ErrNotExist) {
			t.Errorf("%s: %v and %v are left: %v", name, left, missing, err)
		}
	}
}
