package finding

import (
	"context"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
)

// turnShares are how much of the way to a random rotation bases are turned.
var turnShares = []float64{0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1}

// How many ways to random rotations curves are means of, and how many random rotations there
// are for the null of the index, at most; and how many within an index.
const (
	turns           = 4
	indexRotations  = 50
	chanceRotations = 2
)

// basisKind is a basis in which units are matched, and how they are.
type basisKind struct {
	of    func(c *corr.Pair) *corr.Pair
	match func(r *mat.Dense) ([]float64, error)
}

// bases are the units' own, and their principal axes, whose signs mean nothing.
var bases = [2]basisKind{
	{func(c *corr.Pair) *corr.Pair { return c }, matchedIn},
	{(*corr.Pair).Principal, func(r *mat.Dense) ([]float64, error) {
		r.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, r)
		return matchedIn(r)
	}},
}

// turned is the mean matched correlation in a basis and others, over pairs of networks.
type turned struct {
	curve   []float64 // by share of the way
	random  []float64 // in random bases
	aligned float64   // after B is turned towards A
}

// basis tests claim 3, where there are bases to turn: of a single unit there is none.
func (l *layer) basis(ctx context.Context) error {
	if !hasBases(l.Moments) {
		return nil
	}
	b := new(results.Basis)
	for _, s := range turnShares {
		b.Degrees = append(b.Degrees, 90*s)
	}
	random := l.cubeDraws(indexRotations)
	all := [2]turned{}
	for i := range all {
		all[i] = turned{curve: make([]float64, len(turnShares)), random: make([]float64, random)}
	}
	paths := make(map[int][]*corr.RotationPath) // by number of units
	for k := range l.result.Pairs {
		own := l.Moments.Pair(l.result.Pairs[k].A, l.result.Pairs[k].B).Standardized()
		for i, basis := range bases {
			c := basis.of(own)
			q := len(c.UnitsB)
			if paths[q] == nil {
				var err error
				if paths[q], err = l.paths(ctx, q); err != nil {
					return err
				}
			}
			turning := c.Turning()
			aligned, err := basis.match(turning.By(nil, c.Alignment()))
			if err != nil {
				return err
			}
			all[i].aligned += mean(aligned) / float64(len(l.result.Pairs))
			if err := l.turn(ctx, &all[i], turning, paths[q], basis.match); err != nil {
				return err
			}
		}
	}
	b.Units, b.Axes, b.Aligned, b.AlignedAxes = all[0].curve, all[1].curve, all[0].aligned, all[1].aligned
	own := l.own.indices
	b.Index, b.AxesIndex = own[0].measure(plainInterval), own[1].measure(plainInterval)
	for i, m := range []*results.Measure{&b.Index, &b.AxesIndex} {
		m.Null, m.P = all[i].indexNull()
		m.Draws = random
	}
	l.result.Basis = b
	err := l.indexGain(ctx, b, own[0])
	l.chance.rotations = nil // the memory of which is free from here on
	return err
}

// hasBases says whether the units of every network have a basis to turn: there are two or more.
func hasBases(m *corr.Moments) bool {
	for n := range m.Networks() {
		if len(m.Live(n)) < 2 {
			return false
		}
	}
	return true
}

// indexGain says what of the index the networks had before training, if they are known, and
// what training added.
func (l *layer) indexGain(ctx context.Context, b *results.Basis, own pairFigure) error {
	if l.before == nil || !hasBases(l.before) {
		return nil
	}
	before, err := l.perPair(ctx, l.before, l.Baseline, func(k int, c *corr.Pair) ([]float64, error) { return l.indices(ctx, k, c, bases[:1]) })
	if err != nil {
		return err
	}
	b.UntrainedIndex = results.Finite(before[0].images().Value)
	gain := own.less(before[0]).measure(plainInterval)
	b.Gain = &gain
	return nil
}

// paths are the ways of so many units to random rotations.
func (l *layer) paths(ctx context.Context, units int) ([]*corr.RotationPath, error) {
	all := make([]*corr.RotationPath, l.ways())
	return all, l.each(ctx, len(all), func(t int) error {
		all[t] = corr.NewRotationPath(units, random(l.Seed, turnDirection, t))
		return nil
	})
}

// ways is how many ways to random rotations curves are means of: one in wide layers.
func (l *layer) ways() int {
	if slices.Max(l.Units) > cubeWidth {
		return 1
	}
	return turns
}

// turn adds a pair of networks, in a basis, B's turned along each of the paths, and at random.
func (l *layer) turn(ctx context.Context, t *turned, c *corr.Turning, paths []*corr.RotationPath, match func(r *mat.Dense) ([]float64, error)) error {
	curves := len(paths) * len(turnShares)
	r := make([]float64, curves+len(t.random))
	err := l.each(ctx, len(r), func(i int) (err error) {
		turned, release := matrix(c.Dims())
		defer release()
		if i < curves {
			c.By(turned, paths[i/len(turnShares)].At(turnShares[i%len(turnShares)]))
		} else {
			c.Correlation(turned, random(l.Seed, indexRotation, i-curves))
		}
		matched, err := match(turned)
		r[i] = mean(matched) / float64(len(l.result.Pairs))
		return err
	})
	for i, v := range r {
		if d := i - curves; d >= 0 {
			t.random[d] += v
		} else {
			t.curve[i%len(turnShares)] += v / float64(len(paths))
		}
	}
	return err
}

// indexNull says what the index of a random basis is, and the p-value of the own.
func (t turned) indexNull() (null, p *float64) {
	chance := mean(t.random)
	draws := corr.Null{Draws: make([]float64, len(t.random))}
	for d, r := range t.random {
		draws.Draws[d] = ratio(r-chance, t.aligned-chance)
	}
	return results.Finite(draws.Mean()), results.Finite(draws.PValue(ratio(t.curve[0]-chance, t.aligned-chance)))
}

// chances are rotations within an index, by their order and number: the same without each group
// of images, since an interval is of the differences that these make.
type chances struct {
	mu        sync.Mutex
	rotations map[[2]int]func() *mat.Dense
}

func (c *chances) rotation(order, draw int, seed uint64) *mat.Dense {
	c.mu.Lock()
	if c.rotations == nil {
		c.rotations = make(map[[2]int]func() *mat.Dense)
	}
	key := [2]int{order, draw}
	if c.rotations[key] == nil {
		c.rotations[key] = sync.OnceValue(func() *mat.Dense { return corr.Rotation(order, random(seed, indexChance, draw)) })
	}
	find := c.rotations[key]
	c.mu.Unlock()
	return find()
}

// indices says where between the random and the aligned basis a pair is in each of some bases.
func (l *layer) indices(ctx context.Context, k int, c *corr.Pair, bases []basisKind) ([]float64, error) {
	own := c.Standardized()
	var all []float64
	for _, basis := range bases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := basis.of(own)
		r, err := basis.match(c.Correlation())
		if err != nil {
			return nil, err
		}
		turning := c.Turning()
		aligned, err := basis.match(turning.By(nil, c.Alignment()))
		if err != nil {
			return nil, err
		}
		chance, ceiling := 0.0, mean(aligned)
		for d := range chanceRotations {
			r, err := basis.match(turning.By(nil, l.chance.rotation(len(c.UnitsB), k*chanceRotations+d, l.Seed)))
			if err != nil {
				return nil, err
			}
			chance += float64(mean(r) / chanceRotations)
		}
		all = append(all, ratio(mean(r)-chance, ceiling-chance))
	}
	return all, nil
}
