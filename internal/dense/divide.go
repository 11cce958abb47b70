package dense

import (
	"cmp"
	"math"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// leaf is the order of the largest matrix that is not divided.
const leaf = 24

// divide finds eigenvalues, rising, of the tridiagonal matrix of diagonal d and e
// below it, and as the last rows of q, ld apart and zero before, eigenvectors of the
// largest so many. d and e are overwritten.
//
// Two halves, and what joins them, T = diag(T1, T2) + rho u u^T with one element of u
// in each half, are solved apart; with their eigenvectors, T is a diagonal matrix D
// and a change of rank one, rho z z^T (Cuppen, "A divide and conquer method for the
// symmetric tridiagonal eigenproblem", 1981).
func divide(threads int, d, e, q []float64, ld, vectors int) {
	n := len(d)
	if n <= leaf {
		for i := range n {
			q[i*ld+i] = 1
		}
		ql(d, e, q, ld)
		sort(d, q, ld)
		return
	}
	half := n / 2
	rho, sign := math.Abs(e[half-1]), math.Copysign(1, e[half-1])
	d[half-1] -= rho
	d[half] -= rho
	// Halves of large matrices are worth a thread each.
	sides := 1
	if n > 8*leaf {
		sides = min(2, threads)
	}
	par.For(sides, 2, func(i int) {
		if i == 0 {
			divide(threads/sides, d[:half], e[:half-1], q, ld, half)
		} else {
			divide(threads/sides, d[half:], e[half:], q[half*ld+half:], ld, n-half)
		}
	})
	z := make([]float64, n)
	for i := range n {
		if i < half {
			z[i] = q[i*ld+half-1] / math.Sqrt2
		} else {
			z[i] = sign * q[i*ld+half] / math.Sqrt2
		}
	}
	j := joint{threads, half, d, z, 2 * rho, q, ld}
	j.solve(vectors)
}

// sort puts eigenvalues in rising order, and the rows of q with them.
func sort(d, q []float64, ld int) {
	n := len(d)
	order := rising(d)
	old, rows := slices.Clone(d), make([]float64, n*n)
	for i := range n {
		copy(rows[i*n:], q[i*ld:][:n])
	}
	for i, o := range order {
		d[i] = old[o]
		copy(q[i*ld:][:n], rows[o*n:][:n])
	}
}

func rising(d []float64) []int {
	order := make([]int, len(d))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(d[i], d[j]) })
	return order
}

// joint is the eigenproblem of diag(d) + rho z z^T, |z| = 1, rho >= 0, whose
// coordinates are the rows of q: those before half are zero from column half on, the
// others before it.
type joint struct {
	threads, half int
	d, z          []float64
	rho           float64
	q             []float64
	ld            int
}

