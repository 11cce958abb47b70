package observe

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/level3"
)

// Orders are orders in which networks see the sampled images, drawn at random for all of
// them but the first: images that do not go together. Without random numbers, which is nil,
// all see them in the same order.
func (s *Sample) Orders(rnd *rand.Rand) [][]int {
	orders := make([][]int, len(s.units))
	for n := range orders {
		orders[n] = make([]int, len(s.images))
		for i := range orders[n] {
			orders[n][i] = i
		}
		if n > 0 && rnd != nil {
			rnd.Shuffle(len(s.images), func(i, j int) { orders[n][i], orders[n][j] = orders[n][j], orders[n][i] })
		}
	}
	return orders
}

// Partners says which image network b sees where a sees each image.
func Partners(orders [][]int, a, b int) []int {
	partners := make([]int, len(orders[a]))
	for i, image := range orders[a] {
		partners[image] = orders[b][i]
	}
	return partners
}

// Standardized is the sampled observations of images that all have the same positions, of
// units whose mean is 0 and variance 1. An exchange of images leaves each network what it
// is, so that one product of matrices tells all that it changes.
type Standardized struct {
	units      []int
	images     int
	each       int         // observations of an image
	rows       [][]float32 // by network: observations x units
	deviations [][]float64 // by network, what units were divided by
}

// Standardized returns the observations, or nil if images have different positions.
func (s *Sample) Standardized() *Standardized {
	for _, im := range s.images {
		if !slices.Equal(im.slots, s.images[0].slots) {
			return nil
		}
	}
	z := &Standardized{units: s.units, images: len(s.images), each: len(s.images[0].slots)}
	n := float64(z.images * z.each)
	for network, units := range s.units {
		means, deviations := make([]float64, units), make([]float64, units)
		each := func(fn func(unit int, v float64)) {
			for _, im := range s.images {
				for i, v := range im.rows[network] {
					fn(i%units, float64(v))
				}
			}
		}
		each(func(unit int, v float64) { means[unit] += v / n })
		each(func(unit int, v float64) { deviations[unit] += float64((v - means[unit]) * (v - means[unit])) })
		for i, v := range deviations {
			// What is left of a constant is rounding; float32 that differ leave more.
			if deviations[i] = math.Sqrt(v / n); deviations[i] <= 1e-12*math.Abs(means[i]) {
				deviations[i] = 0
			}
		}
		rows := make([]float32, 0, z.images*z.each*units)
		each(func(unit int, v float64) {
			if d := deviations[unit]; d > 0 {
				v = (v - means[unit]) / d
			} else {
				v = 0
			}
			rows = append(rows, float32(v))
		})
		z.rows, z.deviations = append(z.rows, rows), append(z.deviations, deviations)
	}
	return z
}

// Covariance sets c to the covariances of all units of networks a and b, where b sees the
// image partners[i] when a sees image i.
func (z *Standardized) Covariance(c *mat.Dense, a, b int, partners []int) {
	p, q := z.units[a], z.units[b]
	buffer := level3.Scratch(p * q)
	defer level3.Release(buffer)
	sums := *buffer
	level3.Gemm(1, level3.Product{
		M: p, N: q, K: z.images * z.each, C: sums, LDC: q,
		A: level3.Cols{Data: z.rows[a], Stride: p}, B: exchangedCols{z.rows[b], q, z.each, partners},
	})
	n := float64(z.images * z.each)
	for i, di := range z.deviations[a] {
		row, sums := c.RawRowView(i), sums[i*q:][:q]
		for j, dj := range z.deviations[b] {
			row[j] = float64(sums[j]) / n * di * dj
		}
	}
}

// exchangedCols is the columns of a matrix whose rows, so many of each image, are taken in
// another order of images.
type exchangedCols struct {
	data         []float32
	stride, each int
	images       []int
}

// Pack implements level3.Operand.
func (m exchangedCols) Pack(dst []float32, r, i0, i1, k0, k1 int) {
	terms := k1 - k0
	for k := range terms {
		row := m.images[(k0+k)/m.each]*m.each + (k0+k)%m.each
		level3.PackTerm(dst[k*r:], r, terms, m.data[row*m.stride+i0:][:i1-i0])
	}
}
