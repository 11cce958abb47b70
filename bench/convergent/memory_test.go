//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// npy is a .npy file of a type and a shape.
func npy(t *testing.T, path, dtype string, shape string, data any) {
	t.Helper()
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, shape)
	header += strings.Repeat(" ", 63-(len(header)+10)%64) + "\n"
	b := bytes.NewBufferString("\x93NUMPY\x01\x00")
	binary.Write(b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	binary.Write(b, binary.LittleEndian, data)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// peakMemory is how many bytes of memory a process had at most, as Linux says.
func peakMemory(t *testing.T, status string) int {
	t.Helper()
	text, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+([0-9]+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("%s says nothing about memory", text)
	}
	kilobytes, _ := strconv.Atoi(string(m[1]))
	return kilobytes << 10
}

// TestMaxMem gives each command, and inputs of many shapes, no more memory than it says that it
// takes: it is there, and no more than a tenth beyond is taken. With less it does nothing.
func TestMaxMem(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	pair := func(name string, rows, units int) []string {
		files := []string{in(name + "-a.npy"), in(name + "-b.npy")}
		for i, file := range files {
			if err := arrays.WriteNPY(file, numbers{rows, units, i}); err != nil {
				t.Fatal(err)
			}
		}
		return files
	}
	var layered []string // folders of layers
	for _, net := range []string{"a", "b"} {
		folder := in("layers-" + net)
		layered = append(layered, folder)
		for l := range 8 {
			if err := arrays.WriteNPY(filepath.Join(folder, fmt.Sprintf("layer%d.npy", l)), numbers{300, 24, l}); err != nil {
				t.Fatal(err)
			}
		}
	}
	maps := []string{in("maps-a.npy"), in("maps-b.npy")}
	for i, file := range maps {
		v := make([]float32, 150*24*14*14)
		for k := range v {
			v[k] = float32((k*k + k*i*7) % 1013)
		}
		npy(t, file, "<f4", "150, 24, 14, 14", v)
	}
	const samples, letters = 40_000, 40
	names := make([]uint32, samples*letters)
	for i := range samples {
		for k, r := range fmt.Sprintf("%0*d", letters, i) {
			names[i*letters+k] = uint32(r)
		}
	}
	npy(t, in("ids.npy"), fmt.Sprintf("<U%d", letters), fmt.Sprint(samples, ","), names)
	wide, long := pair("wide", 300, 130), pair("long", samples, 6)
	quick := []string{"-draws", "2", "-shuffles", "2", "-lambdas", "0.25"}
	ids := []string{"-sample-ids", in("ids.npy") + "," + in("ids.npy")}
	shards := make([]string, 4)
	for i := range shards {
		shards[i] = in(fmt.Sprint(i+1, ".moments"))
		if _, stderr, code := run(t, append([]string{"moments", "-shard", fmt.Sprintf("%d/4", i+1), "-o", shards[i]}, wide...)...); code != 0 {
			t.Fatal(stderr)
		}
	}
	of := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	out := in("out")
	for name, args := range map[string][]string{
		"compare wide":                   of([]string{"compare"}, wide, quick),
		"compare wide, no groups":        of([]string{"compare", "-groups", "1", "-gram", "0"}, wide, quick),
		"compare many layers":            of([]string{"compare", "-layer-files"}, layered, quick),
		"compare many samples, labels":   of([]string{"compare", "-gram", "512"}, long, ids, quick),
		"compare maps":                   of([]string{"compare", "-layout", "nchw"}, maps, quick),
		"compare maps, pool":             of([]string{"compare", "-layout", "nchw", "-pool"}, maps, quick),
		"compare images":                 of([]string{"compare", "-layout", "nchw", "-by-order", "-images", "testdata/torch/images.zip", "testdata/torch/plain.npz", "testdata/torch/residual.npz"}, quick),
		"compare before training":        of([]string{"compare", "-layout", "nchw", "-baseline", "testdata/torch/plain-untrained.npz,testdata/torch/plain-untrained.npz", "testdata/torch/plain.npz", "testdata/torch/plain.npz"}, quick),
		"compare all nulls":              {"compare", "-layout", "nchw", maps[0], maps[1], "-lambdas", "0.25", "-shuffles", "19", "-draws", "19"},
		"compare networks":               of([]string{"compare", "testdata/onnx/a.onnx", "testdata/onnx/b.onnx", "-inputs", "testdata/onnx/images.npz"}, quick),
		"compare moments":                of([]string{"compare"}, shards[:1], quick),
		"moments wide":                   of([]string{"moments"}, wide),
		"moments many layers":            of([]string{"moments", "-layer-files"}, layered),
		"moments many samples":           of([]string{"moments"}, long),
		"moments many samples, labels":   of([]string{"moments"}, long, ids),
		"moments maps":                   of([]string{"moments", "-layout", "nchw"}, maps),
		"merge":                          of([]string{"merge"}, shards),
		"reproduce":                      tiny("", "-o", out),
		"reproduce, in one step, widths": tiny("", "-o", out, "-batch", "64", "-width", "0.5", "-widths", "0.2"),
		"reproduce tiny10":               tiny("", "-o", out, "-arch", "tiny10", "-layers", ""),
	} {
		os.RemoveAll(out)
		if args[0] != "reproduce" {
			args = append(args, "-o", out)
		}
		_, stderr, code := run(t, append(args, "-max-mem", "1MB")...)
		m := regexp.MustCompile(`this takes about ([0-9]+) MB`).FindStringSubmatch(stderr)
		if code != 1 || m == nil {
			t.Errorf("%s: exit code %d with 1 MB: %s", name, code, stderr)
			continue
		}
		if _, err := os.Lstat(out); err == nil {
			t.Errorf("%s: with 1 MB something was written", name)
		}
		c := command(append(args, "-max-mem", m[1]+"MB")...)
		c.Env = append(c.Env, statusFile+"="+in("status"))
		if text, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		limit, _ := strconv.Atoi(m[1])
		peak := peakMemory(t, in("status")) >> 20
		t.Logf("%s: %d MB of %d, %v", name, peak, limit, c.ProcessState.UserTime())
		if 10*peak > 11*limit {
			t.Errorf("%s took %d MB, where %d are allowed", name, peak, limit)
		}
	}
}
