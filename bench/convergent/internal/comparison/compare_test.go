package comparison

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// activations are networks to compare.
type activations struct {
	source.Options
	to Options
}

func (a activations) run(ctx context.Context) (*results.Results, error) {
	return Compare(ctx, a.Options, a.to)
}

// fixture compares what testdata/make.py wrote.
func fixture(out string) activations {
	return activations{
		source.Options{Networks: []string{"testdata/a.npz", "testdata/b.npz"}, Layouts: arrays.Layouts{arrays.NCHW}},
		Options{Analysis: results.Analysis{Lambdas: []float64{0.1, 0}, Draws: 9, Shuffles: 9, Seed: 1}, Out: out},
	}
}

func compared(t *testing.T, a activations) *results.Results {
	t.Helper()
	r, err := a.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found is what numpy and scipy found in a layer.
type found struct {
	Live      [2][]int
	R         [][]float64
	Semi      []int
	Bipartite [2][]int
	Matched   float64
	CKA       float64
	Pooled    float64 `json:"cka_of_means"`
}

func expected(t *testing.T) (layers map[string]found) {
	t.Helper()
	b, err := os.ReadFile("testdata/expected.json")
	if err == nil {
		err = json.Unmarshal(b, &layers)
	}
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

// table reads a CSV file without its first row.
func table(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// matrix reads an array of float64 that this package wrote.
func matrix(t *testing.T, path, name string) [][]float32 {
	t.Helper()
	f, err := arrays.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Array(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Rows(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows [][]float32
	for range r.Samples {
		row := make([]float32, r.Units)
		if _, err := r.Read(row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func near(a *float64, b, tol float64) bool { return a != nil && math.Abs(*a-b) <= tol }

// TestRun compares all that is written with what numpy and scipy find in the same
// arrays.
func TestRun(t *testing.T) {
	out := t.TempDir()
	res := compared(t, fixture(out))
	for i, name := range []string{"conv1", "conv2"} {
		want := expected(t)[name]
		dir := filepath.Join(out, "layers", name, "1-2")
		r := matrix(t, filepath.Join(dir, "correlation_between.npy"), "")
		for x, unit := range want.Live[0] {
			for y, other := range want.Live[1] {
				if off := float64(r[unit][other]) - want.R[x][y]; math.Abs(off) > 1e-6 {
					t.Errorf("%s: correlation of %d and %d is %v, want %v", name, unit, other, r[unit][other], want.R[x][y])
				}
			}
		}
		l := res.Layers[i]
		if l.Name != name || len(l.Dead[0]) != 1 || len(l.Dead[1]) != 1 || l.Rows != 60*12 {
			t.Errorf("layer %s, dead %v, %d rows", l.Name, l.Dead, l.Rows)
		}
		for _, m := range []struct {
			file            string
			units, partners []int
		}{
			{"semi_matching.csv", want.Live[0], want.Semi},
			{"bipartite_matching.csv", want.Bipartite[0], want.Bipartite[1]},
		} {
			rows := table(t, filepath.Join(dir, m.file))
			if len(rows) != l.Units[0] {
				t.Errorf("%s: %d units", m.file, len(rows))
			}
			for k, unit := range m.units {
				if rows[unit][1] != strconv.Itoa(m.partners[k]) {
					t.Errorf("%s %s: %v, want the partner %d", name, m.file, rows[unit], m.partners[k])
				}
			}
			if dead := l.Dead[0][0]; !slices.Equal(rows[dead], []string{strconv.Itoa(dead), "-1", ""}) {
				t.Errorf("%s: %v of a dead unit", m.file, rows[dead])
			}
		}
		p := l.Pairs[0]
		if !near(p.Measures["matched"].Value, want.Matched, 1e-6) || !near(p.Measures["cka"].Value, want.CKA, 1e-6) {
			t.Errorf("%s: matched %v, cka %v, want %v and %v", name, *p.Measures["matched"].Value, *p.Measures["cka"].Value, want.Matched, want.CKA)
		}
		if got := res.Grids[0].CKA[i][i]; !near(got, want.Pooled, 1e-6) {
			t.Errorf("%s: cka of means %v, want %v", name, *got, want.Pooled)
		}
		intervals := 0
		for measure, m := range p.Measures {
			heldOut := strings.HasPrefix(measure, "cv_") // which has no null
			if m.Value == nil || (m.Null == nil || m.P == nil) != heldOut {
				t.Errorf("%s: %s is not complete", name, measure)
			}
			if m.Images != nil {
				intervals++
			}
			if middle := m.Corrected; measure == "cka" && !(m.Images.Low <= *middle && *middle <= m.Images.High && *m.Null < *m.Value/2 && *m.P == 0.1) {
				t.Errorf("%s: %v in [%v, %v], null %v, p %v", measure, *m.Value, m.Images.Low, m.Images.High, *m.Null, *m.P)
			}
		}
		if intervals != 11 {
			t.Errorf("%s: %d measures have intervals", name, intervals)
		}
		// The loss of a prediction from the weights and correlations that were written.
		within := matrix(t, filepath.Join(dir, "correlation_within_a.npy"), "")
		w := matrix(t, filepath.Join(dir, "lasso_weights.npz"), "0.1")
		for _, row := range table(t, filepath.Join(dir, "lasso.csv")) {
			target, _ := strconv.Atoi(row[1])
			if row[0] != "0.1" {
				continue
			}
			loss, nonzero := 0.5, 0
			for u := range w {
				if w[u][target] != 0 {
					nonzero++
				}
				loss -= float64(w[u][target] * r[u][target])
				for v := range w {
					loss += 0.5 * float64(w[u][target]*within[u][v]*w[v][target])
				}
			}
			if got, _ := strconv.ParseFloat(row[2], 64); math.Abs(got-loss) > 1e-5 || strconv.Itoa(nonzero) != row[4] {
				t.Errorf("%s: %v, want the loss %v and %d weights", name, row, loss, nonzero)
			}
		}
	}
}

// TestSameBytes changes what must not matter.
func TestSameBytes(t *testing.T) {
	read := func(dir string) map[string]string {
		all := make(map[string]string)
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			name, _ := filepath.Rel(dir, path)
			all[name] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	one, two := t.TempDir(), t.TempDir()
	o := fixture(one)
	o.to.Threads = 1
	compared(t, o)
	o.to.Threads, o.to.Out = 3, two
	compared(t, o)
	want, got := read(one), read(two)
	if len(want) != 35 {
		t.Errorf("%d files", len(want))
	}
	for name, b := range want {
		if got[name] != b {
			t.Errorf("%s differs on three threads", name)
		}
	}
	// Other results are not replaced unasked.
	o.to.Draws++
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "-overwrite") {
		t.Error(err)
	}
	// What is replaced leaves nothing behind.
	o.to.Overwrite, o.Only = true, []string{"conv2"}
	compared(t, o)
	for name := range read(two) {
		if strings.HasPrefix(name, filepath.Join("layers", "conv1")) {
			t.Errorf("%s is left of the results before", name)
		}
	}
	// Results that no run is known to have left are not replaced.
	if err := os.Remove(filepath.Join(two, "run.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "in the way") {
		t.Error(err)
	}
}

// TestNotWritable is told so before activations are read.
func TestNotWritable(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "file.npy"), 1, 1, wave)
	o := fixture(filepath.Join(file, "out"))
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Error(err)
	}
}

// write puts a matrix of the given function into a file.
func write(t *testing.T, path string, rows, cols int, f func(i, j int) float64) string {
	t.Helper()
	if err := arrays.WriteNPY(path, values{rows, cols, f}); err != nil {
		t.Fatal(err)
	}
	return path
}

type values struct {
	rows, cols int
	f          func(i, j int) float64
}

func (v values) Dims() (rows, cols int) { return v.rows, v.cols }
func (v values) At(i, j int) float64    { return v.f(i, j) }

func wave(i, j int) float64 { return math.Sin(float64(i*(j+1))) + math.Cos(float64(i+7*j)) }

// TestMoments accumulates shards apart, merges and compares them: the figures are those
// of all shards at once.
func TestMoments(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var parts, a, b []string
	for k := range 3 {
		rows := 40 + 13*k
		shift := func(i, j int) float64 { return wave(i+1000*k, j) }
		a = append(a, write(t, in("a"+strconv.Itoa(k)+".npy"), rows, 4, shift))
		b = append(b, write(t, in("b"+strconv.Itoa(k)+".npy"), rows, 5, func(i, j int) float64 { return shift(i, j) + wave(j, i) }))
		files, err := Accumulate(context.Background(), source.Options{Networks: []string{a[k], b[k]}, Names: []string{"first", "second"}}, Options{}, in(strconv.Itoa(k)+momentsSuffix))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, files...)
	}
	if _, err := Merge(context.Background(), parts, in("all"+momentsSuffix), MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	o := activations{source.Options{Networks: []string{in("all" + momentsSuffix)}}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("merged")}}
	merged := compared(t, o)
	o.Networks, o.to.Out = []string{strings.Join(a, ","), strings.Join(b, ",")}, in("whole")
	o.to.Shuffles = 3
	whole := compared(t, o)
	if n := merged.Networks; n[0].Name != "first" || n[1].Name != "second" {
		t.Errorf("networks %+v", n)
	}
	x, y := merged.Layers[0], whole.Layers[0]
	if x.Rows != y.Rows || math.Abs(x.Pairs[0].Bipartite.Mean-y.Pairs[0].Bipartite.Mean) > 1e-7 {
		t.Errorf("%d rows, matched %v; of all at once %d rows, %v", x.Rows, x.Pairs[0].Bipartite.Mean, y.Rows, y.Pairs[0].Bipartite.Mean)
	}
	if m := x.Pairs[0].Measures["cka"]; m.Value == nil || m.Images != nil || m.Null != nil {
		t.Error("moments cannot have intervals, and do not lack values")
	}
}

// TestLayerFiles gives one file for each layer, and layers of other names and sizes.
func TestLayerFiles(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []struct {
		path string
		cols int
	}{{"a/x.npy", 3}, {"a/y.npy", 4}, {"b/y.npy", 5}, {"b/z.npy", 6}, {"c/p.npy", 2}, {"c/q.npy", 2}} {
		write(t, filepath.Join(dir, f.path), 50, f.cols, func(i, j int) float64 { return wave(i, j+f.cols) })
	}
	net := func(name string) string { return filepath.Join(dir, name) }
	o := activations{source.Options{Networks: []string{net("a"), net("b")}, LayerFiles: true}, Options{Analysis: results.Analysis{Draws: 3}, Out: net("out")}}
	r := compared(t, o)
	if len(r.Layers) != 1 || r.Layers[0].Name != "y" || !slices.Equal(r.Layers[0].Units, []int{4, 5}) {
		t.Errorf("layers %+v", r.Layers)
	}
	if g := r.Grids[0]; !slices.Equal(g.LayersA, []string{"x", "y"}) || !slices.Equal(g.LayersB, []string{"y", "z"}) || g.CKA[1][1] == nil {
		t.Errorf("grid %+v", g)
	}
	o.Networks, o.to.Out = []string{net("a"), net("c")}, net("out2")
	if r := compared(t, o); len(r.Layers) != 0 || len(r.Grids) != 1 {
		t.Errorf("%d layers and %d grids of networks without a layer in common", len(r.Layers), len(r.Grids))
	}
	// One layer each is compared whatever it is called.
	o.Networks, o.LayerFiles, o.to.Out = []string{net("a/x.npy"), net("b/z.npy"), net("c/p.npy")}, false, net("out3")
	r = compared(t, o)
	if len(r.Layers) != 1 || len(r.Layers[0].Pairs) != 3 || r.Networks[2].Name != "p" {
		t.Errorf("%d layers of %v", len(r.Layers), r.Networks)
	}
	if _, err := os.Stat(net("out3/layers/activations/2-3/measures.json")); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	a := write(t, in("a.npy"), 30, 3, wave)
	b := write(t, in("b.npy"), 31, 3, wave)
	c := write(t, in("c.npy"), 30, 2, func(i, j int) float64 {
		if i == 17 && j == 1 {
			return math.NaN()
		}
		return wave(i, j)
	})
	dead := write(t, in("dead.npy"), 30, 2, func(_, _ int) float64 { return 4 })
	one := in("one" + momentsSuffix)
	if _, err := Accumulate(context.Background(), source.Options{Networks: []string{a}}, Options{}, one); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		networks []string
		change   func(*activations)
		want     []string
	}{
		"one network":     {[]string{a}, nil, []string{"two networks"}},
		"missing":         {[]string{a, in("none.npy")}, nil, []string{"none.npy"}},
		"rows":            {[]string{a, b}, nil, []string{"b.npy", "31 samples", "a.npy", "30"}},
		"NaN":             {[]string{a, c}, nil, []string{"network c (c.npy)", "sample 17", "unit 1", "NaN"}},
		"dead":            {[]string{a, dead}, nil, []string{"layer activations of dead", "dead"}},
		"layout":          {[]string{"testdata/a.npz", "testdata/b.npz"}, nil, []string{"a.npz", "layout"}},
		"layer":           {[]string{a, a}, func(o *activations) { o.Only = []string{"conv9"} }, []string{"-layers", "conv9", "a has activations"}},
		"memory":          {[]string{a, a}, func(o *activations) { o.to.MaxMemory = 1000 }, []string{"MB", "-max-mem"}},
		"names":           {[]string{a, a}, func(o *activations) { o.Names = []string{"a"} }, []string{"-names: 1 for 2 networks"}},
		"ids":             {[]string{a, a}, func(o *activations) { o.SampleIDs = []string{a} }, []string{"one for each"}},
		"ids of numbers":  {[]string{a, a}, func(o *activations) { o.SampleIDs = []string{a, a} }, []string{"a.npy", "labels"}},
		"moments of one":  {[]string{one}, nil, []string{"one.moments", "one network", "convergent moments A.npy B.npy"}},
		"moments, arrays": {[]string{one, a}, nil, []string{"a.npy: moments and arrays"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := activations{source.Options{Networks: c.networks}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("out")}}
			if c.change != nil {
				c.change(&o)
			}
			_, err := o.run(context.Background())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, which does not have %q", err, want)
				}
			}
			if _, err := os.Stat(in("out/results.json")); err == nil {
				t.Error("results of an error")
			}
		})
	}
}

// npy writes a file with the given words and what append adds to it.
func npy(t *testing.T, path, descr, shape string, add func(b []byte) []byte) string {
	t.Helper()
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	b = add(append(b, header...))
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// integers writes a .npy of rank 1.
func integers(t *testing.T, path string, f func(i int) int64, n int) string {
	t.Helper()
	return npy(t, path, "<i8", fmt.Sprint(n, ","), func(b []byte) []byte {
		for i := range n {
			b = binary.LittleEndian.AppendUint64(b, uint64(f(i)))
		}
		return b
	})
}

// TestPool compares maps of 2 x 3 positions with a layer without any.
func TestPool(t *testing.T) {
	dir := t.TempDir()
	const rows, units = 50, 4
	maps := npy(t, filepath.Join(dir, "maps.npy"), "<f4", fmt.Sprintf("%d, 2, 3, %d", rows, units), func(b []byte) []byte {
		for i := range rows * 6 {
			for u := range units {
				// The mean over positions is the wave.
				v := wave(i/6, u) + float64(i%6) - 2.5
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
			}
		}
		return b
	})
	vectors := write(t, filepath.Join(dir, "vectors.npy"), rows, units, func(i, j int) float64 { return -3 * wave(i, units-1-j) })
	o := activations{source.Options{Networks: []string{maps, vectors}, Layouts: arrays.Layouts{arrays.NHWC}}, Options{Analysis: results.Analysis{Draws: 3}, Out: filepath.Join(dir, "out")}}
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "6 positions") || !strings.Contains(err.Error(), "-pool") {
		t.Error(err)
	}
	o.Pool = true
	compared(t, o)
	r := matrix(t, filepath.Join(o.to.Out, "layers", "activations", "1-2", "correlation_between.npy"), "")
	for u := range units {
		if v := r[u][units-1-u]; math.Abs(float64(v)+1) > 1e-6 {
			t.Errorf("unit %d: correlation %v with its negative", u, v)
		}
	}
}

// TestLabels gives what rows and columns are, in files.
func TestLabels(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const rows = 60
	a := write(t, in("a.npy"), rows, 3, wave)
	ids := integers(t, in("ids.npy"), func(i int) int64 { return int64(i * i) }, rows)
	swapped := integers(t, in("swapped.npy"), func(i int) int64 {
		if i == 41 {
			i = 7
		}
		return int64(i * i)
	}, rows)
	images := integers(t, in("images.npy"), func(i int) int64 { return int64(i / 5) }, rows)
	units := integers(t, in("units.npy"), func(i int) int64 { return int64(i + 10) }, 3)
	o := activations{
		source.Options{Networks: []string{a, a}, SampleIDs: []string{ids, ids}, ImageIDs: []string{images, images}, UnitNames: []string{units, units}},
		Options{Analysis: results.Analysis{Draws: 3}, Out: in("out")},
	}
	l := compared(t, o).Layers[0]
	if !slices.Equal(l.UnitNames[1], []string{"10", "11", "12"}) {
		t.Errorf("units %q", l.UnitNames)
	}
	if m := l.Pairs[0].Measures["cka"]; m.Images == nil { // 12 images, 10 of which make an interval
		t.Error("no interval")
	}
	o.SampleIDs[1], o.to.Overwrite = swapped, true
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), `row 41 is of sample "1681"`) || !strings.Contains(err.Error(), "swapped.npy") {
		t.Error(err)
	}
	o.SampleIDs = nil
	few := integers(t, in("few.npy"), func(i int) int64 { return int64(i / 10) }, rows)
	o.ImageIDs = []string{few, few}
	if m := compared(t, o).Layers[0].Pairs[0].Measures["cka"]; m.Images != nil || m.Value == nil {
		t.Error("an interval from 6 images")
	}
	o.UnitNames[1] = images
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "images.npy") {
		t.Error("60 names for 3 units:", err)
	}
}

