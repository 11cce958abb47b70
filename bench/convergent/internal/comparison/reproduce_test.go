package comparison

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
	"github.com/convergent-go/convergent/internal/artifact"
)

// study is one of the paper.
type study struct {
	results.Training
	Options
}

func (s study) run(ctx context.Context) (*results.Results, error) {
	return Reproduce(ctx, s.Training, s.Options)
}

// tiny is a study that takes a second or so.
func tiny(out string) study {
	return study{
		results.Training{TrainImages: 96, TestImages: 40, Width: 0.25, Nets: 3, Epochs: 2, Batch: 32, Images: 16, Layers: []string{"conv1", "conv3"}},
		Options{Out: out, Analysis: results.Analysis{Lambdas: []float64{0.1, 0, 0.01}, Draws: 5, Shuffles: 3}},
	}
}

func reproduce(t *testing.T, o study) *results.Results {
	t.Helper()
	r, err := o.run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files returns what an output folder holds, by name.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sameFiles(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	for name := range want {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s differs", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s should not be there", name)
		}
	}
}

func TestReproduce(t *testing.T) {
	dir := t.TempDir()
	res := reproduce(t, tiny(dir))
	check(t, res)
	if len(res.Layers) != 2 || len(res.Layers[0].Pairs) != 3 || len(res.Networks) != 3 {
		t.Fatalf("%d layers, %d pairs, %d networks", len(res.Layers), len(res.Layers[0].Pairs), len(res.Networks))
	}
	if l := res.Layers[0]; l.Name != "conv1" || !slices.Equal(l.Units, []int{8, 8, 8}) || l.Rows != 16*32*32 {
		t.Errorf("layer %s of %v units, %d rows", l.Name, l.Units, l.Rows)
	}

	a, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	filters, err := train.Filters(dir, a.Results)
	if err != nil || len(filters) != 3 || len(filters[0]) != 8 || filters[0][0].Bounds().Dx() != 5 {
		t.Errorf("the filters are not 3 x 8 images of 5 x 5: %v", err)
	}
	for i, l := range a.Layers {
		if n, _ := l.Correlation.Dims(); n != 3*res.Layers[i].Units[0] {
			t.Errorf("%s: %d correlations", l.Name, n)
		}
		if l.WLambda != 0.1 || l.Tree.N != 2*res.Layers[i].Units[0] {
			t.Errorf("%s: mapping at %v, tree of %d", l.Name, l.WLambda, l.Tree.N)
		}
		for net, units := range l.Patches {
			for unit, patches := range units {
				dead := slices.Contains(res.Layers[i].Dead[net], unit)
				if !dead && len(patches) == 0 {
					t.Errorf("%s: live unit %d of network %d has no patch", l.Name, unit, net)
				}
				if !slices.IsSortedFunc(patches, func(x, y results.Patch) int { return int(math.Copysign(1, y.Value-x.Value)) }) {
					t.Errorf("%s: patches of unit %d are not sorted", l.Name, unit)
				}
			}
		}
	}

	// The same again does nothing; other threads give the same bytes.
	want := files(t, dir)
	reproduce(t, tiny(dir))
	sameFiles(t, files(t, dir), want)
	other := tiny(t.TempDir())
	other.Threads = 1
	reproduce(t, other)
	sameFiles(t, files(t, other.Out), want)
}