// solve replaces d by eigenvalues, rising, and the last rows of q by eigenvectors of the
// largest so many.
//
// Coordinates without a part in z are eigenvectors already; of two with nearly the
// same d one is rotated to have none (deflation). The eigenvalues of the others are
// the roots of the secular equation. So that vectors become orthogonal to the last
// digit, they are those of the z for which the computed roots are exact (Gu and
// Eisenstat, "A divide-and-conquer algorithm for the symmetric tridiagonal
// eigenproblem", 1995).
func (p *joint) solve(vectors int) {
	n := len(p.d)
	tol := 0.0
	for i, d := range p.d {
		tol = max(tol, math.Abs(d), math.Abs(p.z[i]))
	}
	tol *= 8 * 0x1p-53
	const upper, lower, both = 1, 2, 3
	kind := make([]byte, n)
	for i := range kind {
		kind[i] = lower
		if i < p.half {
			kind[i] = upper
		}
	}
	var kept []int // by d
	done := make([]int, 0, n)
	for _, j := range rising(p.d) {
		if p.rho*math.Abs(p.z[j]) <= tol {
			done = append(done, j)
			continue
		}
		if len(kept) > 0 {
			i := kept[len(kept)-1]
			r := hypot(p.z[i], p.z[j])
			c, s := p.z[j]/r, p.z[i]/r
			if gap := p.d[j] - p.d[i]; math.Abs(gap*c*s) <= tol {
				// The row of i leaves the problem with none of z.
				p.z[i], p.z[j] = 0, r
				rotate(p.q[i*p.ld:][:n], p.q[j*p.ld:][:n], c, s)
				p.d[i], p.d[j] = p.d[i]+float64(gap*s*s), p.d[j]-float64(gap*s*s)
				kind[i] |= kind[j]
				kind[j] = kind[i]
				done = append(done, i)
				kept = kept[:len(kept)-1]
			}
		}
		kept = append(kept, j)
	}

	k := len(kept)
	d, z := make([]float64, k), make([]float64, k)
	for i, j := range kept {
		d[i], z[i] = p.d[j], p.z[j]
	}
	roots, s := make([]float64, k), make([]float64, k*k)
	par.Blocks(p.threads, k, 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			roots[i] = secular(i, d, z, p.rho, s[i*k:][:k])
		}
	})
	exact := make([]float64, k)
	for i := range exact {
		exact[i] = 1
	}
	for i := range k {
		for j, delta := range s[i*k:][:k] {
			if i == j {
				exact[j] *= math.Abs(delta)
			} else {
				exact[j] *= math.Abs(delta / (d[j] - d[i]))
			}
		}
	}
	for j, x := range exact {
		exact[j] = math.Copysign(math.Sqrt(x), z[j])
	}
	for _, j := range done {
		roots = append(roots, p.d[j])
	}
	order := rising(roots)
	var wanted []int // of the roots
	for _, o := range order[n-vectors:] {
		if o < k {
			wanted = append(wanted, o)
		}
	}
	for _, i := range wanted {
		row := s[i*k:][:k]
		for j, delta := range row {
			row[j] = exact[j] / delta
		}
		norm := math.Sqrt(dot(row, row))
		for j := range row {
			row[j] /= norm
		}
	}

	// Rows that are zero in one half need not be multiplied there.
	product := scratch(vectors * n)
	defer release(product)
	rows := *product
	clear(rows[:len(wanted)*n])
	for side, cols := range [][2]int{{0, p.half}, {p.half, n}} {
		var used []int
		for i, j := range kept {
			if kind[j]&(1<<side) != 0 {
				used = append(used, i)
			}
		}
		from, width := cols[0], cols[1]-cols[0]
		operands := scratch(len(used) * (len(wanted) + width))
		left, right := (*operands)[:len(wanted)*len(used)], (*operands)[len(wanted)*len(used):]
		for x, i := range used {
			for r, w := range wanted {
				left[r*len(used)+x] = s[w*k+i]
			}
			copy(right[x*width:], p.q[kept[i]*p.ld+from:][:width])
		}
		Gemm(p.threads, len(wanted), width, len(used), 1, Rows(left, len(used)), Rows(right, width), rows[from:], n)
		release(operands)
	}
	apart := rows[len(wanted)*n:]
	for _, o := range order[n-vectors:] {
		if o >= k {
			copy(apart[:n], p.q[done[o-k]*p.ld:][:n])
			apart = apart[n:]
		}
	}
	apart = rows[len(wanted)*n:]
	for i, o := range order {
		p.d[i] = roots[o]
		if i < n-vectors {
			continue
		}
		from := &rows
		if o >= k {
			from = &apart
		}
		copy(p.q[i*p.ld:][:n], (*from)[:n])
		*from = (*from)[n:]
	}
}

