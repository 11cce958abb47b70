package match

import (
	"github.com/convergent-go/convergent/internal/dense"
)

// inverse is the inverse of the part of a symmetric p x p matrix that belongs to a set
// of its rows and columns, kept while members come and go, each for a change of rank
// one.
type inverse struct {
	p       int
	x       []float64 // the matrix; not changed
	set     []int     // members, in the order of the inverse
	at      []int     // place in set; -1: none
	inv     []float64 // lower triangle, p to a row
	q, u, m []float64
}

func newInverse(p int) *inverse {
	v := &inverse{p: p, at: make([]int, p), inv: make([]float64, p*p), q: make([]float64, p), u: make([]float64, p), m: make([]float64, p)}
	return v
}

// reset empties the set, of the given matrix.
func (v *inverse) reset(x []float64) {
	v.x, v.set = x, v.set[:0]
	for i := range v.at {
		v.at[i] = -1
	}
}

func (v *inverse) row(i int) []float64 { return v.x[i*v.p:][:v.p] }

// add makes j a member; false if the members determine it.
func (v *inverse) add(j int) bool {
	k, row := len(v.set), v.row(j)
	q, u := v.q[:k], v.u[:k]
	for i, s := range v.set {
		q[i] = row[s]
	}
	v.solve(u, q)
	rest := row[j] - dense.Dot(q, u)
	if !(rest > 1e-10*row[j]) {
		return false
	}
	dense.RankOne(v.inv, v.p, 1/rest, u)
	last := v.inv[k*v.p:][:k+1]
	for i, x := range u {
		last[i] = -x / rest
	}
	last[k] = 1 / rest
	v.at[j] = k
	v.set = append(v.set, j)
	return true
}

// remove makes j no member; the last one takes its place.
func (v *inverse) remove(j int) {
	k, r := len(v.set)-1, v.at[j]
	m := v.m[:k+1]
	copy(m, v.inv[r*v.p:][:r+1])
	for i := r + 1; i <= k; i++ {
		m[i] = v.inv[i*v.p+r]
	}
	dense.RankOne(v.inv, v.p, -1/m[r], m)
	last := v.inv[k*v.p:][:k+1]
	copy(v.inv[r*v.p:][:r], last)
	if r < k {
		v.inv[r*v.p+r] = last[k]
		for i := r + 1; i < k; i++ {
			v.inv[i*v.p+r] = last[i]
		}
	}
	v.set[r] = v.set[k]
	v.at[v.set[r]] = r
	v.at[j] = -1
	v.set = v.set[:k]
}

// solve sets dst to the inverse times x.
func (v *inverse) solve(dst, x []float64) { dense.Symmetric(dst, v.inv, v.p, x) }

// times adds the members' rows of the matrix, times x, to dst.
func (v *inverse) times(dst, x []float64) { dense.Combine(dst, v.x, v.p, v.set, x) }
