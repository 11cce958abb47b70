package comparison

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// tensor is one of a batch; its elements are given by their numbers among those of all samples.
type tensor struct {
	name, dtype string
	of          []int // a sample's shape
	value       func(at int) float64
}

// blob writes samples [lo, hi) of tensors in the format of safetensors, without a prefix of
// their names.
func blob(prefix string, lo, hi int, tensors ...tensor) []byte {
	var header, data []byte
	for _, x := range tensors {
		begin, size := len(data), 1
		for _, d := range x.of {
			size *= d
		}
		for at := lo * size; at < hi*size; at++ {
			v := x.value(at)
			switch x.dtype {
			case "F64":
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
			case "F32":
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
			case "BF16":
				data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(float32(v))>>16))
			case "I64":
				data = binary.LittleEndian.AppendUint64(data, uint64(v))
			case "BOOL":
				data = append(data, byte(v))
			}
		}
		if len(header) > 0 {
			header = append(header, ',')
		}
		shape := strings.ReplaceAll(fmt.Sprint(append([]int{hi - lo}, x.of...)), " ", ",")
		header = fmt.Appendf(header, `%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, strings.TrimPrefix(x.name, prefix), x.dtype, shape, begin, len(data))
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)+2))
	return slices.Concat(b, []byte{'{'}, header, []byte{'}'}, data)
}

// scattered is a sequence of numbers that looks random.
func scattered(seed int) func(int) float64 {
	return func(at int) float64 { return math.Mod(math.Abs(math.Sin(float64(at*7+seed))*1e4), 1) }
}

// samples are two networks of three layers with tokens, some of which are padding, and maps; each
// two samples are of one image.
func samples() []tensor {
	return []tensor{
		{"A/tokens", "F32", []int{5, 6}, scattered(1)}, {"B/tokens", "BF16", []int{5, 4}, scattered(2)},
		{"mask", "BOOL", []int{5}, func(at int) float64 { return float64(min(1, at%5%4)) }},
		{"A/maps", "F64", []int{3, 1, 5}, scattered(3)}, {"B/maps", "F32", []int{7, 1, 5}, scattered(4)},
		{"image_ids", "I64", nil, func(at int) float64 { return float64(1000 - at/2) }},
		{"A/flat", "BF16", []int{9}, scattered(5)}, {"B/flat", "F64", []int{8}, scattered(6)},
		{"sample_ids", "I64", nil, func(at int) float64 { return float64(at * at) }},
	}
}

// cuts are where batches begin, and the last ends.
var cuts = []int{0, 40, 41, 141, 300}

// stream writes the batches of some tensors.
func stream(tensors []tensor) (b []byte) {
	for i, lo := range cuts[:len(cuts)-1] {
		b = append(b, blob("", lo, cuts[i+1], tensors...)...)
	}
	return b
}

// shards writes each network's tensors, and labels, as a folder of a file for each batch.
func shards(t *testing.T, tensors []tensor) (folders []string) {
	t.Helper()
	dir := t.TempDir()
	for _, network := range []string{"A", "B"} {
		var own []tensor
		for _, x := range tensors {
			if name, _, found := strings.Cut(x.name, "/"); !found || name == network {
				own = append(own, x)
			}
		}
		folder := filepath.Join(dir, network)
		folders = append(folders, folder)
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for i, lo := range cuts[:len(cuts)-1] {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("part-%d.safetensors", i)), blob(network+"/", lo, cuts[i+1], own...), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folders
}

// feed gives standard input something to read.
func feed(t testing.TB, b []byte) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = r
	t.Cleanup(func() {
		os.Stdin = before
		r.Close()
	})
	go func() {
		w.Write(b)
		w.Close()
	}()
}

var layouts = arrays.Layouts{arrays.NTD, arrays.NCHW}

// TestStreamedMoments have the bytes of those of the same batches in files.
func TestStreamedMoments(t *testing.T) {
	all := samples()
	maskless := slices.DeleteFunc(samples(), func(x tensor) bool { return x.name == "mask" })
	for name, c := range map[string]struct {
		tensors []tensor
		change  func(*source.Options)
	}{
		"all":      {all, func(*source.Options) {}},
		"pooled":   {all, func(o *source.Options) { o.Pool = true }},
		"some":     {all, func(o *source.Options) { o.Only = []string{"flat", "maps"} }},
		"paired":   {maskless, func(o *source.Options) { o.Pairings = []string{"A:tokens=B:maps"} }},
		"no masks": {maskless, func(o *source.Options) { o.Run.MaxMemory = 1 << 20 }},
	} {
		t.Run(name, func(t *testing.T) {
			in := source.Options{Networks: shards(t, c.tensors), Names: []string{"A", "B"}, Layouts: layouts}
			c.change(&in)
			out := filepath.Join(t.TempDir(), "files")
			want, err := Accumulate(t.Context(), in, Options{Threads: 1}, out)
			if err != nil {
				t.Fatal(err)
			}
			in.Networks, in.Names = []string{"-"}, nil
			feed(t, stream(c.tensors))
			got, err := Accumulate(t.Context(), in, Options{}, filepath.Join(t.TempDir(), "stream"))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d files, want %d", len(got), len(want))
			}
			for i := range want {
				a, b := anonymous(t, want[i]), anonymous(t, got[i])
				if filepath.Base(want[i]) != filepath.Base(got[i]) && len(want) > 1 || !bytes.Equal(a, b) {
					t.Errorf("%s differs from %s", got[i], want[i])
				}
			}
		})
	}
}

// anonymous returns the bytes of moments without what files alone tell of their origin.
func anonymous(t *testing.T, path string) []byte {
	t.Helper()
	m := loadMoments(t, path)
	m.Manifest = ""
	m.RecordSamples(nil)
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStreamedComparison has the figures of the same batches in files. Run again, it goes on
// from what is there if the stream is the same.
func TestStreamedComparison(t *testing.T) {
	to := Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Draws: 3, Shuffles: 3, Gram: 20}, Out: t.TempDir()}
	in := source.Options{Networks: shards(t, samples()), Layouts: layouts}
	want := compared(t, activations{in, to})
	in.Networks, to.Out = []string{"-"}, t.TempDir()
	for range 2 {
		feed(t, stream(samples()))
		got := compared(t, activations{in, to})
		if asJSON(t, got.Layers) != asJSON(t, want.Layers) || asJSON(t, got.Grids) != asJSON(t, want.Grids) {
			t.Error("a stream has other figures than files")
		}
		if got.Networks[0].Name != "A" || got.Networks[1].Name != "B" {
			t.Errorf("networks %v", got.Networks)
		}
	}
	other := samples()
	other[0].value = scattered(9)
	feed(t, stream(other))
	if _, err := (activations{in, to}).run(t.Context()); err == nil || !strings.Contains(err.Error(), "stream has changed since") {
		t.Errorf("another stream into the same folder: %v", err)
	}
}

// TestStreamErrors leave nothing, and say what is wrong where.
func TestStreamErrors(t *testing.T) {
	whole := stream(samples())
	first := blob("", 0, 40, samples()...)
	replaced := func(x tensor) []byte { // in the second batch
		changed := samples()
		for i := range changed {
			if changed[i].name == x.name {
				changed[i] = x
			}
		}
		return slices.Concat(first, blob("", 40, 50, changed...))
	}
	without := slices.DeleteFunc(samples(), func(x tensor) bool { return x.name == "B/maps" })
	nan := func(at int) float64 {
		if at == 43*9+2 {
			return math.NaN()
		}
		return scattered(5)(at)
	}
	imageless := slices.DeleteFunc(samples(), func(x tensor) bool { return x.name == "image_ids" })
	uneven := slices.Concat(first, blob("", 40, 50, samples()[0]))
	for name, c := range map[string]struct {
		stream []byte
		change func(*source.Options)
		want   string
	}{
		"nothing":       {nil, nil, "standard input: it ends before the first batch"},
		"cut":           {whole[:len(first)+1000], nil, fmt.Sprintf("the stream ends at byte %d, in the middle of the batch", len(first)+1000)},
		"cut header":    {whole[:len(first)+20], nil, "standard input, batch 1: cut short in its header"},
		"layer missing": {slices.Concat(first, blob("", 40, 50, without...)), nil, `standard input, batch 1: no array "B/maps", which standard input, batch 0 has`},
		"width":         {replaced(tensor{"A/flat", "BF16", []int{10}, scattered(1)}), nil, `batch 1: array "A/flat": it is bfloat16 of shape [10 10]`},
		"type":          {replaced(tensor{"A/flat", "F32", []int{9}, scattered(1)}), nil, `batch 1: array "A/flat": it is float32`},
		"label missing": {uneven, nil, "batch 1: no array"},
		"not finite":    {replaced(tensor{"A/flat", "BF16", []int{9}, nan}), nil, "network A (-), layer flat: sample 43, unit 2: the activation is NaN"},
		"twice":         {slices.Concat(stream(imageless), stream(imageless)), nil, `rows 0 and 300 are both of sample "0"`},
		"mask":          {replaced(tensor{"mask", "BOOL", []int{5}, func(at int) float64 { return float64(min(1, max(0, 44*5-at))) }}), nil, "batch 1: the mask leaves nothing of sample 4"},
		"no network":    {blob("", 0, 3, tensor{"conv1", "F32", []int{2}, scattered(1)}), nil, `batch 0: array "conv1" is called neither NETWORK/LAYER nor sample_ids`},
		"labels alone":  {blob("", 0, 3, tensor{"sample_ids", "I64", nil, scattered(1)}), nil, "batch 0: it has no activations, only labels"},
		"layout":        {whole, func(o *source.Options) { o.Layouts = nil }, "batch 0: -layout is needed"},
		"names":         {whole, func(o *source.Options) { o.Names = []string{"A"} }, "-names: 1 for 2 networks"},
		"masks":         {whole, func(o *source.Options) { o.Masks = []string{"x.npy"} }, "-mask: it is about files"},
		"data":          {whole, func(o *source.Options) { o.Run.Data = "images" }, "-data: it is about files"},
		"beside":        {whole, func(o *source.Options) { o.Networks = []string{"-", "x.npy"} }, "-: all networks come by one stream"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			in := source.Options{Networks: []string{"-"}, Layouts: layouts}
			if c.change != nil {
				c.change(&in)
			}
			feed(t, c.stream)
			if _, err := Accumulate(t.Context(), in, Options{}, out); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("moments: got %v, want an error with %q", err, c.want)
			}
			if _, err := os.Lstat(out); !os.IsNotExist(err) {
				t.Errorf("something is left: %v", err)
			}
			feed(t, c.stream)
			want := strings.TrimPrefix(c.want, "batch 1: ")
			if strings.Contains(want, "leaves nothing") {
				want = "leaves nothing of sample 44"
			}
			if _, err := Compare(t.Context(), in, Options{Out: out, MaxMemory: 1 << 30}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("compare: got %v, want an error with %q", err, want)
			}
			if _, err := os.Lstat(out); !os.IsNotExist(err) {
				t.Errorf("something is left: %v", err)
			}
		})
	}
}

// TestStreamMemory: a batch that is larger than the first may be too large.
func TestStreamMemory(t *testing.T) {
	feed(t, stream(samples()))
	in := source.Options{Networks: []string{"-"}, Layouts: layouts}
	in.Run.MaxMemory = 90 << 10 // for less than 100 samples
	s, err := source.OpenStream(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	batches := 0
	for _, err = range s.Batches(t.Context()) {
		batches++
	}
	if batches != 3 || err == nil || !strings.HasPrefix(err.Error(), "standard input, batch 2: -max-mem: batches of 100 samples take") {
		t.Errorf("%d batches: %v", batches, err)
	}
}

// TestStreamInterrupted while its writer is silent, before the first batch or after it.
func TestStreamInterrupted(t *testing.T) {
	for _, sent := range [][]byte{nil, blob("", 0, 40, samples()...)} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		defer r.Close()
		stdin := os.Stdin
		os.Stdin = r
		defer func() { os.Stdin = stdin }()
		go w.Write(sent)
		for name, command := range map[string]func(context.Context) error{
			"moments": func(ctx context.Context) error {
				_, err := Accumulate(ctx, source.Options{Networks: []string{"-"}, Layouts: layouts}, Options{}, filepath.Join(t.TempDir(), "x"))
				return err
			},
			"compare": func(ctx context.Context) error {
				_, err := Compare(ctx, source.Options{Networks: []string{"-"}, Layouts: layouts}, Options{Out: t.TempDir()})
				return err
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			start := time.Now()
			if err := command(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		}
	}
}