// check holds results to what must be true of any.
func check(t *testing.T, res *results.Results) {
	t.Helper()
	if res.Schema != results.Schema {
		t.Fatalf("schema %q", res.Schema)
	}
	for _, n := range res.Networks {
		if n.TestAccuracy == nil || *n.TestAccuracy < 0 || *n.TestAccuracy > 1 {
			t.Errorf("accuracy %v", n.TestAccuracy)
		}
	}
	certified := false
	for _, l := range res.Layers {
		for _, p := range l.Pairs {
			matched := min(l.Units[p.A]-len(l.Dead[p.A]), l.Units[p.B]-len(l.Dead[p.B]))
			taken := make(map[int]bool)
			for unit := range l.Units[p.A] {
				partner, r := p.Bipartite.Partner[unit], p.Bipartite.R[unit]
				if (partner < 0) != (r == nil) {
					t.Errorf("%s: unit %d has partner %d and r %v", l.Name, unit, partner, r)
				}
				if partner < 0 {
					continue
				}
				if taken[partner] || partner >= l.Units[p.B] || slices.Contains(l.Dead[p.A], unit) || slices.Contains(l.Dead[p.B], partner) {
					t.Errorf("%s: unit %d is matched with %d: taken, dead or none", l.Name, unit, partner)
				}
				taken[partner] = true
				if semi := p.Semi.R[unit]; semi == nil || *semi < *r {
					t.Errorf("%s: unit %d does better one to one (%v) than freely", l.Name, unit, *r)
				}
			}
			if len(taken) != matched {
				t.Errorf("%s: %d pairs, want %d", l.Name, len(taken), matched)
			}
			for i, f := range p.Lasso {
				certified = certified || f.Gap > 0
				if f.Lambda != res.Config.Analysis.Lambdas[i] || f.Loss < -1e-9 || f.Loss > 0.5+1e-9 || math.Abs(f.R2-(1-2*f.Loss)) > 1e-9 || !(f.Gap >= 0 && f.Gap < 1e-6) {
					t.Errorf("%s: LASSO %+v", l.Name, f)
				}
			}
			seen := make(map[[2]int]bool)
			for i, c := range p.Clusters {
				if i > 0 && c.Between > p.Clusters[i-1].Between {
					t.Errorf("%s: clusters are not sorted", l.Name)
				}
				for side, units := range [][]int{c.A, c.B} {
					for _, u := range units {
						if seen[[2]int{side, u}] {
							t.Errorf("%s: unit %d is in two clusters", l.Name, u)
						}
						seen[[2]int{side, u}] = true
					}
				}
			}
			if n := p.Null.Rotation; !(n.P > 0 && n.P <= 1) || !(math.Abs(n.SemiMean) <= 1) {
				t.Errorf("%s: null %+v", l.Name, n)
			}
		}
	}
	if !certified {
		t.Error("every duality gap is exactly 0: rounding alone leaves more, so none was computed")
	}
}

// TestWrittenResults checks the results in the folder that CONVERGENT_RESULTS
// names: of a run of the binary, say.
func TestWrittenResults(t *testing.T) {
	dir := os.Getenv("CONVERGENT_RESULTS")
	if dir == "" {
		t.Skip("CONVERGENT_RESULTS names no folder of results")
	}
	a, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	check(t, a.Results)
	for _, name := range []string{"report.html", "networks.csv", "layers.csv", "semi_matching.csv", "bipartite_matching.csv", "lasso.csv", "clusters.csv"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty: %v", name, err)
		}
	}
}

