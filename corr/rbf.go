package corr

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/convergent-go/convergent/internal/elem"
	"github.com/convergent-go/convergent/internal/par"
)

// RBF returns the Gram of another kernel, of Gaussian radial basis functions:
//
//	exp(-|x - y|^2 / (2 sigma^2))
//
// where sigma is the given share of the median distance of two different samples
// (Kornblith, Norouzi, Lee and Hinton, ICML 2019, who take 0.2, 0.4 and 0.8). These are
// inner products in a space of infinitely many features, where all measures of a
// [GramPair] make sense but distances of [CorrelationDistance]; CKA there is RBF CKA. It takes as
// much memory as g.
//
// A share that is not above 0 is an error, and so are half of all pairs at distance 0, and a
// Gram that is not complete.
func (g *Gram) RBF(share float64) (*Gram, error) {
	if !(share > 0) {
		return nil, fmt.Errorf("corr: a kernel of %v times the median distance; want a share above 0", share)
	}
	if err := g.ready(2); err != nil {
		return nil, err
	}
	m, err := g.metric(EuclideanDistance)
	if err != nil {
		return nil, err
	}
	threads, n := par.Threads(g.Threads), g.n
	sigma := share * m.median(threads)
	if sigma == 0 {
		return nil, errors.New("corr: more than half of the distances are 0: no width of a kernel is right")
	}
	k := NewGram(n)
	k.Threads, k.kernel, k.unidentified = g.Threads, true, g.unidentified
	copy(k.ids, g.ids)
	par.Blocks(threads, n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := k.products[i*n+i : (i+1)*n]
			m.from(i, i, row)
			for j, square := range row {
				row[j] = float32(elem.Exp(-float64(square) / (2 * sigma * sigma)))
			}
		}
	})
	mirror(threads, n, k.products, n)
	k.centreKernel(threads)
	return k, nil
}

// centreKernel takes the mean of the features from them, of which there are products
// only. A row's mean is x.m.
func (g *Gram) centreKernel(threads int) {
	n := g.n
	par.Blocks(threads, n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			g.squares[i] = g.diagonal(i)
			for _, v := range g.products[i*n:][:n] {
				g.lift[i] += float64(v) / float64(n)
			}
		}
	})
	g.centre = mean(g.lift)
	par.Blocks(threads, n, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := g.products[i*n:][:n]
			for j, v := range row {
				row[j] = float32(float64(v) - (g.lift[i] + g.lift[j]) + g.centre)
			}
		}
	})
	for i := range g.lift {
		g.lift[i] -= g.centre
	}
}

// median returns that of the distances, which are EuclideanDistance, of two different samples.
func (m metric) median(threads int) float64 {
	pairs := m.n * (m.n - 1) / 2
	low := m.smallest(threads, (pairs-1)/2)
	if pairs%2 == 1 {
		return math.Sqrt(float64(low))
	}
	return (math.Sqrt(float64(low)) + math.Sqrt(float64(m.smallest(threads, pairs/2)))) / 2
}

// smallest returns the distance that so many are before, in order: first the upper half
// of its bits, and then, of those that have it, the lower.
func (m metric) smallest(threads, before int) float32 {
	var upper uint32
	for _, lower := range []bool{false, true} {
		counts := m.count(threads, func(bits uint32) (uint16, bool) {
			if lower {
				return uint16(bits), bits>>16 == upper
			}
			return uint16(bits >> 16), true
		})
		bin := 0
		for ; counts[bin] <= before; bin++ {
			before -= counts[bin]
		}
		if lower {
			return math.Float32frombits(upper<<16 | uint32(bin))
		}
		upper = uint32(bin)
	}
	panic("unreachable")
}

// count returns how many distances fall in each bin, of those that fall in one.
func (m metric) count(threads int, bin func(bits uint32) (uint16, bool)) []int {
	total := make([]int, 1<<16)
	var mu sync.Mutex
	par.Blocks(threads, m.n, max(16, m.n/(4*threads)), func(lo, hi int) {
		counts, distances := make([]int, 1<<16), make([]float32, m.n)
		for i := lo; i < hi; i++ {
			m.from(i, i+1, distances[i+1:])
			for _, v := range distances[i+1:] {
				if b, ok := bin(math.Float32bits(v)); ok {
					counts[b]++
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for b, c := range counts {
			total[b] += c
		}
	})
	return total
}
