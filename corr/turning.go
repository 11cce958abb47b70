package corr

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/level3"
)

// Turning is the units of a beside those of b in random bases of the space that b's units
// span: what [Pair.Basis] and [Rotation] give, at a part of the cost. In b's principal axes
// its covariances are a diagonal, and the rows of a random rotation that belong to axes
// without variance, which many units at few observations have, are not needed.
//
// Products are summed in float32, of correlations and of directions, none of which is above 1:
// results err by some 1e-7.
type Turning struct {
	p, q, rank int
	between    []float32 // p x rank: correlations of a's units with b's axes
	deviations []float64 // along these
	axes       []float32 // rank x q
}

// Turning returns the units of c to be turned. It may be used at once from several threads.
func (c *Pair) Turning() *Turning {
	b := c.axesB()
	t := &Turning{p: c.p, q: c.q, rank: b.held, deviations: b.deviations(), axes: singles(b.rows)}
	t.between = axisCorrelations(c.reversed().axisBetween(), c.aa, t.deviations, c.p)
	return t
}

// Dims returns the numbers of units of a and of b.
func (t *Turning) Dims() (p, q int) { return t.p, t.q }

// deviations returns the standard deviations along the axes that are held.
func (a *axes) deviations() []float64 {
	d := make([]float64, a.held)
	for k := range d {
		d[k] = math.Sqrt(max(0, a.variances[k]))
	}
	return d
}

// axisCorrelations returns the correlations, p x rank, of units with axes of the given
// deviations, by their covariances, rank x p, and the units' own; 0 where there is no variance.
func axisCorrelations(covariances, own, deviations []float64, p int) []float32 {
	rank := len(deviations)
	r := make([]float32, p*rank)
	for i := range p {
		if s := math.Sqrt(own[i*(p+1)]); s > 0 {
			for k, d := range deviations {
				if d > 0 {
					r[i*rank+k] = float32(max(-1, min(1, covariances[k*p+i]/s/d)))
				}
			}
		}
	}
	return r
}

// singles returns x in float32.
func singles(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// Correlation returns the p x q correlations of a's units with b's, once these are turned by a
// rotation from the Haar measure. Turnings of pairs with the same b turn it alike by the same
// random numbers. It fills and returns dst; a nil dst is allocated, one of another shape panics.
func (t *Turning) Correlation(dst *mat.Dense, rnd *rand.Rand) *mat.Dense {
	w := level3.Scratch(t.q * t.rank)
	defer level3.Release(w)
	if gaussian(t.q, t.rank) {
		x := gaussianDirections(t.q, t.rank, rnd)
		defer dense.Release(x)
		for j := range t.q { // as unitVariance of the transpose
			weights, variance := (*w)[j*t.rank:][:t.rank], 0.0
			for i, v := range (*x)[j*t.rank:][:t.rank] {
				weights[i] = float32(v)
				v = t.deviations[i] * float64(weights[i])
				variance += float64(v * v)
			}
			scale := inverseRoot(variance)
			for i, d := range t.deviations {
				weights[i] = float32(float64(weights[i]) * d * scale)
			}
		}
		return t.multiply(dst, level3.Rows{Data: *w, Stride: t.rank}, t.q)
	}
	x := dense.Scratch(t.rank * t.q)
	defer dense.Release(x)
	rotatedDirections(*x, t.q, t.rank, rnd)
	for i, v := range *x {
		(*w)[i] = float32(v)
	}
	return t.correlation(dst, *w, t.q)
}

// By returns the p x k correlations of a's units with the combinations of b's that have the
// weights in the columns of w, q x k, as [Pair.Basis] does. It fills and returns dst; a nil dst is
// allocated. It panics if a shape does not fit.
func (t *Turning) By(dst *mat.Dense, w mat.Matrix) *mat.Dense {
	x, k := basisWeights(w, t.q)
	largest := make([]float64, k) // of each column, whose size does not matter
	for i := range t.q {
		for j, v := range x[i*k:][:k] {
			largest[j] = max(largest[j], math.Abs(v))
		}
	}
	weights, inAxes := level3.Scratch(len(x)), level3.Scratch(t.rank*k)
	defer level3.Release(weights)
	defer level3.Release(inAxes)
	clear(*weights)
	for i := range t.q {
		row := (*weights)[i*k:][:k]
		for j, v := range x[i*k:][:k] {
			if s := largest[j]; s > 0 {
				row[j] = float32(v / s)
			}
		}
	}
	level3.Gemm(1, level3.Product{M: t.rank, N: k, K: t.q, A: level3.Rows{Data: t.axes, Stride: t.q}, B: level3.Cols{Data: *weights, Stride: k}, C: *inAxes, LDC: k})
	return t.correlation(dst, *inAxes, k)
}

// correlation sets dst to the correlations with k combinations of b's axes of weights w, rank x k,
// which it changes.
func (t *Turning) correlation(dst *mat.Dense, w []float32, k int) *mat.Dense {
	unitVariance(w, t.deviations, k)
	return t.multiply(dst, level3.Cols{Data: w, Stride: k}, k)
}

// multiply sets dst to the correlations with k combinations of variance 1 of b's axes.
func (t *Turning) multiply(dst *mat.Dense, weights level3.Operand, k int) *mat.Dense {
	if dst == nil {
		dst = mat.NewDense(t.p, k, nil)
	}
	if r, c := dst.Dims(); r != t.p || c != k {
		panic(badDst)
	}
	sums := level3.Scratch(t.p * k)
	defer level3.Release(sums)
	level3.Gemm(1, level3.Product{M: t.p, N: k, K: t.rank, A: level3.Rows{Data: t.between, Stride: t.rank}, B: weights, C: *sums, LDC: k})
	for i := range t.p {
		row := dst.RawRowView(i)
		for j, v := range (*sums)[i*k:][:k] {
			row[j] = float64(max(-1, min(1, v)))
		}
	}
	return dst
}

// unitVariance makes of the weights of axes, in rows of k elements, those of axes of deviation 1 in
// combinations of variance 1.
func unitVariance(w []float32, deviations []float64, k int) {
	scale := make([]float64, k)
	inverseDeviations(scale, w, deviations)
	for i, d := range deviations {
		row := w[i*k:][:k]
		for j, s := range scale {
			row[j] = float32(float64(row[j]) * d * s)
		}
	}
}

// inverseDeviations sets dst to the inverses of the standard deviations of combinations of axes
// of given deviations, whose weights are in rows as long as dst; 0 where there is no variance.
func inverseDeviations(dst []float64, w []float32, deviations []float64) {
	clear(dst)
	for i, d := range deviations {
		for j, x := range w[i*len(dst):][:len(dst)] {
			v := d * float64(x)
			dst[j] += float64(v * v)
		}
	}
	for j, v := range dst {
		dst[j] = inverseRoot(v)
	}
}

// inverseRoot is 1/sqrt(v), or 0 where v is 0.
func inverseRoot(v float64) float64 {
	if v > 0 {
		return 1 / math.Sqrt(v)
	}
	return 0
}
