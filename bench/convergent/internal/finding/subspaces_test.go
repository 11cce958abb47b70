package finding

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// block is how many units span a subspace that two networks may share.
const block = 3

// spanning are two networks of which each unit is a combination of signals with the weights
// in a column of a matrix of its own, beside noise.
func spanning(weights func(net int) []float64) *population {
	p := &population{units: 12, positions: 1}
	for net := range p.weights {
		p.weights[net] = weights(net)
	}
	return p
}

// anglesOf is the canonical correlation of clusters in a sample of two networks.
func anglesOf(t *testing.T, p *population, seed uint64) *results.Measure {
	t.Helper()
	o, err := observe.Run(context.Background(), &draw{p, 200, seed}, observe.Plan{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	o.Layers[0].Gather()
	l := &layer{Layer: o.Layers[0], result: new(results.Layer), Options: Options{Analysis: results.Analysis{Lambdas: []float64{0.1}, Clusters: 5, Draws: 19, Seed: seed}}}
	s := new(results.Subspaces)
	if err := l.pairs(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := l.angles(context.Background(), s, newCrossFit(l.Layer.Groups, l.Folds)); err != nil {
		t.Fatal(err)
	}
	return s.Angles
}

// TestClustersFoundAnew: what clusters share exceeds what they share when they are found anew
// in a random basis if networks share units, or subspaces of few units in whatever basis
// of these; and does not if all that they share is one space, whose bases are random.
func TestClustersFoundAnew(t *testing.T) {
	const sets = 40
	blocks := func(net int, rnd *rand.Rand) []float64 {
		w := make([]float64, 12*12)
		for at := 0; at < 12; at += block {
			q := corr.Rotation(block, rnd)
			for i := range block {
				for j := range block {
					w[(at+i)*12+at+j] = 2 * q.At(i, j)
				}
			}
		}
		return w
	}
	found := make(map[string]int)
	var uniform []float64
	for set := range uint64(sets) {
		rnd := rand.New(rand.NewPCG(set, 3))
		for _, share := range []struct {
			name    string
			weights func(net int) []float64
		}{
			{"one space", func(int) []float64 {
				q := corr.Rotation(12, rnd).RawMatrix().Data
				for i := range q {
					q[i] *= 2
				}
				return q
			}},
			{"units", func(int) []float64 {
				w := make([]float64, 12*12)
				for i := range 12 {
					w[i*13] = 2
				}
				return w
			}},
			{"subspaces", func(net int) []float64 { return blocks(net, rnd) }},
		} {
			m := anglesOf(t, spanning(share.weights), set)
			if *m.P <= 0.05 {
				found[share.name]++
			}
			if share.name == "one space" {
				uniform = append(uniform, *m.P)
			}
		}
	}
	t.Log(found, mean(uniform))
	if found["units"] != sets || found["subspaces"] < sets/3 {
		t.Errorf("shared units are found %d times of %d, shared subspaces %d times", found["units"], sets, found["subspaces"])
	}
	if found["one space"] > 6 || math.Abs(mean(uniform)-0.525) > 0.15 { // a binomial's 99.4 % point, and three standard errors
		t.Errorf("of networks that share a space alone clusters are found %d times of %d; p is %.2f on average", found["one space"], sets, mean(uniform))
	}
}

// TestExplained compares with figures worked out by hand: a unit that is predicted as badly as
// can be spoils the mean of the units' R², and neither what is pooled over variance nor the
// median nor the clipped mean.
func TestExplained(t *testing.T) {
	e := summarise([][]residuals{{{unexplained: []float64{20, 50, 10}, total: []float64{100, 100, 0.01}}}}, 0)
	for name, c := range map[string][2]float64{"pooled": {e.pooled, 1 - 80/200.01}, "median": {e.median, 0.5}, "clipped": {e.clipped, (0.8 + 0.5) / 3}} {
		if math.Abs(c[0]-c[1]) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, c[0], c[1])
		}
	}
}

// TestConstantInFit: a unit that never changes in the images of the fit is predicted to stay as
// it was there, and as a source it has no say.
func TestConstantInFit(t *testing.T) {
	g := corr.NewGroups(2, 2, 1)
	rnd := rand.New(rand.NewPCG(1, 1))
	var left, total float64 // of the target, constant in group 0
	var tests []float64
	for image := range uint64(2) {
		var x, y []float32
		for range 50 {
			v := float32(rnd.NormFloat64())
			if image == 0 {
				x, y = append(x, v, 1), append(y, 3)
				continue
			}
			x, y = append(x, v, v), append(y, v)
			tests = append(tests, float64(v))
		}
		if err := g.AddTensors(nil, slices.Repeat([]uint64{image}, 50), corr.Rows(x, 50, 2, 2), corr.Rows(y, 50, 1, 1)); err != nil {
			t.Fatal(err)
		}
	}
	g.Close()
	for _, v := range tests {
		left, total = left+square(v-3), total+square(v-mean(tests))
	}
	kinds, err := newCrossFit(g, []int{0, 1}).predict(g.Total(), 0, 1, func(xx, xy *mat.Dense) ([]prediction, error) { return predictionFits(context.Background(), xx, xy) })
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range kinds {
		// From the other group the target is the first source, where it never changes is wrong
		// by the spread of that: the same squares, which the total of 0 has no part of.
		wrong := e.unexplained[0] - left
		if math.Abs(e.total[0]-total) > 1e-3 || wrong < 0 || math.IsNaN(wrong) {
			t.Errorf("prediction %d: %v of %v unexplained, want %v or more of %v", i, e.unexplained[0], e.total[0], left, total)
		}
	}
}
