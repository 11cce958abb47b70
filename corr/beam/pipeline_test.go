package corrbeam

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/safetensors"
)

func TestMain(m *testing.M) { ptest.Main(m) } // on Prism

func init() { beam.RegisterDoFn(&keep{}) }

// keep is a DoFn that keeps the moments it gets, which workers in this process can, by the
// name of the test.
type keep struct{ Test string }

var kept sync.Map

func (k *keep) ProcessElement(m *corr.Moments) error {
	if _, twice := kept.LoadOrStore(k.Test, m); twice {
		return fmt.Errorf("%s: more than one element", k.Test)
	}
	return nil
}

// run returns the moments that a pipeline finds in files.
func run(t *testing.T, files []string, read *Read) (*corr.Moments, error) {
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &keep{t.Name()}, Moments(s, Shards(files), read))
	if err := ptest.Run(p); err != nil {
		return nil, err
	}
	m, ok := kept.LoadAndDelete(t.Name())
	if !ok {
		t.Fatal("the pipeline has no result")
	}
	return m.(*corr.Moments), nil
}

// writeShard writes a shard of two networks of half the units each, every other one as
// moments, and returns the file, the moments of it, and the activations.
func writeShard(t *testing.T, dir string, i, units int) (string, *corr.Moments, []float32, []float32) {
	rnd := rand.New(rand.NewPCG(2, uint64(i)))
	samples, c := 150+rnd.IntN(100), units/2
	a, b, ids := make([]float32, samples*c), make([]float32, samples*c), make([]int64, samples)
	for k := range a {
		a[k] = float32(max(0, rnd.NormFloat64()))
		b[k] = a[k] + float32(rnd.NormFloat64())
	}
	unsigned := make([]uint64, samples)
	for k := range ids {
		ids[k] = int64(1000*i + k)
		unsigned[k] = uint64(ids[k])
	}
	m := corr.NewMoments(c, c)
	m.Describe(0, corr.Network{Name: "a", Layer: "conv1"})
	m.Describe(1, corr.Network{Name: "b", Layer: "conv1"})
	if err := m.AddTensors(unsigned, corr.Rows(a, samples, c, c), corr.Rows(b, samples, c, c)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%03d.safetensors", i))
	if i%2 == 1 {
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		return path, m, a, b
	}
	if err := safetensors.Save(path, &safetensors.File{Tensors: []safetensors.Tensor{
		{Name: idsName, Shape: []int{samples}, I64: ids},
		{Name: "b/conv1", Shape: []int{samples, c}, F32: b},
		{Name: "a/conv1", Shape: []int{samples, 1, 1, c}, F32: a},
	}}); err != nil {
		t.Fatal(err)
	}
	return path, m, a, b
}

// TestPipeline: on Prism, shards of activations and of moments become the moments that one
// machine has that merges them by the tree, to the last byte, and the correlations of one
// pass over all.
func TestPipeline(t *testing.T) {
	count, units := 64, 1024
	if testing.Short() {
		count, units = 13, 48
	}
	dir := t.TempDir()
	var files []string
	shards := make([]*corr.Moments, count)
	pass := corr.NewMoments(units/2, units/2)
	for i := range count {
		file, m, a, b := writeShard(t, dir, i, units)
		files, shards[i] = append(files, file), m
		if err := pass.Add(2*len(a)/units, a, b); err != nil {
			t.Fatal(err)
		}
	}
	m, err := run(t, files, &Read{})
	if err != nil {
		t.Fatal(err)
	}
	single := tree(t, 0, count, func(_ testing.TB, i int) *corr.Moments { return shards[i] })
	if !bytes.Equal(encode(t, m), encode(t, single)) {
		t.Error("other bytes than on one machine")
	}
	if got, want := m.Network(1), (corr.Network{Name: "b", Layer: "conv1"}); !reflect.DeepEqual(got, want) {
		t.Errorf("network %v, want %v", got, want)
	}
	got, want := m.Correlation(nil, 0, 1), pass.Correlation(nil, 0, 1)
	for i := range units / 2 {
		for j := range units / 2 {
			if math.Abs(got.At(i, j)-want.At(i, j)) > 1e-6 {
				t.Fatalf("correlation of units %d and %d is %v, in one pass %v", i, j, got.At(i, j), want.At(i, j))
			}
		}
	}
	if _, known := m.Fingerprint(); !known || m.Count() != pass.Count() {
		t.Errorf("%d samples, known: %v; want %d", m.Count(), known, pass.Count())
	}
}

// TestPipelineErrors: what is wrong in a shard is the pipeline's error, which names its file.
func TestPipelineErrors(t *testing.T) {
	dir := t.TempDir()
	good, _, _, _ := writeShard(t, dir, 0, 8)
	twice := filepath.Join(dir, "copy.safetensors")
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(twice, data, 0o666); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "none.safetensors")
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{good, missing}, missing},
		{[]string{good, twice}, "the same"},
	} {
		if _, err := run(t, c.files, &Read{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want an error about %q", c.files, err, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	moments := filepath.Join(dir, "moments.safetensors")
	if err := shard(t, 1).Save(moments); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(moments)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	type tensors = []safetensors.Tensor
	a := safetensors.Tensor{Name: "a", Shape: []int{2, 3}, F32: make([]float32, 6)}
	for _, c := range []struct {
		content any
		names   []string
		want    string
	}{
		{[]byte("no safetensors"), nil, ""},
		{data, nil, "damaged"},
		{tensors{{Name: idsName, Shape: []int{2}, I64: []int64{1, 2}}}, nil, "no activations"},
		{tensors{a}, []string{"a", "b"}, `no tensor "b"`},
		{tensors{{Name: "c", Shape: []int{2}, F32: make([]float32, 2)}}, nil, `tensor "c" of shape [2]`},
		{tensors{{Name: "c", Shape: []int{1, 2}, F64: make([]float64, 2)}}, nil, `tensor "c" of shape [1 2] is not float32`},
		{tensors{{Name: "c", Shape: []int{2, 0, 3}, F32: []float32{}}}, nil, `tensor "c" of shape [2 0 3]`},
		{tensors{a, {Name: "c", Shape: []int{2, 2, 1}, F32: make([]float32, 4)}}, nil, `tensors "a" and "c"`},
		{tensors{a, {Name: idsName, Shape: []int{3}, I64: make([]int64, 3)}}, nil, "sample_ids are 3 of int64, for 2 samples"},
		{tensors{{Name: "c", Shape: []int{1, 2}, F32: []float32{1, float32(math.NaN())}}}, nil, "row 0, unit 1"},
	} {
		path := filepath.Join(dir, "shard.safetensors")
		if content, ok := c.content.(tensors); ok {
			err = safetensors.Save(path, &safetensors.File{Tensors: content})
		} else {
			err = os.WriteFile(path, c.content.([]byte), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err := (&Read{c.names}).ProcessElement(context.Background(), Shard{path, 0, 1})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error about %q that names the file", err, c.want)
		}
	}
}
