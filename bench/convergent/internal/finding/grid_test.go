package finding

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
)

// independent is two networks of some layers that have nothing to do with each other.
type independent struct {
	layers, images int
	seed           uint64
}

const independentUnits = 6

func (s independent) Description() *source.Description {
	d := &source.Description{Samples: s.images, ImageCount: s.images}
	for range 2 {
		var n source.Network
		for k := range s.layers {
			n.Layers = append(n.Layers, source.Layer{Name: fmt.Sprint(k), Units: independentUnits})
		}
		d.Networks = append(d.Networks, n)
	}
	return d
}

func (s independent) Batches(context.Context) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		rnd := rand.New(rand.NewPCG(s.seed, 7))
		b := &source.Batch{Networks: make([][]source.Tensor, 2)}
		for i := range s.images {
			b.Images = append(b.Images, uint64(i))
		}
		for n := range b.Networks {
			for range s.layers {
				t := source.Tensor{Samples: s.images, Positions: 1, Units: independentUnits, Data: make([]float32, s.images*independentUnits)}
				for i := range t.Data {
					t.Data[i] = float32(rnd.NormFloat64())
				}
				b.Networks[n] = append(b.Networks[n], t)
			}
		}
		yield(b, nil)
	}
}

// grid compares all layers of both networks.
func (s independent) grid(t *testing.T, shuffles, threads int) results.Grid {
	t.Helper()
	o, err := observe.Run(context.Background(), s, observe.Plan{Grid: true, Seed: 1, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	all, err := Grids(context.Background(), o.Grid, Options{Analysis: results.Analysis{Shuffles: shuffles, Seed: s.seed}, Threads: threads})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d grids: %v", len(all), err)
	}
	return all[0]
}

// TestGridLimit: the most alike of independent layers are the more alike the more layers
// there are (Groeger, Wen and Brbic, 2026); the limit rises with them, so that calibrated
// scores do not.
func TestGridLimit(t *testing.T) {
	layers := []int{2, 8, 24}
	switch {
	case testing.Short():
		layers = layers[:2]
	case os.Getenv("CONVERGENT_SETS") != "":
		layers = []int{2, 8, 32, 128}
	}
	const repeats = 5
	var before float64 // mean of the largest
	for _, n := range layers {
		var raw, limit, score float64
		for seed := range uint64(repeats) {
			g := independent{n, 60, seed}.grid(t, 39, 0)
			raw += largest(g.CKA) / repeats
			limit += *g.CKALimit / repeats
			score += largest(g.CalibratedCKA) / repeats
			for i, row := range g.CKA {
				for j, v := range row {
					if want := max(0, (*v-*g.CKALimit)/(1-*g.CKALimit)); !almost(*g.CalibratedCKA[i][j], want) {
						t.Fatalf("calibrated %v, want %v", *g.CalibratedCKA[i][j], want)
					}
				}
			}
		}
		t.Logf("%d layers: largest CKA %.3f, limit %.3f, calibrated %.4f", n, raw, limit, score)
		if raw < before+0.01 {
			t.Errorf("of %d layers the largest CKA is %v, of fewer %v", n, raw, before)
		}
		if before = raw; score > 0.01 {
			t.Errorf("of %d layers the largest calibrated CKA is %v", n, score)
		}
	}
	g := independent{2, 60, 1}.grid(t, 0, 0)
	if g.CKAP != nil || g.CKALimit != nil || g.CalibratedCKA != nil {
		t.Error("a null without exchanges")
	}
}

// TestGridCells: cells are what moments of the two layers give.
func TestGridCells(t *testing.T) {
	s := independent{4, 60, 3}
	o, err := observe.Run(context.Background(), s, observe.Plan{Grid: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	g := s.grid(t, 9, 2)
	for i := range g.LayersA {
		for j := range g.LayersB {
			c := o.Grid.Features.Pair(i, len(g.LayersA)+j)
			linear, err := c.Linear()
			if err != nil {
				t.Fatal(err)
			}
			cka, err := c.CKA()
			if err != nil {
				t.Fatal(err)
			}
			r, err := matchedR(c)
			if err != nil {
				t.Fatal(err)
			}
			for name, v := range map[string][2]float64{"cka": {*g.CKA[i][j], cka}, "matched": {*g.Matched[i][j], mean(r)}, "linear": {*g.Linear[i][j], linear.Mean}} {
				if math.Abs(v[0]-v[1]) > 1e-6 {
					t.Errorf("%s of layers %d and %d is %v, want %v", name, i, j, v[0], v[1])
				}
			}
		}
	}
}

// TestGridProgress: progress counts to its total one by one, and a context ends the grid at any
// step of it.
func TestGridProgress(t *testing.T) {
	s := independent{4, 60, 3}
	o, err := observe.Run(context.Background(), s, observe.Plan{Grid: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for last := 1; last <= 2*s.layers; last++ {
		ctx, end := context.WithCancel(context.Background())
		steps := 0
		_, err := Grids(ctx, o.Grid, Options{Analysis: results.Analysis{Shuffles: 9}, Progress: func(done, total int) {
			if steps++; done != steps || total != 2*s.layers {
				t.Errorf("%d of %d after %d steps of %d", done, total, steps, 2*s.layers)
			}
			if done == last {
				end()
			}
		}})
		if last < 2*s.layers && (!errors.Is(err, context.Canceled) || steps != last) || last == 2*s.layers && err != nil {
			t.Errorf("%d steps after the context has ended at step %d: %v", steps, last, err)
		}
	}
}

func almost(x, y float64) bool { return max(x-y, y-x) < 1e-5 }

// TestGridFalsePositives: in 5 % of sets the most alike of independent layers have a p of
// 0.05 or less.
func TestGridFalsePositives(t *testing.T) {
	const sets = 100
	found := 0
	for seed := range uint64(sets) {
		if g := (independent{3, 40, seed}).grid(t, 19, 1); *g.CKAP <= 0.05 {
			found++
		}
	}
	if found > 12 { // 5, give or take 2.2
		t.Errorf("p is 0.05 or less in %d of %d sets", found, sets)
	}
}
