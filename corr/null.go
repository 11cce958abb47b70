package corr

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/convergent-go/convergent/internal/par"
)

// Null is a distribution of a figure under chance.
type Null struct {
	Draws []float64 // one figure for each draw, in the order of the draws
}

// Mean returns the mean of the draws.
func (n Null) Mean() float64 {
	var s float64
	for _, d := range n.Draws {
		s += d
	}
	return s / float64(len(n.Draws))
}

// Std returns the standard deviation of the draws, dividing by one less than
// their number; 0 for a single draw.
func (n Null) Std() float64 {
	if len(n.Draws) < 2 {
		return 0
	}
	mean, s := n.Mean(), 0.0
	for _, d := range n.Draws {
		s += (d - mean) * (d - mean)
	}
	return math.Sqrt(s / float64(len(n.Draws)-1))
}

// PValue returns (1 + the number of draws at or above the observed figure) / (1
// + the number of draws): counting the observation among the draws keeps the
// value from being 0 (Phipson and Smyth, 2010).
func (n Null) PValue(observed float64) float64 {
	above := 1
	for _, d := range n.Draws {
		if d >= observed {
			above++
		}
	}
	return float64(above) / float64(1+len(n.Draws))
}

// RotationNull asks what a fully distributed code would give: if features are
// directions of the space that the units span, and single units mean nothing,
// then units that are a random rotation of b's would match those of a as well
// as b's own do.
//
// Each draw rotates the centred activations of b's live units by an orthogonal
// matrix Q from the Haar measure, which the moments allow without a second pass
// (S_ab Q for the covariances, diag Q^T S_bb Q for the variances), and takes the
// mean over a's live units of the largest correlation with a rotated one. Draw i
// depends on the seed and i alone.
func (m *Moments) RotationNull(ctx context.Context, a, b, draws int, seed uint64) (Null, error) {
	la, lb := m.Live(a), m.Live(b)
	if len(la) == 0 || len(lb) == 0 {
		return Null{}, errors.New("corr: a network without live units cannot be rotated")
	}
	if draws < 1 {
		return Null{}, errors.New("corr: a null needs at least one draw")
	}
	sab, sbb := Select(m.Covariance(nil, a, b), la, lb), Select(m.Covariance(nil, b, b), lb, lb)
	std := m.Std(a)
	null := Null{Draws: make([]float64, draws)}
	par.For(par.Threads(m.Threads), draws, func(i int) {
		if ctx.Err() != nil {
			return
		}
		q := haar(len(lb), rand.New(rand.NewPCG(seed, uint64(i))))
		var rotated, sq mat.Dense
		rotated.Mul(sab, q)
		sq.Mul(sbb, q)
		sd := make([]float64, len(lb))
		for j := range sd {
			sd[j] = math.Sqrt(mat.Dot(q.ColView(j), sq.ColView(j)))
		}
		var sum float64
		for r, unit := range la {
			best := math.Inf(-1)
			for j, v := range rotated.RawRowView(r) {
				best = max(best, v/sd[j])
			}
			sum += best / std[unit]
		}
		null.Draws[i] = sum / float64(len(la))
	})
	return null, ctx.Err()
}

// haar draws an orthogonal matrix uniformly: the Q of a Gaussian matrix, with
// the signs that make R's diagonal positive (Mezzadri, "How to generate random
// matrices from the classical compact groups", 2007).
func haar(n int, rnd *rand.Rand) *mat.Dense {
	g := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			g.Set(i, j, rnd.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(g)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	for j := range n {
		if r.At(j, j) < 0 {
			for i := range n {
				q.Set(i, j, -q.At(i, j))
			}
		}
	}
	return &q
}
