package corr

import (
	"fmt"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// Bins are the edges of intervals of activations, rising, for each unit of a network: a
// value that is above k of its unit's edges is in bin k. A unit has at most 255 edges.
type Bins [][]float32

// PaperBins returns the paper's bins (section 3.1) for a sample of activations: one bin
// up to 1e-6, where ReLUs are off, and 20 bins that each hold 5 % of the activations
// above. Units whose percentiles coincide have fewer.
func PaperBins(sample Tensor) Bins {
	const threshold, quantiles = 1e-6, 20
	bins := make(Bins, sample.units)
	for u := range bins {
		var active []float32
		for r := range sample.Len() {
			if v := sample.at(r, u); v > threshold {
				active = append(active, v)
			}
		}
		slices.Sort(active)
		bins[u] = []float32{threshold}
		for k := 1; k < quantiles && len(active) > 0; k++ {
			bins[u] = append(bins[u], active[(k*len(active)+quantiles-1)/quantiles-1])
		}
		bins[u] = slices.Compact(bins[u])
	}
	return bins
}

// Histograms are the joint histograms of pairs of units of two networks, from which
// mutual information follows, which moments cannot give. They take 4 bytes for each pair
// of bins of each pair of units, whatever the number of observations, which may be up to
// 2^32-1. They are not safe for concurrent use.
type Histograms struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	a, b   Bins
	pairs  [][2]int // of units, by the first
	counts [][]uint32
	rows   int64
}

// NewHistograms returns empty histograms of the given pairs of a unit of a and a unit of
// b; nil is all pairs. It panics if a unit's edges do not rise or are too many, or a pair
// names a unit that does not exist.
func NewHistograms(a, b Bins, pairs [][2]int) *Histograms {
	for _, bins := range []Bins{a, b} {
		for _, edges := range bins {
			if len(edges) > 255 {
				panic("corr: too many bins")
			}
			for i := range edges {
				if i > 0 && !(edges[i-1] < edges[i]) {
					panic("corr: edges of bins must rise")
				}
			}
		}
	}
	if pairs == nil {
		for i := range a {
			for j := range b {
				pairs = append(pairs, [2]int{i, j})
			}
		}
	}
	h := &Histograms{a: a, b: b, pairs: slices.Clone(pairs), counts: make([][]uint32, len(pairs))}
	for k, p := range h.pairs {
		if p[0] < 0 || p[0] >= len(a) || p[1] < 0 || p[1] >= len(b) {
			panic("corr: a pair of no units")
		}
		h.counts[k] = make([]uint32, (len(a[p[0]])+1)*(len(b[p[1]])+1))
	}
	return h
}

// Add counts observations of both networks: the same samples and positions. NaN and
// infinite activations are an error, and then nothing is counted. It panics if shapes do
// not fit.
func (h *Histograms) Add(a, b Tensor) error {
	if a.units != len(h.a) || b.units != len(h.b) || a.samples != b.samples || a.positions != b.positions {
		panic("corr: a tensor has the wrong shape")
	}
	rows, threads := a.Len(), par.Threads(h.Threads)
	if h.rows+int64(rows) > math.MaxUint32 {
		return fmt.Errorf("corr: histograms count up to %d observations", uint32(math.MaxUint32))
	}
	if err := check(threads, h.rows, 0, rows, []Tensor{a, b}); err != nil {
		return err
	}
	const tileRows = 4096 // whose bins stay in the cache
	x, y := make([]uint8, tileRows*a.units), make([]uint8, tileRows*b.units)
	for lo := 0; lo < rows; lo += tileRows {
		hi := min(rows, lo+tileRows)
		h.a.binIndices(threads, x, tileRows, a, lo, hi)
		h.b.binIndices(threads, y, tileRows, b, lo, hi)
		par.For(threads, len(h.pairs), func(k int) {
			i, j := h.pairs[k][0], h.pairs[k][1]
			counts, width := h.counts[k], len(h.b[j])+1
			bj := y[j*tileRows:][:hi-lo]
			for r, bin := range x[i*tileRows:][:hi-lo] {
				counts[int(bin)*width+int(bj[r])]++
			}
		})
	}
	h.rows += int64(rows)
	return nil
}

// binIndices writes the bins of rows [lo, hi) of all units to dst, units x ld.
func (b Bins) binIndices(threads int, dst []uint8, ld int, t Tensor, lo, hi int) {
	par.For(threads, len(b), func(u int) {
		edges := b[u]
		for r := lo; r < hi; r++ {
			k, _ := slices.BinarySearch(edges, t.at(r, u))
			dst[u*ld+r-lo] = uint8(k)
		}
	})
}

// Count returns the number of observations.
func (h *Histograms) Count() int64 { return h.rows }

// Merge adds the counts of o. Other bins or pairs are an error.
func (h *Histograms) Merge(o *Histograms) error {
	equalBins := func(a, b Bins) bool { return slices.EqualFunc(a, b, slices.Equal) }
	switch {
	case !equalBins(h.a, o.a) || !equalBins(h.b, o.b) || !slices.Equal(h.pairs, o.pairs):
		return fmt.Errorf("corr: histograms of other bins or pairs cannot be merged")
	case h.rows+o.rows > math.MaxUint32:
		return fmt.Errorf("corr: histograms count up to %d observations", uint32(math.MaxUint32))
	}
	for k, counts := range o.counts {
		for i, c := range counts {
			h.counts[k][i] += c
		}
	}
	h.rows += o.rows
	return nil
}

// Information is the mutual information of two units.
type Information struct {
	A, B int // the units
	// PlugIn is the mutual information of the observed frequencies, in nats: sum p(x,y)
	// log(p(x,y) / (p(x) p(y))) (paper, section 3.1). It is 0 or more, and on average too
	// large, by nearly Bias for units that are independent.
	PlugIn float64
	// Bias is (K_x - 1)(K_y - 1) / 2N for the numbers of bins that occur (Miller, "Note
	// on the bias of information estimates", 1955). PlugIn - Bias can be below 0.
	Bias float64
}

// Information returns the mutual information of every pair, in the order of the pairs;
// zeros before the first observation. It is symmetric, and invariant to rising functions
// of a unit if its edges are transformed likewise.
func (h *Histograms) Information() []Information {
	results := make([]Information, len(h.pairs))
	par.For(par.Threads(h.Threads), len(results), func(k int) {
		i, j := h.pairs[k][0], h.pairs[k][1]
		results[k] = Information{A: i, B: j}
		if h.rows == 0 {
			return
		}
		width, n := len(h.b[j])+1, float64(h.rows)
		px, py := make([]float64, len(h.a[i])+1), make([]float64, width)
		for cell, c := range h.counts[k] {
			px[cell/width] += float64(c) / n
			py[cell%width] += float64(c) / n
		}
		occupied := func(p []float64) (bins float64) {
			for _, v := range p {
				if v > 0 {
					bins++
				}
			}
			return bins
		}
		for cell, c := range h.counts[k] {
			if c > 0 {
				p := float64(c) / n
				results[k].PlugIn += float64(p * math.Log(p/(px[cell/width]*py[cell%width])))
			}
		}
		results[k].PlugIn = max(0, results[k].PlugIn)
		results[k].Bias = (occupied(px) - 1) * (occupied(py) - 1) / (2 * n)
	})
	return results
}
