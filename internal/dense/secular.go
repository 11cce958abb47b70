package dense

import "math"

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
		delta[0] = float64(-rho * z[0] * z[0])
		return d[0] - delta[0]
	}
	b := newBracket(i, d, z, rho)
	for j := range delta {
		delta[j] = d[j] - d[b.origin]
	}
	for range 100 {
		psi, dpsi, phi, dphi := b.sums(delta, z)
		psi, dpsi, phi, dphi = float64(rho*psi), float64(rho*dpsi), float64(rho*phi), float64(rho*dphi)
		f := 1 + psi + phi
		if math.Abs(f) <= 4*0x1p-53*(1+math.Abs(psi)+math.Abs(phi)) {
			break
		}
		if f > 0 {
			b.hi = b.x
		} else {
			b.lo = b.x
		}
		l, r := delta[b.left]-b.x, delta[b.right]-b.x
		c := f - float64(l*dpsi) - float64(r*dphi)
		p, q := float64((l+r)*f)-float64(l*r*(dpsi+dphi)), float64(l*r*f)
		var step float64
		if i < k-1 {
			step = rootBetween(c, p, q)
		} else {
			step = rootBeyond(c, p, q)
		}
		if !(f*step < 0) {
			step = -f / (dpsi + dphi)
		}
		next := b.x + step
		if !(next > b.lo && next < b.hi) {
			next = float64(b.lo/2) + float64(b.hi/2)
		}
		if next == b.x || next == b.lo || next == b.hi {
			break
		}
		b.x = next
	}
	for j := range delta {
		delta[j] -= b.x
	}
	return d[b.origin] + b.x
}

// bracket is an interval [lo, hi] that holds a root, and the point x in it that the root is
// taken for, as distances from a pole.
type bracket struct {
	origin      int // the pole
	left, right int // poles of the model
	lo, hi, x   float64
}

// newBracket returns where root i lies.
func newBracket(i int, d, z []float64, rho float64) bracket {
	var total float64
	for _, v := range z {
		total += float64(v * v)
	}
	b := bracket{origin: i, left: i, right: i + 1, hi: rho * total}
	if i == len(d)-1 {
		b.left, b.right, b.x = i-1, i, b.hi/2
		return b
	}
	gap := d[i+1] - d[i]
	f := 1.0
	for j, v := range z {
		f += float64(rho*v*v) / (d[j] - d[i] - float64(gap/2))
	}
	if b.hi = gap / 2; f < 0 {
		b.origin, b.lo, b.hi = i+1, -gap/2, 0
	}
	// What other poles do is nearly the same in all of the interval.
	c := f
	p, q := float64(rho*z[i]*z[i]), float64(rho*z[i+1]*z[i+1])
	c -= 2 * (q - p) / gap
	l, r := d[i]-d[b.origin], d[i+1]-d[b.origin]
	b.x = float64(b.lo/2) + float64(b.hi/2)
	if y := rootBetween(c, float64(c*(l+r))+p+q, float64(c*l*r)+float64(p*r)+float64(q*l)); y > b.lo && y < b.hi {
		b.x = y
	}
	return b
}

// sums returns the sums over the poles up to left, and from right on, of z^2 / (d - x), and
// their slopes.
func (b *bracket) sums(delta, z []float64) (psi, dpsi, phi, dphi float64) {
	for j, v := range z[:b.left+1] {
		t := v / (delta[j] - b.x)
		psi += float64(v * t)
		dpsi += float64(t * t)
	}
	for j := b.right; j < len(z); j++ {
		t := z[j] / (delta[j] - b.x)
		phi += float64(z[j] * t)
		dphi += float64(t * t)
	}
	return psi, dpsi, phi, dphi
}

// rootBetween returns the root of c x^2 - a x + b between the poles that a model has to
// the left and right, without cancellation.
func rootBetween(c, a, b float64) float64 {
	root := math.Sqrt(math.Abs(float64(a*a) - float64(4*b*c)))
	if a <= 0 {
		return (a - root) / (2 * c)
	}
	return 2 * b / (a + root)
}

// rootBeyond returns the root of the same beyond both poles.
func rootBeyond(c, a, b float64) float64 {
	root := math.Sqrt(math.Abs(float64(a*a) - float64(4*b*c)))
	if a >= 0 {
		return (a + root) / (2 * c)
	}
	return 2 * b / (a - root)
}