// secular returns root i of the secular equation
//
//	f(x) = 1 + rho sum_j z_j^2 / (d_j - x) = 0,
//
// which lies between d_i and d_(i+1), or for the last one above d_i by rho |z|^2 at
// most, and in delta all d_j - x, to full relative accuracy. For that x is sought as
// its distance from the nearer pole.
//
// The terms left and right of the root are each taken for a constant and one pole
// that have their value and slope (Li, "Solving secular equations stably and
// efficiently", 1993), and where the root of that leads out of what is known to
// bracket x, the bracket is halved.
func secular(i int, d, z []float64, rho float64, delta []float64) float64 {
	k := len(d)
	if k == 1 {
		delta[0] = -rho * z[0] * z[0]
		return d[0] - delta[0]
	}
	var total float64
	for _, v := range z {
		total += float64(v * v)
	}
	origin, lo, hi := i, 0.0, rho*total
	left, right := i, i+1 // poles of the model
	x := hi / 2
	if i == k-1 {
		left, right = i-1, i
	} else {
		gap := d[i+1] - d[i]
		f := 1.0
		for j, v := range z {
			f += float64(rho*v*v) / (d[j] - d[i] - gap/2)
		}
		if hi = gap / 2; f < 0 {
			origin, lo, hi = i+1, -gap/2, 0
		}
		// What other poles do is nearly the same in all of the interval.
		rest := f
		a, b := float64(rho*z[i]*z[i]), float64(rho*z[i+1]*z[i+1])
		rest -= 2 * (b - a) / gap
		di, dj := d[i]-d[origin], d[i+1]-d[origin]
		x = lo/2 + hi/2
		if y := quadratic(rest, float64(rest*(di+dj))+a+b, float64(rest*di*dj)+float64(a*dj)+float64(b*di)); y > lo && y < hi {
			x = y
		}
	}
	for j := range delta {
		delta[j] = d[j] - d[origin]
	}
	for range 100 {
		// psi and phi are the sums over the poles up to left, and from right on.
		var psi, dpsi, phi, dphi float64
		for j, v := range z[:left+1] {
			t := v / (delta[j] - x)
			psi += float64(v * t)
			dpsi += float64(t * t)
		}
		for j := right; j < k; j++ {
			t := z[j] / (delta[j] - x)
			phi += float64(z[j] * t)
			dphi += float64(t * t)
		}
		psi, dpsi, phi, dphi = float64(rho*psi), float64(rho*dpsi), float64(rho*phi), float64(rho*dphi)
		f := 1 + psi + phi
		if math.Abs(f) <= 4*0x1p-53*(1+math.Abs(psi)+math.Abs(phi)) {
			break
		}
		if f > 0 {
			hi = x
		} else {
			lo = x
		}
		l, r := delta[left]-x, delta[right]-x
		c := f - float64(l*dpsi) - float64(r*dphi)
		a, b := float64((l+r)*f)-float64(l*r*(dpsi+dphi)), float64(l*r*f)
		var step float64
		if i < k-1 {
			step = quadratic(c, a, b)
		} else {
			step = beyond(c, a, b)
		}
		if !(f*step < 0) {
			step = -f / (dpsi + dphi)
		}
		next := x + step
		if !(next > lo && next < hi) {
			next = lo/2 + hi/2
		}
		if next == x || next == lo || next == hi {
			break
		}
		x = next
	}
	for j := range delta {
		delta[j] -= x
	}
	return d[origin] + x
}

// quadratic returns the root of c x^2 - a x + b between the poles that a model has to
// the left and right, without cancellation.
func quadratic(c, a, b float64) float64 {
	root := math.Sqrt(math.Abs(float64(a*a) - float64(4*b*c)))
	if a <= 0 {
		return (a - root) / (2 * c)
	}
	return 2 * b / (a + root)
}

// beyond returns the root of the same beyond both poles.
func beyond(c, a, b float64) float64 {
	root := math.Sqrt(math.Abs(float64(a*a) - float64(4*b*c)))
	if a >= 0 {
		return (a + root) / (2 * c)
	}
	return 2 * b / (a - root)
}
