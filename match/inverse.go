package match

import (
	"github.com/convergent-go/convergent/internal/dense"
)

// inverse is the inverse of the part of a symmetric p x p matrix that belongs to a set of
// its rows and columns. Adding or removing a member is a change of rank one.
type inverse struct {
	p        int
	x        []float64 // the matrix; not changed
	set      []int     // members, in the order of the inverse
	position []int     // of each row in set; -1: none
	inv      []float64 // lower triangle, p to a row
	q, u, m  []float64 // scratch
}

func newInverse(p int) *inverse {
	v := &inverse{p: p, position: make([]int, p), inv: make([]float64, p*p), q: make([]float64, p), u: make([]float64, p), m: make([]float64, p)}
	return v
}

// reset sets the matrix, with an empty set.
func (v *inverse) reset(x []float64) {
	v.x, v.set = x, v.set[:0]
	for i := range v.position {
		v.position[i] = -1
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
	pivot := row[j] - dense.Dot(q, u)
	if !(pivot > 1e-10*row[j]) {
		return false
	}
	dense.RankOne(v.inv, v.p, 1/pivot, u)
	last := v.inv[k*v.p:][:k+1]
	for i, x := range u {
		last[i] = -x / pivot
	}
	last[k] = 1 / pivot
	v.position[j] = k
	v.set = append(v.set, j)
	return true
}

// remove removes member j; the last member takes its place.
func (v *inverse) remove(j int) {
	k, r := len(v.set)-1, v.position[j]
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
	v.position[v.set[r]] = r
	v.position[j] = -1
	v.set = v.set[:k]
}

// solve sets dst to the inverse times x.
func (v *inverse) solve(dst, x []float64) { dense.Symv(dst, v.inv, v.p, x) }

// addProduct adds the product of x with the members' rows of the matrix to dst.
func (v *inverse) addProduct(dst, x []float64) { dense.AxpyRows(dst, v.x, v.p, v.set, x) }