// TestStoppedRunGoesOn stops a run at several of its events; what goes on from
// there ends with the bytes of one that was not stopped.
func TestStoppedRunGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("several runs")
	}
	whole := tiny(t.TempDir())
	events := 0
	whole.Progress = func(progress.Event) { events++ }
	reproduce(t, whole)
	want := files(t, whole.Out)
	for _, share := range []float64{0.1, 0.5, 0.8, 0.95} {
		o := tiny(t.TempDir())
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		o.Progress = func(progress.Event) {
			if seen++; seen == int(share*float64(events)) {
				cancel()
			}
		}
		if _, err := o.run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at %v of the events: got %v", share, err)
		}
		o.Progress = nil
		reproduce(t, o)
		sameFiles(t, files(t, o.Out), want)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "file")
	if err := os.WriteFile(occupied, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	many := make([]float64, maxLambdas+1)
	for i := range many {
		many[i] = float64(i)
	}
	for name, c := range map[string]struct {
		change func(*study)
		want   string
	}{
		"one network":      {func(o *study) { o.Nets = 1 }, "at least two"},
		"unknown layer":    {func(o *study) { o.Layers = []string{"conv9"} }, "conv1, conv2, conv3, conv4, conv5"},
		"layer twice":      {func(o *study) { o.Layers = []string{"conv1", "conv1"} }, "given twice"},
		"many lambdas":     {func(o *study) { o.Lambdas = many }, "at most 100"},
		"negative lambda":  {func(o *study) { o.Lambdas = []float64{-1} }, "-lambdas -1"},
		"NaN lambda":       {func(o *study) { o.Lambdas = []float64{math.NaN()} }, "-lambdas NaN"},
		"lambda twice":     {func(o *study) { o.Lambdas = []float64{1, 1} }, "given twice"},
		"negative epochs":  {func(o *study) { o.Epochs = -1 }, "-epochs -1"},
		"width":            {func(o *study) { o.Width = -1 }, "width"},
		"rate":             {func(o *study) { o.Rate = math.Inf(1) }, "rate"},
		"out is a file":    {func(o *study) { o.Out = occupied }, occupied},
		"out under a file": {func(o *study) { o.Out = filepath.Join(occupied, "x") }, "another with -out"},
		"no such data":     {func(o *study) { o.Data = filepath.Join(dir, "none.zip") }, "none.zip"},
		"few images":       {func(o *study) { o.TrainImages = 10 }, "10 training"},
		"diverging":        {func(o *study) { o.Rate = 1e9 }, "diverged"},
		"diverging last":   {func(o *study) { o.Rate, o.Epochs, o.TrainImages = 1e9, 1, 32 }, "test loss"},
	} {
		t.Run(name, func(t *testing.T) {
			o := tiny(filepath.Join(dir, "out"))
			c.change(&o)
			_, err := o.run(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(o.Out, "results.json")); err == nil {
				t.Error("there are results")
			}
			os.RemoveAll(filepath.Join(dir, "out"))
		})
	}
}

