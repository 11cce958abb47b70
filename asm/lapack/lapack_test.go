package lapack

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	ours "github.com/convergent-go/convergent/asm/blas"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// kinds change a Gaussian matrix.
var kinds = map[string]func(a *mat.Dense){
	"gaussian": func(a *mat.Dense) {},
	"graded": func(a *mat.Dense) {
		a.Apply(func(i, _ int, v float64) float64 { return v * math.Pow(10, -float64(i)/3) }, a)
	},
	"rank 5": func(a *mat.Dense) {
		m, n := a.Dims()
		var p mat.Dense
		p.Mul(a.Slice(0, m, 0, 5), a.Slice(0, 5, 0, n))
		a.Copy(&p)
	},
	"equal": func(a *mat.Dense) {
		var svd mat.SVD
		svd.Factorize(a, mat.SVDThin)
		var u, v mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		a.Mul(&u, v.T())
	},
	"zero": func(a *mat.Dense) { a.Zero() },
	"huge": func(a *mat.Dense) { a.Scale(1e305, a) },
	"tiny": func(a *mat.Dense) { a.Scale(1e-300, a) },
}

// gaussian returns a matrix of normal elements.
func gaussian(m, n int) *mat.Dense {
	rnd := rand.New(rand.NewPCG(1, uint64(m)))
	a := mat.NewDense(m, n, nil)
	a.Apply(func(_, _ int, _ float64) float64 { return rnd.NormFloat64() }, a)
	return a
}

// useOurs makes package mat decompose by this package.
func useOurs(t *testing.T) {
	overOurBLAS(t)
	lapack64.Use(Implementation{})
	t.Cleanup(func() { lapack64.Use(gonum.Implementation{}) })
}

// distance is the largest sum of a row of |a - b|.
func distance(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	return mat.Norm(&d, math.Inf(1))
}

// isOrthonormal fails unless the columns of q are.
func isOrthonormal(t *testing.T, name string, q *mat.Dense) {
	t.Helper()
	m, n := q.Dims()
	var inner mat.Dense
	inner.Mul(q.T(), q)
	one := make([]float64, n)
	for i := range one {
		one[i] = 1
	}
	if d := distance(&inner, mat.NewDiagDense(n, one)); !(d <= 1e-15*float64(m+10)) {
		t.Errorf("%s is not orthonormal: %v", name, d)
	}
}

// TestSVD: vectors are orthonormal and give the matrix with the values, and values do not
// depend on what else is asked for, through package mat.
func TestSVD(t *testing.T) {
	useOurs(t)
	withoutGonum(t)
	for _, size := range [][2]int{{70, 70}, {40, 90}, {90, 40}} {
		m, n := size[0], size[1]
		k := min(m, n)
		for kind, change := range kinds {
			t.Run(fmt.Sprintf("%dx%d %s", m, n, kind), func(t *testing.T) {
				a := gaussian(m, n)
				change(a)
				before := mat.DenseCopyOf(a)
				var values []float64
				for _, job := range []mat.SVDKind{mat.SVDThin, mat.SVDFull, mat.SVDThinU, mat.SVDFullV, mat.SVDNone} {
					var svd mat.SVD
					if !svd.Factorize(a, job) {
						t.Fatal("no decomposition")
					}
					var u, v mat.Dense
					if job&(mat.SVDThinU|mat.SVDFullU) != 0 {
						svd.UTo(&u)
						isOrthonormal(t, "U", &u)
					}
					if job&(mat.SVDThinV|mat.SVDFullV) != 0 {
						svd.VTo(&v)
						isOrthonormal(t, "V", &v)
					}
					got := svd.Values(nil)
					if values == nil {
						values = got
					}
					for i, v := range got {
						if !(math.Abs(v-values[i]) <= 1e-14*values[0]) {
							t.Errorf("job %v: value %d is %v, but %v in SVDThin", job, i, v, values[i])
						}
					}
					if u.IsEmpty() || v.IsEmpty() {
						continue
					}
					var us, usv mat.Dense
					us.Mul(u.Slice(0, m, 0, k), mat.NewDiagDense(k, values))
					usv.Mul(&us, v.Slice(0, n, 0, k).T())
					if d := distance(&usv, a); !(d <= 1e-14*float64(k)*values[0]) {
						t.Errorf("U S V^T is off by %v", d/values[0])
					}
				}
				if !slices.IsSortedFunc(values, func(a, b float64) int { return cmp.Compare(b, a) }) || values[k-1] < 0 {
					t.Errorf("values are not falling, or negative: %v", values)
				}
				if !mat.Equal(a, before) {
					t.Error("the matrix has changed")
				}
			})
		}
	}
}

