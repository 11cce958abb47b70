package comparison

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/artifact"
)

// betweenFixture compares what testdata/make.py wrote by what is between networks alone.
func betweenFixture(out string) activations {
	a := fixture(out)
	a.to.Between, a.to.Lambdas = true, nil
	return a
}

// TestBetween compares partners with those that numpy and scipy find in the same arrays.
func TestBetween(t *testing.T) {
	out := t.TempDir()
	a := betweenFixture(out)
	var said []string
	a.to.Progress = func(e progress.Event) { said = append(said, e.Task) }
	res := compared(t, a)
	for i, name := range []string{"conv1", "conv2"} {
		want, l := expected(t)[name], res.Layers[i]
		p := l.Pairs[0]
		if l.Name != name || len(l.Dead[0]) != 1 || len(l.Dead[1]) != 1 || l.Rows != 60*12 {
			t.Errorf("layer %s, dead %v, %d rows", l.Name, l.Dead, l.Rows)
		}
		rowOf := make(map[int]int) // of live units
		for x, unit := range want.Live[0] {
			rowOf[unit] = x
			partner := p.Semi.Partner[unit]
			if partner != want.Semi[x] || math.Abs(*p.Semi.R[unit]-slices.Max(want.R[x])) > 1e-6 {
				t.Errorf("%s: best partner of unit %d is %d by %v, want %d", name, unit, partner, *p.Semi.R[unit], want.Semi[x])
			}
		}
		for k, unit := range want.Bipartite[0] {
			if got := p.Bipartite.Partner[unit]; got != want.Bipartite[1][k] {
				t.Errorf("%s: partner of unit %d is %d, want %d", name, unit, got, want.Bipartite[1][k])
			}
		}
		for y, unit := range want.Live[1] {
			best := 0
			for x := range want.R {
				if want.R[x][y] > want.R[best][y] {
					best = x
				}
			}
			if got := p.Between.Back.Partner[unit]; got != want.Live[0][best] {
				t.Errorf("%s: best partner of the second network's unit %d is %d, want %d", name, unit, got, want.Live[0][best])
			}
		}
		if c := l.Convergence; !near(c.Matched.Value, want.Matched, 1e-6) || c.HeldOut.Images == nil || c.Nulls[0].Name != "rotation" || c.Nulls[1].Name != "shuffle" || c.Nulls[0].Observations > 60*12 || c.Nulls[0].P == nil {
			t.Errorf("%s: %+v", name, c)
		}
		dir := filepath.Join(out, "layers", name, "1-2")
		if dead := l.Dead[0][0]; !slices.Equal(table(t, filepath.Join(dir, "bipartite_matching.csv"))[dead], []string{strconv.Itoa(dead), "-1", ""}) {
			t.Error("a dead unit has a partner")
		}
		if rows := table(t, filepath.Join(dir, "mutual.csv")); len(rows) != p.Between.Mutual.Matched() || len(rows) == 0 {
			t.Errorf("%s: %d mutual partners, and %d in the table", name, p.Between.Mutual.Matched(), len(rows))
		}
	}
	if plan := slices.IndexFunc(said, func(s string) bool {
		return strings.Contains(s, "units held in 0 MB") && strings.Contains(s, "read once for all images, and once for either half")
	}); plan < 0 || plan > slices.Index(said, "compare conv1: look at units") {
		t.Errorf("the plan is not said before the work: %q", said)
	}
}

// TestBetweenSameBytes: threads, the limit of memory, and whether activations come as files or by a
// stream, change no byte of what is found; and a run that was stopped goes on.
func TestBetweenSameBytes(t *testing.T) {
	one := betweenFixture(t.TempDir())
	one.to.Threads = 1
	compared(t, one)
	want := files(t, one.to.Out)
	two := betweenFixture(t.TempDir())
	two.to.Threads, two.to.MaxMemory = 3, 1<<30
	compared(t, two)
	sameFiles(t, files(t, two.to.Out), want)
	for _, lost := range []string{"layers/conv1/" + results.LayerFile, "layers/conv2/1-2/mutual.csv", "results.json"} {
		if err := os.Remove(filepath.Join(two.to.Out, lost)); err != nil {
			t.Fatal(err)
		}
		compared(t, two)
		sameFiles(t, files(t, two.to.Out), want)
	}

	in := source.Options{Networks: shards(t, samples()), Layouts: layouts}
	to := Options{Analysis: results.Analysis{Draws: 3, Shuffles: 3, Between: true}, Out: t.TempDir()}
	byFiles := compared(t, activations{in, to})
	in.Networks, to.Out = []string{"-"}, t.TempDir()
	feed(t, stream(samples()))
	if byStream := compared(t, activations{in, to}); asJSON(t, byStream.Layers) != asJSON(t, byFiles.Layers) || len(byFiles.Layers) != 3 {
		t.Error("a stream has other figures than files")
	}
}

