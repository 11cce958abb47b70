package observe

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

// Between is a layer of networks of so many units that nothing is held of what is within one:
// its samples are gone through once for what is known of single units, and as often as is asked
// for the correlations between those of two networks, of as many units at a time as memory
// allows.
type Between struct {
	*Layer // without moments; its sample is of betweenSample observations
	Rows   int64
	Live   [][]int     // by network, the units that ever change
	Means  [][]float64 // by network, of all units

	plan    BetweenPlan
	source  source.Source
	aligned source.Aligned
}

// BetweenPlan says how a layer is gone through.
type BetweenPlan struct {
	Groups    int // of images, for intervals; 0: as many as there are good for these; 1: none
	Seed      uint64
	Threads   int
	MaxMemory int64 // bytes; 0: no limit
	Progress  func(what string, done, total int)
}

// How much is held of many units. Chance is drawn at betweenSample observations, about, and of as
// many images at most, for so many units of a network beside all of another's.
const (
	betweenSample = 1024
	ChanceUnits   = 256

	matchingBytes = 2048 // of each unit, while it is matched: its candidates
	leastPart     = 32   // units at a time: with fewer, reading takes longer than multiplying
)

// NewBetween returns the i-th aligned layers of a source, of which nothing is read yet. It is an
// error if they take more than there may be.
func NewBetween(s source.Source, i int, plan BetweenPlan) (*Between, error) {
	d := s.Description()
	b := &Between{Layer: newLayer(d, d.Aligned[i]), plan: plan, source: s, aligned: d.Aligned[i]}
	groups := plan.Groups
	if groups == 0 {
		groups = mostGroups
	}
	b.groups, b.Folds, _ = assignGroups(d, max(1, min(max(groups, halves), d.ImageCount)), plan.Seed)
	for x := range b.Units {
		for y := x + 1; y < len(b.Units); y++ {
			if _, err := b.parts(x, y); err != nil {
				return nil, err
			}
		}
	}
	if takes := b.sampleMemory() + b.drawMemory(); plan.MaxMemory > 0 && takes > plan.MaxMemory {
		return nil, b.tooMuch(takes)
	}
	return b, nil
}

func (b *Between) tooMuch(bytes int64) error {
	return fmt.Errorf("-max-mem: layer %s of %v units takes %d MB of memory even a part at a time, more than %d MB; raise it, or compare fewer layers at a time (-layers)", b.Name, b.Units, bytes>>20+1, b.plan.MaxMemory>>20)
}

// reading is what reading takes, with a copy of a batch.
func (b *Between) reading() int64 { return 3 * b.source.Description().Memory / 2 }

// parts is in how many parts the correlations between two networks are computed.
func (b *Between) parts(x, y int) (int, error) {
	p, q := b.Units[x], b.Units[y]
	beside := b.reading() + int64(p+q)*(matchingBytes+3*5*8*int64(len(b.Folds))) + 8*passRows*int64(q)
	for parts := 1; ; parts++ {
		units := (p + parts - 1) / parts
		takes := corr.EstimateCrossMemory(units, q) + beside
		if b.plan.MaxMemory == 0 || takes <= b.plan.MaxMemory {
			return parts, nil
		}
		if units <= leastPart {
			return 0, b.tooMuch(takes)
		}
	}
}

// sampleMemory is what the sample takes, and to draw it.
func (b *Between) sampleMemory() int64 {
	bytes := b.reading()
	for _, units := range b.Units {
		bytes += corr.EstimateCrossMemory(units, 1) + 3*4*int64(units)*b.sampleRows() // as it came, in a matrix, centred
	}
	return bytes
}

// sampleRows is how many observations are sampled at most.
func (b *Between) sampleRows() int64 {
	images := min(int64(b.source.Description().ImageCount), betweenSample)
	return min(betweenSample+images, *b.Samples*int64(b.source.Description().LayerOf(b.aligned, 0).Positions()))
}

// drawMemory is what a draw of chance takes: directions, of few units twice in float64 as well,
// units in them, their products, and correlations.
func (b *Between) drawMemory() int64 {
	q, n := int64(slices.Max(b.Units[1:])), b.sampleRows()
	return 2*4*n*q + 2*8*n*min(q, 2*n) + 3*8*n*n + corr.EstimateCrossMemory(ChanceUnits, int(q))
}

