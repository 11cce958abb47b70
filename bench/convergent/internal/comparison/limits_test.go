package comparison

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// TestLimits compares what is as small, or as empty, as it can be.
func TestLimits(t *testing.T) {
	dir := t.TempDir()
	in := func(name string, rows, units int, f func(i, j int) float64) string {
		return write(t, filepath.Join(dir, name+".npy"), rows, units, f)
	}
	constant := func(i, j int) float64 { return float64(j + 1) }
	for name, c := range map[string]struct {
		a, b string
		want string // of the error; empty: there is a result
	}{
		"one unit each":     {in("one", 200, 1, wave), in("another", 200, 1, func(i, j int) float64 { return wave(i, j) + wave(j+1, i) }), ""},
		"one unit and many": {in("single", 200, 1, wave), in("many", 200, 9, wave), ""},
		"one image":         {in("image", 1, 4, wave), in("same", 1, 4, wave), "dead"},
		"two images":        {in("two", 2, 4, wave), in("too", 2, 4, func(i, j int) float64 { return wave(i, j+3) }), ""},
		"all dead":          {in("dead", 200, 4, constant), in("live", 200, 4, wave), "dead"},
		"all dead, both":    {in("dead1", 200, 4, constant), in("dead2", 200, 4, constant), "dead"},
		"more units":        {in("wide", 5, 30, wave), in("wider", 5, 40, wave), ""},
		"the same network":  {in("self", 200, 6, wave), in("copy", 200, 6, wave), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Compare(context.Background(), source.Options{Networks: []string{c.a, c.b}}, Options{Analysis: results.Analysis{Draws: 3, Shuffles: 3}, Out: t.TempDir()})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, want an error with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p := r.Layers[0].Pairs[0]
			if math.IsNaN(p.Bipartite.Mean) || math.Abs(p.Bipartite.Mean) > 1 {
				t.Errorf("matched r %v", p.Bipartite.Mean)
			}
			if name == "the same network" && !near(p.Measures["matched"].Value, 1, 1e-6) {
				t.Errorf("a network matches itself by %v", *p.Measures["matched"].Value)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err) // NaN or infinite
			}
		})
	}
}