// TestFolders: what is no run's is never replaced, nor removed when a run fails; what a run
// read may not have changed.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	a, dead := write(t, in("a.npy"), 30, 3, wave), write(t, in("dead.npy"), 30, 2, func(_, _ int) float64 { return 4 })
	for _, networks := range [][]string{{a, a}, {a, dead}} {
		mine := in("mine/run.json")
		if err := os.MkdirAll(filepath.Dir(mine), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mine, []byte(`{"mine": 1}`), 0o644); err != nil {
			t.Fatal(err)
		}
		o := activations{source.Options{Networks: networks}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("mine"), Overwrite: true}}
		if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "run.json is in the way") {
			t.Error(err)
		}
		if text, err := os.ReadFile(mine); err != nil || string(text) != `{"mine": 1}` {
			t.Errorf("run.json is %s: %v", text, err)
		}
	}
	failing := activations{source.Options{Networks: []string{a, dead}}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("failing")}}
	if _, err := failing.run(context.Background()); err == nil || !strings.Contains(err.Error(), "layer activations of dead: every unit of it is dead") {
		t.Error(err)
	}
	if _, err := os.Stat(in("failing")); err == nil {
		t.Error("a run that failed leaves a folder")
	}
	ids := integers(t, in("ids.npy"), func(i int) int64 { return int64(i) }, 30)
	o := activations{source.Options{Networks: []string{a, a}, SampleIDs: []string{ids, ids}}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("out")}}
	compared(t, o)
	o.SampleIDs, o.ImageIDs = nil, o.SampleIDs
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "sample_ids") {
		t.Errorf("ids of images in the place of ids of samples: %v", err)
	}
	o.SampleIDs, o.ImageIDs = o.ImageIDs, nil
	integers(t, ids, func(i int) int64 { return int64(i + 1) }, 30)
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "ids.npy has changed since") {
		t.Errorf("other ids: %v", err)
	}
	integers(t, ids, func(i int) int64 { return int64(i / 2) }, 30)
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), `rows 0 and 1 are both of sample "0"`) {
		t.Errorf("samples that stand twice: %v", err)
	}
}