// DrawsAtOnce is how many draws of chance there is memory for at a time.
func (b *Between) DrawsAtOnce() int {
	threads := par.Threads(b.plan.Threads)
	if b.plan.MaxMemory == 0 {
		return threads
	}
	return max(1, min(threads, int((b.plan.MaxMemory-b.sampleMemory())/b.drawMemory())))
}

// Plan says, a line for each two networks, how their correlations are computed.
func (b *Between) Plan() []string {
	var lines []string
	for x, p := range b.Units {
		for y := x + 1; y < len(b.Units); y++ {
			q := b.Units[y]
			parts, _ := b.parts(x, y)
			units := (p + parts - 1) / parts
			line := fmt.Sprintf("%s, %s and %s: %d x %d correlations, ", b.Name, b.Networks[x], b.Networks[y], p, q)
			if parts == 1 {
				line += fmt.Sprintf("all at once in %d MB; the samples are read once for all images", corr.EstimateCrossMemory(p, q)>>20)
				if b.halved() {
					line += ", and once for either half"
				}
			} else {
				line += fmt.Sprintf("%d parts of %d units of %s, in %d MB each; the samples are read %d times for each of some ten looks at all of them", parts, units, b.Networks[x], corr.EstimateCrossMemory(units, q)>>20, parts)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// halved reports whether units are matched on halves of the images too.
func (b *Between) halved() bool { return b.plan.Groups != 1 && len(b.Folds) >= halves }

// Halves are the folds that units are matched on beside all images; none where intervals were
// not asked for, or images are too few.
func (b *Between) Halves() []int {
	if !b.halved() {
		return nil
	}
	return []int{0, 1}
}

// Survey goes through the samples for what is known of single units, and samples observations.
func (b *Between) Survey(ctx context.Context) error {
	p := &pass{source: b.source.Description()}
	b.Sample = newSample(p.source, b.aligned, []State{Own}, betweenSample, betweenSample, b.plan.Seed)
	singles := make([]*corr.CrossMoments, len(b.Units)) // each network beside a unit of its own
	for n, units := range b.Units {
		singles[n] = corr.NewCrossMoments(units, 1)
		singles[n].Threads = b.plan.Threads
	}
	done := 0
	for batch, err := range b.batches(ctx, "look at units") {
		if err != nil {
			return err
		}
		all := b.aligned.Tensors(batch.Networks)
		valid, number := validOf(batch, all[0]), batch.Numbering(done)
		for n, t := range all {
			if err := finite(t, valid, number, p.place(n, b.aligned.Layers[n], "")); err != nil {
				return err
			}
		}
		b.Sample.add(batch.Images, all, valid)
		for n, t := range newRows(batch, all, valid).tensors {
			if err := singles[n].AddTensors(nil, t, t.Units(0, 1)); err != nil {
				return fmt.Errorf("layer %s: %w", b.Name, err)
			}
		}
		done += len(batch.Images)
	}
	b.Sample.finish()
	for _, m := range singles {
		m.Close()
		b.Rows = m.Count()
		b.Live, b.Means = append(b.Live, m.Live(0)), append(b.Means, m.Mean(0))
	}
	return nil
}

// batches goes through the samples, and says so.
func (b *Between) batches(ctx context.Context, what string) iter.Seq2[*source.Batch, error] {
	return func(yield func(*source.Batch, error) bool) {
		done := 0
		for batch, err := range b.source.Batches(ctx) {
			if !yield(batch, err) || err != nil {
				return
			}
			done += len(batch.Images)
			b.Report(what, done, b.source.Description().Samples)
		}
	}
}

// Report says how far something is.
func (b *Between) Report(what string, done, total int) {
	if b.plan.Progress != nil {
		b.plan.Progress(what, done, total)
	}
}

// rows goes through the observations of all images, or of a fold of them; -1: all.
func (b *Between) rows(ctx context.Context, fold int, what string) iter.Seq2[rows, error] {
	return func(yield func(rows, error) bool) {
		for batch, err := range b.batches(ctx, what) {
			if err != nil {
				yield(rows{}, err)
				return
			}
			all := b.aligned.Tensors(batch.Networks)
			if !yield(newRows(batch, all, b.ofFold(fold, batch, all[0])), nil) {
				return
			}
		}
	}
}

// ofFold is the mask of the observations of a fold; nil: all.
func (b *Between) ofFold(fold int, batch *source.Batch, t source.Tensor) []bool {
	valid := validOf(batch, t)
	if fold < 0 {
		return valid
	}
	mask := make([]bool, t.Samples*t.Positions)
	for at := range mask {
		image := batch.Images[at/t.Positions]
		mask[at] = b.Folds[b.groups[image]] == fold && (valid == nil || valid[at])
	}
	return mask
}

// Correlations are those between the live units of two networks, over all images or a fold.
// They are held, or else computed anew for a part of the units of A at a time whenever they are
// gone through.
type Correlations struct {
	*Between
	ctx        context.Context // of Pass, whose callers have none
	a, b, fold int
	parts      int
	held       *corr.CrossMoments // of all units of A, where they are one part
}

// Correlate returns the correlations of networks a and b over all images, fold -1, or a fold of
// them, to be gone through until ctx is done.
func (b *Between) Correlate(ctx context.Context, x, y, fold int) *Correlations {
	parts, _ := b.parts(x, y) // an error of which was one of NewBetween
	return &Correlations{Between: b, ctx: ctx, a: x, b: y, fold: fold, parts: parts}
}

// Dims returns the numbers of live units.
func (c *Correlations) Dims() (rows, cols int) { return len(c.Live[c.a]), len(c.Live[c.b]) }

// Pass calls visit for blocks of rows, rising; see [corr.CrossMoments.Pass].
func (c *Correlations) Pass(visit func(first int, rows *mat.Dense) error) error {
	units, first := c.Units[c.a], 0
	for part := range c.parts {
		lo, hi := units*part/c.parts, units*(part+1)/c.parts
		m, err := c.moments(part, lo, hi)
		if err != nil {
			return err
		}
		from, _ := slices.BinarySearch(c.Live[c.a], lo)
		to, _ := slices.BinarySearch(c.Live[c.a], hi)
		if err := c.visit(m, lo, c.Live[c.a][from:to], first, visit); err != nil {
			return err
		}
		first += to - from
	}
	return nil
}

// moments are those of units [lo, hi) of A with all of B.
func (c *Correlations) moments(part, lo, hi int) (*corr.CrossMoments, error) {
	if c.held != nil {
		return c.held, nil
	}
	if c.plan.MaxMemory > 0 {
		runtime.GC() // of what was held before, lest both are there
	}
	m := corr.NewCrossMoments(hi-lo, c.Units[c.b])
	m.Threads = c.plan.Threads
	what := "correlate units"
	if c.fold >= 0 {
		what += fmt.Sprintf(" of half %d", c.fold+1)
	}
	if c.parts > 1 {
		what += fmt.Sprintf(", part %d of %d", part+1, c.parts)
	}
	for r, err := range c.Between.rows(c.ctx, c.fold, what) {
		if err != nil {
			return nil, err
		}
		if r.tensors[c.a].Len() == 0 {
			continue
		}
		if err := m.AddTensors(nil, r.tensors[c.a].Units(lo, hi), r.tensors[c.b]); err != nil {
			return nil, fmt.Errorf("layer %s: %w", c.Name, err)
		}
	}
	m.Close()
	if c.parts == 1 {
		c.held = m
	}
	return m, nil
}

// passRows is how many rows are visited at a time.
const passRows = 64

// visit goes through the rows of units of A that are live, whose moments begin with unit lo.
func (c *Correlations) visit(m *corr.CrossMoments, lo int, units []int, first int, visit func(first int, rows *mat.Dense) error) error {
	row, live, all := m.Correlations(), c.Live[c.b], c.Units[c.b]
	block := mat.NewDense(passRows, all, nil)
	for len(units) > 0 {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n := min(passRows, len(units))
		par.For(par.Threads(c.plan.Threads), n, func(i int) {
			x := block.RawRowView(i)
			row(x, units[i]-lo)
			for k, u := range live { // to the left
				x[k] = x[u]
			}
		})
		if err := visit(first, block.Slice(0, n, 0, len(live)).(*mat.Dense)); err != nil {
			return err
		}
		first, units = first+n, units[n:]
	}
	return nil
}

// Matched is units of two networks that were matched, a[k] with b[k], over the images of a fold,
// or of all, -1.
type Matched struct {
	NetworkA, NetworkB, Fold int
	A, B                     []int
}

// Sums goes through the samples once more, and returns of each matching the mean correlation of
// matched units on the images that had no part in it, or on all: of these images, and without
// each group of them.
func (b *Between) Sums(ctx context.Context, matchings []Matched) ([]corr.Jackknife, error) {
	sums := make([]*matchedSums, len(matchings))
	for i, m := range matchings {
		sums[i] = b.newMatchedSums(m)
	}
	for batch, err := range b.batches(ctx, "correlate matched units") {
		if err != nil {
			return nil, err
		}
		all := b.aligned.Tensors(batch.Networks)
		for _, s := range sums {
			s.add(batch, all[s.NetworkA], all[s.NetworkB], validOf(batch, all[0]))
		}
	}
	figures := make([]corr.Jackknife, len(sums))
	for i, s := range sums {
		figures[i] = s.jackknife()
	}
	return figures, nil
}

// matchedSums are sums over the observations of each group, of matched units less their means.
type matchedSums struct {
	Matched
	*Between
	rows             []float64   // by group
	x, y, xx, xy, yy [][]float64 // by group and pair
}

func (b *Between) newMatchedSums(m Matched) *matchedSums {
	s := &matchedSums{Matched: m, Between: b, rows: make([]float64, len(b.Folds))}
	for _, sum := range []*[][]float64{&s.x, &s.y, &s.xx, &s.xy, &s.yy} {
		*sum = make([][]float64, len(b.Folds))
		for g := range *sum {
			(*sum)[g] = make([]float64, len(m.A))
		}
	}
	return s
}

// add adds the samples of a batch, in their order, each group's to its own sums.
func (s *matchedSums) add(batch *source.Batch, a, b source.Tensor, valid []bool) {
	group := func(at int) int { return int(s.groups[batch.Images[at/a.Positions]]) }
	counts := func(at int) bool {
		return (valid == nil || valid[at]) && s.Folds[group(at)] != s.Fold
	}
	for at := range a.Samples * a.Positions {
		if counts(at) {
			s.rows[group(at)]++
		}
	}
	meansA, meansB := s.Means[s.NetworkA], s.Means[s.NetworkB]
	par.Blocks(par.Threads(s.plan.Threads), len(s.A), 1024, func(lo, hi int) {
		for at := range a.Samples * a.Positions {
			if !counts(at) {
				continue
			}
			g, u, v := group(at), a.Data[at*a.Units:][:a.Units], b.Data[at*b.Units:][:b.Units]
			x, y, xx, xy, yy := s.x[g], s.y[g], s.xx[g], s.xy[g], s.yy[g]
			for k := lo; k < hi; k++ {
				i, j := s.A[k], s.B[k]
				p, q := float64(u[i])-meansA[i], float64(v[j])-meansB[j]
				x[k] += p
				y[k] += q
				xx[k] += float64(p * p)
				xy[k] += float64(p * q)
				yy[k] += float64(q * q)
			}
		}
	})
}

// jackknife returns the mean correlation over pairs, and what it is without each group.
func (s *matchedSums) jackknife() corr.Jackknife {
	var groups []int // that have observations
	for g, n := range s.rows {
		if n > 0 {
			groups = append(groups, g)
		}
	}
	total := func(of [][]float64, k, without int) (sum float64) {
		for _, g := range groups {
			if g != without {
				sum += of[g][k]
			}
		}
		return sum
	}
	mean := func(without int) (mean float64) {
		n := 0.0
		for _, g := range groups {
			if g != without {
				n += s.rows[g]
			}
		}
		for k := range s.A {
			x, y := total(s.x, k, without), total(s.y, k, without)
			xx, xy, yy := total(s.xx, k, without), total(s.xy, k, without), total(s.yy, k, without)
			vx, vy := xx-float64(x*x)/n, yy-float64(y*y)/n
			if vx > 0 && vy > 0 {
				mean += (xy - float64(x*y)/n) / math.Sqrt(vx) / math.Sqrt(vy) / float64(len(s.A))
			}
		}
		return mean
	}
	j := corr.Jackknife{Value: mean(-1)}
	for _, g := range groups {
		j.Without, j.Rows = append(j.Without, mean(g)), append(j.Rows, s.rows[g])
	}
	return j
}