// TestEigenSym is TestSVD for symmetric matrices, of which gonum's own test has Gaussian ones
// alone.
func TestEigenSym(t *testing.T) {
	useOurs(t)
	withoutGonum(t)
	const n = 70
	for kind, change := range kinds {
		t.Run(kind, func(t *testing.T) {
			x := gaussian(n, n)
			change(x)
			a := mat.NewSymDense(n, nil)
			for i := range n {
				for j := i; j < n; j++ {
					a.SetSym(i, j, x.At(i, j)/2+x.At(j, i)/2)
				}
			}
			var eigen, without mat.EigenSym
			if !eigen.Factorize(a, true) || !without.Factorize(a, false) {
				t.Fatal("no decomposition")
			}
			values := eigen.Values(nil)
			size := max(-values[0], values[n-1])
			for i, v := range without.Values(nil) {
				if !(math.Abs(v-values[i]) <= 1e-14*size) {
					t.Errorf("value %d is %v, and %v with vectors", i, v, values[i])
				}
			}
			var q, ql, qlq mat.Dense
			eigen.VectorsTo(&q)
			isOrthonormal(t, "Q", &q)
			ql.Mul(&q, mat.NewDiagDense(n, values))
			qlq.Mul(&ql, q.T())
			if d := distance(&qlq, a); !(d <= 1e-14*n*size) {
				t.Errorf("Q L Q^T is off by %v", d/size)
			}
			if !slices.IsSorted(values) {
				t.Errorf("values are not rising: %v", values)
			}
		})
	}
}

// TestNotFinite: of a matrix that is not finite, gonum says what it says.
func TestNotFinite(t *testing.T) {
	withoutGonum(t)
	const n = 40
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		x := make([]float64, n*n)
		for i := range x {
			x[i] = float64(i % 7)
		}
		x[5*n+3], x[3*n+5] = v, v
		var ours, theirs mat.SVD
		a := mat.NewDense(n, n, slices.Clone(x))
		ok := theirs.Factorize(a, mat.SVDThin)
		var eigen, theirEigen mat.EigenSym
		s := mat.NewSymDense(n, slices.Clone(x))
		eigenOK := theirEigen.Factorize(s, true)
		lapack64.Use(Implementation{})
		if got := ours.Factorize(a, mat.SVDThin); got != ok {
			t.Errorf("%v: singular values: %v, gonum's %v", v, got, ok)
		}
		if got := eigen.Factorize(s, true); got != eigenOK {
			t.Errorf("%v: eigenvalues: %v, gonum's %v", v, got, eigenOK)
		}
		lapack64.Use(gonum.Implementation{})
	}
}

// TestPanics: what gonum refuses is refused with gonum's words.
func TestPanics(t *testing.T) {
	withoutGonum(t)
	const n = 40
	i, x := Implementation{}, make([]float64, n*n)
	for want, f := range map[string]func(){
		"bad EVJob":                 func() { i.Dsyev('?', blas.Upper, n, x, n, x, x, 3*n) },
		"bad Uplo":                  func() { i.Dsyev(lapack.EVCompute, '?', n, x, n, x, x, 3*n) },
		"insufficient length of a":  func() { i.Dsyev(lapack.EVCompute, blas.Upper, n, x[1:], n, x, x, 3*n) },
		"insufficient length of w":  func() { i.Dsyev(lapack.EVCompute, blas.Upper, n, x, n, x[:n-1], x, 3*n) },
		"bad SVDJob":                func() { i.Dgesvd('?', lapack.SVDAll, n, n, x, n, x, x, n, x, n, x, 5*n) },
		"overwrite":                 func() { i.Dgesvd(lapack.SVDOverwrite, lapack.SVDAll, n, n, x, n, x, x, n, x, n, x, 5*n) },
		"leading dimension of U":    func() { i.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, x, n, x, x, n-1, x, n, x, 5*n) },
		"insufficient length of u":  func() { i.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, x, n, x, x[1:], n, x, n, x, 5*n) },
		"insufficient length of vt": func() { i.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, x, n, x, x, n, x[1:], n, x, 5*n) },
		"declared workspace length": func() { i.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, x, n, x, x, n, x, n, x, 5*n-1) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			f()
		}()
	}
}

// TestSameBits: decompositions over package blas have the same bits in every tier, under which
// this test is run, and for any number of threads. Elsewhere than on amd64 gonum, at work in
// small blocks, adds in another order.
func TestSameBits(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the digest is of amd64")
	}
	const want = "24d7bcf034368689"
	const n = 150
	a := gaussian(n, n)
	for _, threads := range []int{1, 2, 3} {
		old := blas64.Implementation()
		blas64.Use(ours.Implementation{Threads: threads})
		lapack64.Use(Implementation{Threads: threads})
		var svd mat.SVD
		svd.Factorize(a, mat.SVDFull)
		var u, v, q mat.Dense
		svd.UTo(&u)
		svd.VTo(&v)
		var eigen mat.EigenSym
		eigen.Factorize(mat.NewSymDense(n, a.RawMatrix().Data), true)
		eigen.VectorsTo(&q)
		blas64.Use(old)
		lapack64.Use(gonum.Implementation{})
		h := fnv.New64a()
		for _, x := range [][]float64{svd.Values(nil), u.RawMatrix().Data, v.RawMatrix().Data, eigen.Values(nil), q.RawMatrix().Data} {
			binary.Write(h, binary.LittleEndian, x)
		}
		if got := fmt.Sprintf("%x", h.Sum64()); got != want {
			t.Errorf("threads=%d: digest %s, want %s", threads, got, want)
		}
	}
}