// TestBetweenErrors leave nothing, and say what is wrong.
func TestBetweenErrors(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	a, b := write(t, in("a.npy"), 30, 3, wave), write(t, in("b.npy"), 31, 3, wave)
	nan := write(t, in("c.npy"), 30, 2, func(i, j int) float64 {
		if i == 17 && j == 1 {
			return math.NaN()
		}
		return wave(i, j)
	})
	dead := write(t, in("dead.npy"), 30, 2, func(_, _ int) float64 { return 4 })
	short := write(t, in("short.npy"), 30, 2, wave)
	if err := os.Truncate(short, 200); err != nil {
		t.Fatal(err)
	}
	moments := in("all" + momentsSuffix)
	if _, err := Accumulate(t.Context(), source.Options{Networks: []string{a, a}}, Options{}, moments); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		networks []string
		change   func(*activations)
		want     []string
	}{
		"one network": {[]string{a}, nil, []string{"two networks"}},
		"rows":        {[]string{a, b}, nil, []string{"b.npy", "31 samples", "a.npy", "30"}},
		"NaN":         {[]string{a, nan}, nil, []string{"network c (c.npy)", "sample 17", "unit 1", "NaN"}},
		"dead":        {[]string{a, dead}, nil, []string{"activations of dead", "every unit of it is dead"}},
		"cut short":   {[]string{a, short}, nil, []string{"short.npy"}},
		"memory":      {[]string{a, a}, func(o *activations) { o.to.MaxMemory = 1000 }, []string{"-max-mem: layer activations of [3 3] units takes", "MB"}},
		"moments":     {[]string{moments}, nil, []string{"-between: files of moments"}},
		"baseline":    {[]string{a, a}, func(o *activations) { o.Baseline = []string{a, a} }, []string{"-baseline: -between"}},
		"lambdas":     {[]string{a, a}, func(o *activations) { o.to.Lambdas = []float64{1} }, []string{"-lambdas: -between"}},
		"no layer":    {[]string{"testdata/a.npz", "testdata/b.npz"}, func(o *activations) { o.Only, o.Networks = nil, []string{a, fixture("").Networks[0]} }, []string{"layout"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := activations{source.Options{Networks: c.networks}, Options{Analysis: results.Analysis{Draws: 3, Between: true}, Out: in("out")}}
			if c.change != nil {
				c.change(&o)
			}
			_, err := o.run(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v, which does not have %q", err, want)
				}
			}
			if _, err := os.Stat(in("out")); err == nil {
				t.Error("an error left a folder")
			}
		})
	}
}

// TestBetweenLimits compares what is as small, or as empty, as it can be.
func TestBetweenLimits(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ rows, a, b int }{{200, 1, 1}, {200, 1, 9}, {200, 9, 1}, {2, 4, 4}, {5, 30, 40}, {12, 3, 3}} {
		a := write(t, filepath.Join(dir, "a.npy"), c.rows, c.a, wave)
		b := write(t, filepath.Join(dir, "b.npy"), c.rows, c.b, func(i, j int) float64 { return wave(i, j+3) })
		r, err := Compare(t.Context(), source.Options{Networks: []string{a, b}}, Options{Analysis: results.Analysis{Draws: 3, Shuffles: 3, Between: true}, Out: t.TempDir()})
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if m := r.Layers[0].Pairs[0].Bipartite; math.IsNaN(m.Mean) || math.Abs(m.Mean) > 1 || m.Matched() != min(c.a, c.b) {
			t.Errorf("%+v: %d units matched by %v", c, m.Matched(), m.Mean)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%+v: %v", c, err) // NaN or infinite
		}
		if i := r.Layers[0].Convergence.HeldOut.Images; (i != nil) != (c.rows >= 10) {
			t.Errorf("%+v: interval %v", c, i)
		}
	}
}

// TestBetweenStopped: at any time, the run ends with the context's error, and again from where it
// was.
func TestBetweenStopped(t *testing.T) {
	peace := betweenFixture(t.TempDir())
	start := time.Now()
	compared(t, peace)
	whole, want := time.Since(start), files(t, peace.to.Out)
	for k := range 4 {
		o := betweenFixture(t.TempDir())
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(k)*whole/5)
		defer cancel()
		if _, err := o.run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		compared(t, o)
		sameFiles(t, files(t, o.to.Out), want)
	}
}

// TestBetweenWritesFail has each file in turn refused: the run says so, and ends, again, with the
// bytes of one that was not disturbed.
func TestBetweenWritesFail(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	small := func() activations {
		a := betweenFixture(t.TempDir())
		a.Only, a.to.Draws, a.to.Shuffles = []string{"conv1"}, 1, 0
		return a
	}
	peace := small()
	compared(t, peace)
	want := files(t, peace.to.Out)
	disk := artifact.System
	defer func() { artifact.System = disk }()
	for at := 1; ; at++ {
		o := small()
		r := &refusing{Files: disk, at: at}
		artifact.System = r
		_, err := o.run(t.Context())
		artifact.System = disk
		if r.calls < at {
			if err != nil || at < 15 {
				t.Fatalf("%d files: %v", r.calls, err)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("write %d: %v", at, err)
		}
		compared(t, o)
		sameFiles(t, files(t, o.to.Out), want)
	}
}
