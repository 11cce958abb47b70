package finding

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// featureLayer is a layer of networks of some units of which nothing but matchings is known.
func featureLayer(nets, units int, seed uint64, matched func(a, b int) matching) (*layer, []matching) {
	l := &layer{Layer: new(observe.Layer), Options: Options{Analysis: results.Analysis{Draws: 99, Seed: seed}}, result: new(results.Layer)}
	var all []matching
	for a := range nets {
		l.Units, l.result.Dead = append(l.Units, units), append(l.result.Dead, nil)
		for b := a + 1; b < nets; b++ {
			l.result.Pairs = append(l.result.Pairs, results.Pair{A: a, B: b})
			all = append(all, matched(a, b))
		}
	}
	return l, all
}

// TestFeatures plants features that all networks have, in places of their own, among
// matchings that do not agree; and one that all but the last network have.
func TestFeatures(t *testing.T) {
	const nets, units, planted = 4, 30, 5
	rnd := rand.New(rand.NewPCG(1, 1))
	var place [nets][]int
	for n := range place {
		place[n] = rnd.Perm(units)
	}
	l, all := featureLayer(nets, units, 1, func(a, b int) matching {
		var m matching
		for k := range units {
			partner, r := (k-planted-1+7*b+3*a*b)%(units-planted-1)+planted+1, 0.4
			if k <= planted {
				partner, r = k, 0.9
			}
			if partner <= planted && k > planted || k == planted && b == nets-1 || k > planted+8 {
				r = 0.1
			}
			m.a, m.b, m.r = append(m.a, place[a][k]), append(m.b, place[b][(partner+units)%units]), append(m.r, r)
		}
		return m
	})
	features := l.features(all, 0.3)
	if len(features) != nets-1 {
		t.Fatalf("%d sizes of features", len(features))
	}
	four, three := features[0], features[1]
	if four.Networks != 4 || four.Count != planted || math.Abs(four.Share-float64(planted)/units) > 1e-12 || *four.P > 0.011 || four.Expected > 0.5 {
		t.Errorf("features of all networks: %+v, p %v", four, *four.P)
	}
	if three.Networks != 3 || three.Count < 1 || *three.P > 0.011 {
		t.Errorf("features of three networks: %+v", three)
	}
	if two := features[2]; two.P != nil {
		t.Errorf("features of two networks: %+v", two)
	}
	if l, all := featureLayer(2, 3, 1, func(a, b int) matching { return matching{[]int{0}, []int{1}, []float64{1}} }); l.features(all, 0.5) != nil {
		t.Error("two networks cannot disagree")
	}
}

// TestFeaturesByChance: of matchings that have nothing to do with each other as many
// features are found as chance has, and p-values are not too small.
func TestFeaturesByChance(t *testing.T) {
	const sets, nets, units, matched = 100, 3, 12, 6
	var p []float64
	observed, expected := 0.0, 0.0
	for set := range sets {
		rnd := rand.New(rand.NewPCG(uint64(set), 3))
		l, all := featureLayer(nets, units, uint64(set)+1, func(a, b int) matching {
			m := matching{a: rnd.Perm(units), b: rnd.Perm(units), r: make([]float64, units)}
			for i := range matched {
				m.r[i] = 0.9
			}
			return m
		})
		f := l.features(all, 0.5)[0]
		p = append(p, *f.P)
		observed, expected = observed+float64(f.Count)/sets, expected+f.Expected/sets
	}
	if math.Abs(observed-expected) > 0.25 {
		t.Errorf("%v features by chance, expected %v", observed, expected)
	}
	if share := shareBelow(p, 0.05); share > 0.05+2.5*math.Sqrt(0.05*0.95/sets) {
		t.Errorf("p is at most .05 in %v of the sets", share)
	}
	if share := shareBelow(p, 0.25); share < 0.02 {
		t.Errorf("p is at most .25 in %v of the sets", share)
	}
}

// TestCliques compares with counts by hand: a unit counts once, the largest feature first.
func TestCliques(t *testing.T) {
	p := make(partners)
	join := func(units ...unit) {
		for i, a := range units {
			for _, b := range units[i+1:] {
				p.add(a, b)
			}
		}
	}
	join(unit{0, 0}, unit{1, 5}, unit{2, 3}, unit{3, 1}) // of four
	join(unit{0, 1}, unit{1, 1}, unit{3, 4})             // of three, one of which has another partner
	p.add(unit{0, 1}, unit{2, 9})
	p.add(unit{2, 0}, unit{3, 0}) // a chain, of which two agree
	p.add(unit{1, 0}, unit{2, 0})
	if got := countCliques(p, 4); got[4] != 1 || got[3] != 1 || got[2] != 1 {
		t.Errorf("cliques by size: %v", got)
	}
}
