package comparison

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// digest lists the hashes of what a run promises to be the same everywhere: networks,
// moments, matchings and predictions.
func digest(t *testing.T, dir string) string {
	t.Helper()
	all := files(t, dir)
	var names []string
	for name := range all {
		if strings.HasSuffix(name, ".safetensors") || slices.Contains([]string{"semi_matching.csv", "bipartite_matching.csv", "lasso.csv"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var list strings.Builder
	for _, name := range names {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(all[name]), name)
	}
	return list.String()
}

// TestSoak runs the whole study again and again, with 200 networks for the time that
// CONVERGENT_SOAK says, else twice with a few: memory does not grow, no goroutine stays,
// and the bytes are the same.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("several runs")
	}
	defer goleak.VerifyNone(t)
	o := tiny("")
	o.Nets, o.Epochs, o.Images, o.Layers, o.Width, o.Draws, o.Lambdas = 5, 1, 12, []string{"conv1"}, 0.125, 2, []float64{0.1}
	o.TrainImages, o.TestImages = 64, 20
	var lasting time.Duration
	if s := os.Getenv("CONVERGENT_SOAK"); s != "" {
		var err error
		if lasting, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		o.Nets = 200
	}
	var first string
	var settled uint64
	start := time.Now()
	for round := 0; round < 3 || time.Since(start) < lasting; round++ {
		o.Out = t.TempDir()
		if _, err := o.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		hash := digest(t, o.Out)
		if err := os.RemoveAll(o.Out); err != nil {
			t.Fatal(err)
		}
		runtime.GC() // of two collections, the second empties pools
		debug.FreeOSMemory()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if lasting > 0 {
			t.Logf("round %d after %v: %d kB of heap, %d kB from the system", round, time.Since(start).Round(time.Second), m.HeapAlloc>>10, (m.Sys-m.HeapReleased)>>10)
		}
		switch round {
		case 0:
			first = hash
		case 1:
			settled = m.HeapAlloc
		default:
			if m.HeapAlloc > settled+settled/4+1<<20 {
				t.Errorf("round %d: the heap has grown from %d to %d bytes", round, settled, m.HeapAlloc)
			}
		}
		if hash != first {
			t.Fatalf("round %d: the bytes are not those of the first", round)
		}
	}
}
