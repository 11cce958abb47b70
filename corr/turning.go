package corr

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/dense"
	"github.com/convergent-go/convergent/internal/par"
)

// Turning is the units of a beside those of b in random bases of the space that b's units
// span: what [Pair.Basis] and [Rotation] give, at a part of the cost. In b's principal axes
// its covariances are a diagonal, and the rows of a random rotation that belong to axes
// without variance, which many units at few observations have, are not needed.
type Turning struct {
	p, q, rank int
	between    []float64 // p x rank: of a's units, scaled to variance 1, and b's axes
	variances  []float64 // along these
	axes       []float64 // rank x q
}

// Turning returns the units of c to be turned. It may be used at once from several threads.
func (c *Pair) Turning() *Turning {
	b := c.axesB()
	t := &Turning{p: c.p, q: c.q, rank: b.held, axes: b.rows}
	t.between = make([]float64, c.p*t.rank)
	for _, v := range b.variances[:t.rank] {
		t.variances = append(t.variances, max(0, v))
	}
	dense.Gemm(par.Threads(c.Threads), dense.Product{M: c.p, N: t.rank, K: c.q, A: dense.Rows(c.ab, c.q), B: dense.Rows(b.rows, c.q).T(), C: t.between, LDC: t.rank})
	for i := range c.p {
		scale := 0.0
		if s := math.Sqrt(c.aa[i*(c.p+1)]); s > 0 {
			scale = 1 / s
		}
		for k := range t.rank {
			t.between[i*t.rank+k] *= scale
		}
	}
	return t
}

// Correlation returns the p x q correlations of a's units with b's, once these are turned by a
// rotation from the Haar measure. Turnings of pairs with the same b turn it alike by the same
// random numbers.
func (t *Turning) Correlation(rnd *rand.Rand) *mat.Dense {
	return t.correlation(Directions(t.q, t.rank, rnd).RawMatrix().Data, t.q)
}

// By returns the p x k correlations of a's units with the combinations of b's that have the
// weights in the columns of w, q x k, as [Pair.Basis] does. It panics if the shape does not
// fit.
func (t *Turning) By(w mat.Matrix) *mat.Dense {
	x, k := basisWeights(w, t.q)
	return t.correlation(product(1, t.rank, k, t.q, dense.Rows(t.axes, t.q), x), k)
}

// correlation returns the correlations with k combinations of b's axes of weights w, rank x k.
func (t *Turning) correlation(w []float64, k int) *mat.Dense {
	scale := make([]float64, k)
	for i, v := range t.variances {
		for j, x := range w[i*k:][:k] {
			scale[j] += float64(v * x * x)
		}
	}
	for j, v := range scale {
		if scale[j] = 0; v > 0 {
			scale[j] = 1 / math.Sqrt(v)
		}
	}
	r := product(1, t.p, k, t.rank, dense.Rows(t.between, t.rank), w)
	for i := range t.p {
		row := r[i*k:][:k]
		for j, s := range scale {
			row[j] = max(-1, min(1, row[j]*s))
		}
	}
	return mat.NewDense(t.p, k, r)
}
