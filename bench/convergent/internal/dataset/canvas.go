package dataset

import (
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/elem"
)

// Products are converted explicitly before they are added, here and in the rest
// of the procedural images, so that no machine fuses them and all paint the same.

// colour is red, green and blue, in [0, 1] when it can be shown.
type colour [channels]float64

// mix returns the colour a part t of the way to d.
func (c colour) mix(d colour, t float64) colour {
	for i := range c {
		c[i] += float64(t * (d[i] - c[i]))
	}
	return c
}

// ink gives the colour to paint at a position.
type ink func(x, y float64) colour

func flat(c colour) ink { return func(float64, float64) colour { return c } }

// canvas is a picture being painted with a generator of its own.
type canvas struct {
	rnd    *rand.Rand
	pixels [side][side]colour
}

func (c *canvas) between(lo, hi float64) float64 { return lo + float64((hi-lo)*c.rnd.Float64()) }
func (c *canvas) angle() float64                 { return c.between(0, 2*math.Pi) }

// place draws a position in the picture and a margin about it.
func (c *canvas) place(margin float64) point {
	return point{c.between(-margin, side+margin), c.between(-margin, side+margin)}
}

// radius draws from the density r^-3 on [lo, hi], by inverting its distribution.
func (c *canvas) radius(lo, hi float64) float64 {
	a, b := 1/float64(lo*lo), 1/float64(hi*hi)
	return 1 / math.Sqrt(c.between(b, a))
}

// far draws a colour well apart from base.
func (c *canvas) far(base colour) colour {
	for {
		d := wideRange(c)
		apart := 0.0
		for i := range d {
			apart = max(apart, math.Abs(d[i]-base[i]))
		}
		if apart > 0.45 {
			return d
		}
	}
}

// pair draws two colours of a palette that can be told apart wherever the palette
// is not narrow.
func (c *canvas) pair(colours palette) (a, b colour) {
	a = colours(c)
	for range 8 {
		b = colours(c)
		if math.Abs(a[0]-b[0])+math.Abs(a[1]-b[1])+math.Abs(a[2]-b[2]) > 0.6 {
			break
		}
	}
	return a, b
}

// shaded returns a colour that changes evenly across the picture.
func (c *canvas) shaded(base colour) ink {
	to := base.mix(wideRange(c), c.between(0, 0.4))
	ramp := facing(c.angle(), 0)
	return func(x, y float64) colour {
		return base.mix(to, 0.5+float64(ramp.distance(x-side/2, y-side/2)/side))
	}
}

// wave is a sinusoid of position, sharpened towards a square wave.
type wave struct{ frequency, phase, sharp float64 }

// wave draws a wavelength in [lo, hi], in pixels, and an edge no steeper than one
// pixel can show.
func (c *canvas) wave(lo, hi float64) wave {
	pixels := c.between(lo, hi)
	return wave{2 * math.Pi / pixels, c.angle(), c.between(0.5, max(0.6, pixels/5))}
}

func (w wave) at(x float64) float64 { return elem.Sin(float64(w.frequency*x) + w.phase) }

// between is the wave times factor, moved into [0, 1].
func (w wave) between(x, factor float64) float64 {
	return clamp(0.5 + float64(w.sharp*float64(factor*w.at(x))))
}

func clamp(x float64) float64 { return max(0, min(1, x)) }

// fill paints everywhere.
func (c *canvas) fill(with ink) {
	for y := range side {
		for x := range side {
			c.pixels[y][x] = with(float64(x), float64(y))
		}
	}
}

// paint covers what is inside the shape. Its edge fades over soft pixels, which is
// what keeps it from being jagged.
func (c *canvas) paint(s shape, soft float64, with ink) {
	rim := float64(0.5 * soft) // how far it fades to either side
	reach := s.reach + rim
	lo := func(v float64) int { return int(max(0, math.Floor(v-reach))) }
	hi := func(v float64) int { return int(min(side-1, math.Ceil(v+reach))) }
	for y := lo(s.at.y); y <= hi(s.at.y); y++ {
		for x := lo(s.at.x); x <= hi(s.at.x); x++ {
			fx, fy := float64(x), float64(y)
			if d := s.distance(fx-s.at.x, fy-s.at.y); d < rim {
				cover := min(1, 0.5-d/soft)
				c.pixels[y][x] = c.pixels[y][x].mix(with(fx, fy), cover)
			}
		}
	}
}

// develop writes the picture as bytes, under light that falls off to one side, exposed
// as a camera does, with noise that is more of light than of colour.
func (c *canvas) develop(dst []uint8) {
	light := facing(c.angle(), 0)
	slope, grain := c.between(0, 0.4), c.between(0.01, 0.03)
	for y := range side {
		for x := range side {
			shade := 1 - float64(slope*(0.5+float64(light.distance(float64(x)-side/2, float64(y)-side/2)/side)))
			for i, v := range c.pixels[y][x] {
				c.pixels[y][x][i] = float64(shade * v)
			}
		}
	}
	mean, deviation := c.exposure()
	gain := min(2, c.between(0.17, 0.25)/deviation)
	middle := c.between(0.4, 0.55)
	for y := range side {
		for x := range side {
			shift := middle + float64(grain*c.noise())
			for i, v := range c.pixels[y][x] {
				v = shift + float64(gain*(v-mean)) + float64(0.5*float64(grain*c.noise()))
				dst[(y*side+x)*channels+i] = uint8(float64(255*clamp(v)) + 0.5)
			}
		}
	}
}

// exposure returns mean and standard deviation over all pixels and channels. A picture of
// one colour has a deviation just above 0.
func (c *canvas) exposure() (mean, deviation float64) {
	const n = side * side * channels
	for y := range side {
		for x := range side {
			for _, v := range c.pixels[y][x] {
				mean += v
			}
		}
	}
	mean /= n
	variance := 1e-6
	for y := range side {
		for x := range side {
			for _, v := range c.pixels[y][x] {
				v -= mean
				variance += float64(v * v)
			}
		}
	}
	return mean, math.Sqrt(variance / n)
}

// noise returns the sum of four uniform numbers, of mean 0 and variance 1: nearly
// Gaussian, from integers only.
func (c *canvas) noise() float64 {
	u := c.rnd.Uint64()
	sum := u&0xffff + u>>16&0xffff + u>>32&0xffff + u>>48
	return float64((float64(sum) - 2*0xffff) * (math.Sqrt2 * 1.2247448713915890 / 0x10000))
}