func TestAnotherRunsFolder(t *testing.T) {
	o := tiny(t.TempDir())
	o.Nets, o.Epochs = 2, 1
	reproduce(t, o)
	o.Seed = 7
	if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "seed 1 instead of 7") || !strings.Contains(err.Error(), "-out") {
		t.Fatalf("got %v", err)
	}
	o.Overwrite = true
	if res := reproduce(t, o); *res.Networks[0].Seed != 7 {
		t.Error("not overwritten")
	}
	network := filepath.Join(o.Out, "nets/net2.safetensors")
	if err := os.WriteFile(network, []byte("broken"), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := results.Open(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.Filters(o.Out, a.Results); err == nil || !strings.Contains(err.Error(), network) {
		t.Errorf("a broken network: %v", err)
	}
}

// TestForeignFolder holds that nothing is removed but what a run wrote.
func TestForeignFolder(t *testing.T) {
	for _, name := range []string{"layers/mine.txt", "figures/mine.svg", "results.json", "layers.csv"} {
		o := tiny(t.TempDir())
		o.Overwrite = true
		mine := filepath.Join(o.Out, name)
		if err := os.MkdirAll(filepath.Dir(mine), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(mine, []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := o.run(context.Background()); err == nil || !strings.Contains(err.Error(), "in the way") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := files(t, o.Out); len(got) != 1 || string(got[filepath.FromSlash(name)]) != "mine" {
			t.Errorf("%s: the folder has changed", name)
		}
	}
}

// refusing is a disk that is full for one write.
type refusing struct {
	artifact.Files
	calls, at int
	lock      sync.Mutex
}

func (r *refusing) Rename(dir *os.Root, from, to string) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.calls++; r.calls == r.at {
		return syscall.ENOSPC
	}
	return r.Files.Rename(dir, from, to)
}

// TestEveryWriteFails has each file in turn refused, and every file that is kept damaged:
// the run says so, or goes on, and ends with the bytes of one that was not disturbed.
func TestEveryWriteFails(t *testing.T) {
	if testing.Short() {
		t.Skip("many runs")
	}
	small := func(out string) study {
		o := tiny(out)
		o.Nets, o.Epochs, o.TrainImages, o.Layers, o.Draws, o.Threads = 2, 2, 64, []string{"conv1"}, 2, 1
		return o
	}
	whole := small(t.TempDir())
	reproduce(t, whole)
	want := files(t, whole.Out)
	disk := artifact.System
	defer func() { artifact.System = disk }()
	for at := 1; ; at++ {
		o := small(t.TempDir())
		r := &refusing{Files: disk, at: at}
		artifact.System = r
		_, err := o.run(context.Background())
		artifact.System = disk
		if r.calls < at {
			if err != nil || at < 20 {
				t.Fatalf("%d files: %v", r.calls, err)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("write %d: %v", at, err)
		}
		for name := range files(t, o.Out) {
			if strings.HasSuffix(name, ".tmp") {
				t.Errorf("write %d left %s", at, name)
			}
		}
		reproduce(t, o)
		sameFiles(t, files(t, o.Out), want)
	}
	for name, b := range want {
		if name == "run.json" || name == artifact.ManifestFile {
			continue // without which the folder, or a file, is nobody's
		}
		damaged := bytes.Clone(b)
		damaged[len(b)/2] ^= 0x55
		if err := os.WriteFile(filepath.Join(whole.Out, name), damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		reproduce(t, whole)
		if got := files(t, whole.Out); !bytes.Equal(got[name], b) {
			t.Errorf("%s stays damaged", name)
		}
	}
	sameFiles(t, files(t, whole.Out), want)
}

// TestTwoRuns at once in one folder do not mix.
func TestTwoRuns(t *testing.T) {
	o := tiny(t.TempDir())
	second := errors.New("not run")
	o.Progress = func(progress.Event) {
		if o := tiny(o.Out); second != nil && second.Error() == "not run" {
			_, second = o.run(context.Background())
		}
	}
	reproduce(t, o)
	if second == nil || !strings.Contains(second.Error(), "another run is at work in "+o.Out) {
		t.Errorf("the second run: %v", second)
	}
}

// TestKilledRunGoesOn takes from a finished run what a kill can: stages that are
// missing, and parts of files that were being written.
func TestKilledRunGoesOn(t *testing.T) {
	o := tiny(t.TempDir())
	o.Nets, o.Epochs, o.Layers = 2, 1, []string{"conv3", "conv1"}
	if res := reproduce(t, o); res.Layers[0].Name != "conv1" {
		t.Errorf("%s comes first", res.Layers[0].Name)
	}
	want := files(t, o.Out)
	for _, lost := range []string{"results.json", "layers/conv1/" + results.LayerFile, "layers/conv3", "nets/net2.safetensors" + ".json"} {
		if err := os.RemoveAll(filepath.Join(o.Out, lost)); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{".lasso.csv.1.tmp", "nets/.net1.safetensors.state.2.tmp", "nets/net1.safetensors.state", "layers/conv1/.layer.json.3.tmp"} {
			if err := os.WriteFile(filepath.Join(o.Out, part), []byte("par"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		manifest, err := os.OpenFile(filepath.Join(o.Out, artifact.ManifestFile), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = fmt.Fprintf(manifest, "%x  nets/net1.safetensors.state\n", sha256.Sum256([]byte("par")))
			err = errors.Join(err, manifest.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		o.Layers = []string{"conv1", "conv3"} // the order makes no other run
		reproduce(t, o)
		sameFiles(t, files(t, o.Out), want)
	}
}

// TestFewImages: one image can be compared, but not held out nor resampled.
func TestFewImages(t *testing.T) {
	o := tiny(t.TempDir())
	o.Images, o.Nets, o.Epochs = 1, 2, 1
	res := reproduce(t, o)
	l := res.Layers[0]
	if r := res.Grids[0].Matched[0][0]; r != nil {
		t.Errorf("units that are constant over images match by %v", *r)
	}
	if l.Convergence.Matched.Images != nil || l.Convergence.Matched.Value == nil || len(l.Subspaces.Predictions) != 0 {
		t.Errorf("an interval of one image: %+v, %+v", l.Convergence.Matched, l.Subspaces)
	}
}

// TestOneUnit runs the study on layers of one unit.
func TestOneUnit(t *testing.T) {
	o := tiny(t.TempDir())
	o.Training.Width, o.Epochs, o.Nets = 0.02, 1, 2
	res := reproduce(t, o)
	for _, l := range res.Layers {
		if l.Units[0] > 2 {
			t.Errorf("%s has %d units", l.Name, l.Units[0])
		}
	}
	check(t, res)
}