// TestMomentsRefuse what is about arrays, and find files of moments by what they hold.
func TestMomentsRefuse(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	a := write(t, in("a.npy"), 30, 3, wave)
	if _, err := Accumulate(context.Background(), source.Options{Networks: []string{a, a}}, Options{}, in("sums")); err != nil {
		t.Fatal(err)
	}
	o := activations{source.Options{Networks: []string{in("sums")}, Names: []string{"A", "A"}}, Options{Analysis: results.Analysis{Draws: 3}, Out: in("out")}}
	if n := compared(t, o).Networks; n[0].Name != "A" || n[1].Name == "A" {
		t.Errorf("networks %+v", n)
	}
	for want, change := range map[string]func(*activations){
		"-pool":                        func(o *activations) { o.Pool = true },
		"-mask":                        func(o *activations) { o.Masks = []string{"none"} },
		"-images":                      func(o *activations) { o.Pictures = "none.zip" },
		"-names: 3 for 2 networks":     func(o *activations) { o.Names = []string{"A", "B", "C"} },
		"which have activations":       func(o *activations) { o.Only = []string{"nosuch"} },
		"not compared with each other": func(o *activations) { o.Networks = append(o.Networks, a) },
	} {
		refused := o
		refused.to.Out = in("refused")
		change(&refused)
		if _, err := refused.run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestStopped is told to stop before it has begun.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := fixture(t.TempDir()).run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
