// Package finding compares networks at a layer, from what was observed of it: units one to
// one, one to few and many to many, the four claims of the paper beside what chance gives,
// and measures of similarity. What was observed does not allow every finding; those that
// it does not are left out.
package finding

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/match"
)

// Options say how networks are compared.
type Options struct {
	results.Analysis
	Threads  int                   // 0: all
	Progress func(done, total int) // steps of a layer; may be nil
}

// layer is the comparison of a layer under way.
type layer struct {
	*observe.Layer
	Options
	result  *results.Layer
	details func(*results.Pair, *results.Detail) error
	steps   steps

	images       *crossFit     // halves of the images; nil if none can be held out
	before       *corr.Moments // of networks before training; nil if not known
	imagesBefore *crossFit     // likewise

	own       ownFigures
	chance    chances
	sampled   []pairFigures   // of a sample of observations, by pair; nil if there is none
	exchanged [][]pairFigures // of the same with images exchanged, by draw and pair
}

// findings are made in this order.
var findings = []func(*layer, context.Context) error{
	(*layer).pairs, (*layer).exchange, (*layer).figures, (*layer).convergence, (*layer).subspaces, (*layer).basis, (*layer).activity, (*layer).descent, (*layer).measures, (*layer).geometry,
}

// ErrDead says that a network has no live unit.
var ErrDead = errors.New("every unit of it is dead, and nothing can be compared")

// CheckLive returns an error if nothing can be compared at a layer, since a network, or the
// same before training, has no live unit.
func CheckLive(l *observe.Layer) error {
	l.Gather()
	states := []struct {
		name    string
		moments *corr.Moments
	}{{"", l.Moments}}
	if l.Baseline != nil {
		states = append(states, struct {
			name    string
			moments *corr.Moments
		}{" before training", l.Baseline.Total()})
	}
	for _, s := range states {
		for n := range l.Units {
			if len(s.moments.Live(n)) == 0 {
				return fmt.Errorf("layer %s of %s%s: %w", l.NetworkLayers[n], l.Networks[n], s.name, ErrDead)
			}
		}
	}
	return nil
}

// Layer makes every finding at one layer that what was observed allows. As soon as the
// units of two networks are matched, predicted and clustered, it hands on what there is of
// that beside results.
func Layer(ctx context.Context, l *observe.Layer, o Options, details func(*results.Pair, *results.Detail) error) (*results.Layer, error) {
	c := &layer{Layer: l, Options: o, result: new(results.Layer), details: details}
	if err := CheckLive(l); err != nil {
		return nil, err
	}
	l.Moments.Threads = o.Threads
	c.images = newCrossFit(l.Groups, l.Folds)
	if l.Baseline != nil {
		c.before, c.imagesBefore = l.Baseline.Total(), newCrossFit(l.Baseline, l.Folds)
	}
	c.steps.report, c.steps.total = o.Progress, Steps()
	for _, find := range findings {
		if err := find(c, ctx); err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.Name, err)
		}
		c.steps.next()
	}
	return c.result, nil
}

// eachPair calls fn for each pair of networks, side by side; what it does it does on one
// thread if there are pairs enough for all.
func (l *layer) eachPair(fn func(k int, p *results.Pair) error) error {
	errs := make([]error, len(l.result.Pairs))
	par.For(par.Threads(l.Threads), len(errs), func(k int) { errs[k] = fn(k, &l.result.Pairs[k]) })
	return errors.Join(errs...)
}

// each calls fn for each of n tasks, side by side.
func (l *layer) each(ctx context.Context, n int, fn func(i int) error) error {
	errs := make([]error, n)
	l.steps.begin(n)
	par.For(par.Threads(l.Threads), n, func(i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			errs[i] = fn(i)
		}
		l.steps.tick()
	})
	return errors.Join(errs...)
}

// pairOf returns the moments of two networks' live units, for work on one thread.
func pairOf(m *corr.Moments, p *results.Pair) *corr.Pair {
	c := m.Pair(p.A, p.B)
	c.Threads = 1
	return c
}

// pairIn returns the moments of two networks' units that are live in others, for work on one
// thread.
func pairIn(m, live *corr.Moments, p *results.Pair) *corr.Pair {
	c := m.PairOf(p.A, p.B, live.Live(p.A), live.Live(p.B))
	c.Threads = 1
	return c
}

// purpose is what random numbers are drawn for. Each purpose has a stream of its own.
type purpose uint64

const (
	matchedRotation  purpose = iota + 2 // rotated units, for matchings
	turnDirection                       // ways from the own basis to a random one
	indexRotation                       // random bases, for the null of the index
	indexChance                         // random bases, within the index
	growthRotation                      // rotated units, at checkpoints and widths
	imageExchange                       // images that do not go together
	unitExchange                        // units of two networks in one
	clusterRotation                     // rotated units, clustered anew
	kMeans                              // starts of the spectral clustering
	gradientDescent                     // orders of observations
	geometryExchange                    // images that do not go together, for inner products
	gridExchange                        // the same, for all layers beside all layers
	inputRotation                       // rotated inputs of the ReLU
	restRotation                        // rotated units but for those that were found
	partnerExchange                     // matched units of two networks, whose partners are exchanged
)

// stream is the seed of a purpose's random numbers.
func stream(seed uint64, p purpose) uint64 {
	return rand.New(rand.NewPCG(seed, uint64(p))).Uint64()
}

// random is a source for one draw of one purpose.
func random(seed uint64, p purpose, draw int) *rand.Rand {
	return rand.New(rand.NewPCG(stream(seed, p), uint64(draw)))
}

// matchedR returns the correlations of the one-to-one matching.
func matchedR(c *corr.Pair) ([]float64, error) { return matchedIn(c.Correlation()) }

func matchedIn(r *mat.Dense) ([]float64, error) {
	m, err := match.Bipartite(r)
	if err != nil {
		return nil, err
	}
	var matched []float64
	for i, partner := range m.Partner {
		if partner >= 0 {
			matched = append(matched, m.R[i])
		}
	}
	return matched, nil
}

// confidence is that of intervals.
const confidence = 0.95

// intervalKind is which interval a figure has. [TestIntervalsCover] shows that those
// that are given cover.
type intervalKind int

const (
	noInterval        intervalKind = iota // none that is known to cover
	plainInterval                         // of the figure that so many images give on average
	correctedInterval                     // of the figure of all images there are, to either side of the figure less its bias
)

// measure is a figure with its interval, if it has one.
func measure(j corr.Jackknife, kind intervalKind) results.Measure {
	m := results.Measure{Value: results.Finite(j.Value)}
	var low, high float64
	switch kind {
	case noInterval:
		return m
	case plainInterval:
		low, high = j.Interval(confidence)
	case correctedInterval:
		low, high = j.CorrectedInterval(confidence)
		if len(j.Without) > 0 {
			m.Corrected = results.Finite(j.Corrected())
		}
	}
	m.Images = results.NewInterval(low, high)
	return m
}

// percentiles of values, 0 to 100.
func percentiles(values []float64) []float64 {
	shares := make([]float64, 101)
	for i := range shares {
		shares[i] = float64(i) / 100
	}
	return corr.Null{Draws: values}.Quantiles(shares...)
}

// shareAbove is how many of the values are above a limit.
func shareAbove(values []float64, limit float64) float64 {
	n := 0
	for _, v := range values {
		if v > limit {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

func mean(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// ratio is x/y, or 0 by 0.
func ratio(x, y float64) float64 {
	if y == 0 {
		return 0
	}
	return x / y
}

// pick returns what is at the given places.
func pick[T any](x []T, places []int) []T {
	picked := make([]T, len(places))
	for i, at := range places {
		picked[i] = x[at]
	}
	return picked
}
