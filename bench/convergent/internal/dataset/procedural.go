package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/internal/par"
)

// side is the height and width of procedural images.
const side = 32

// kinds are the procedural classes: six textures, and four shapes that lie on a
// texture, faded, so that the background says little about the class.
var kinds = []struct {
	name  string
	paint func(*canvas)
}{
	{"leaves", func(c *canvas) { c.leaves(wideRange) }},
	{"straw", func(c *canvas) { c.straw(wideRange) }},
	{"stripes", func(c *canvas) { c.stripes(wideRange) }},
	{"checks", func(c *canvas) { c.checks(wideRange) }},
	{"ripples", func(c *canvas) { c.ripples(wideRange) }},
	{"blobs", func(c *canvas) { c.blobs(wideRange) }},
	{"rings", func(c *canvas) { c.objects(ring) }},
	{"discs", func(c *canvas) { c.objects(disc) }},
	{"triangles", func(c *canvas) { c.objects(triangle) }},
	{"crosses", func(c *canvas) { c.objects(cross) }},
}

// Procedural makes a set of train and test images, 32x32 and in ten classes, from
// nothing but the seed. They are dead leaves (Ruderman 1997; Lee, Mumford and
// Huang 2001) of discs and of straw, oriented textures, soft blobs and coloured
// shapes, under uneven light and with noise: edges of all orientations and
// scales, and colour contrasts, as in photographs. Each image is a function of the
// seed, its part and its index only; its class is its index modulo ten.
// Procedural panics if train or test is negative.
func Procedural(seed uint64, train, test int) *Set {
	if train < 0 || test < 0 {
		panic("dataset: negative number of images")
	}
	labels := func(n int) []int {
		l := make([]int, n)
		for i := range l {
			l[i] = i % len(kinds)
		}
		return l
	}
	classes := make([]string, len(kinds))
	for i, k := range kinds {
		classes[i] = k.name
	}
	s := newSet(fmt.Sprintf("procedural images, seed %d", seed), side, classes, labels(train), labels(test))
	for part, p := range []*Part{&s.Train, &s.Test} {
		par.Blocks(par.Threads(0), p.Len(), 16, func(lo, hi int) {
			c := new(canvas)
			for i := lo; i < hi; i++ {
				c.rnd = rand.New(rand.NewPCG(seed, uint64(i)<<1|uint64(part)))
				kinds[p.Labels[i]].paint(c)
				c.develop(p.at(i))
			}
		})
	}
	s.Norm = s.Train.Stats()
	return s
}

// palette draws the colours of one texture.
type palette func(*canvas) colour

// wideRange draws any colour: light and dark far apart; red against green, and blue
// against yellow, less far, as in photographs.
func wideRange(c *canvas) colour {
	light, red, blue := c.between(0.05, 0.95), c.between(-0.16, 0.16), c.between(-0.24, 0.24)
	yellow := float64(0.5 * blue)
	return colour{light + red - yellow, light - red - yellow, light + blue}
}

// near draws colours that stay close to one.
func near(base colour, spread float64) palette {
	return func(c *canvas) colour { return base.mix(wideRange(c), spread) }
}

// leaves covers the canvas with discs that hide one another, their radii
// distributed as r^-3, which makes the picture look alike at all scales.
func (c *canvas) leaves(colours palette) {
	c.fill(flat(colours(c)))
	for range 80 {
		c.paint(disc(c.place(2), c.radius(2.8, 12), 0), c.between(0.8, 1.6), c.shaded(colours(c)))
	}
}

// straw is leaves with long narrow bars.
func (c *canvas) straw(colours palette) {
	c.fill(flat(colours(c)))
	for range 80 {
		long := c.between(6, 14)
		c.paint(bar(c.place(2), long, float64(long*c.between(0.09, 0.17)), c.angle()), c.between(0.8, 1.6), c.shaded(colours(c)))
	}
}

// stripes is a grating of any orientation and frequency; in a quarter of the
// pictures a second one lies beyond an edge.
func (c *canvas) stripes(colours palette) {
	c.fill(c.grating(colours))
	if c.rnd.IntN(4) == 0 {
		edge := []plane{facing(c.angle(), c.between(0, 8))}
		c.paint(shape{point{side / 2, side / 2}, side, func(u, v float64) float64 { return inside(edge, u, v) }},
			1, c.grating(colours))
	}
}

// grating returns stripes as an ink.
func (c *canvas) grating(colours palette) ink {
	wave := c.wave(3, 6.5)
	along := facing(c.angle(), 0)
	a, b := c.pair(colours)
	return func(x, y float64) colour {
		return a.mix(b, wave.between(along.distance(x, y), 1))
	}
}

// checks is a chequerboard, turned by any angle and not always of squares.
func (c *canvas) checks(colours palette) {
	columns, rows := c.wave(8, 16), c.wave(8, 16)
	turn := c.angle()
	along, across := facing(turn, 0), facing(turn+math.Pi/2, 0)
	a, b := c.pair(colours)
	c.fill(func(x, y float64) colour {
		return a.mix(b, columns.between(along.distance(x, y), rows.at(across.distance(x, y))))
	})
}

// ripples is a set of rings about a point in the picture.
func (c *canvas) ripples(colours palette) {
	wave, centre := c.wave(4.5, 9), c.place(-6)
	squash, along := c.between(0.6, 1), facing(c.angle(), 0)
	a, b := c.pair(colours)
	c.fill(func(x, y float64) colour {
		dx, dy := x-centre.x, y-centre.y
		stretch := float64(squash * along.distance(dx, dy))
		return a.mix(b, wave.between(length(length(dx, dy), stretch), 1))
	})
}

// blobs is a heap of discs that fade into one another.
func (c *canvas) blobs(colours palette) {
	c.fill(c.shaded(colours(c)))
	for range 12 + c.rnd.IntN(20) {
		r := c.radius(3, 14)
		c.paint(disc(c.place(4), r, 0), float64(1.6*r), flat(colours(c)))
	}
}

// objects puts one or two of a shape, large enough to be told, on a faded texture.
func (c *canvas) objects(kind func(at point, r, turn float64) shape) {
	base := wideRange(c)
	faded := near(base, c.between(0.05, 0.18))
	switch c.rnd.IntN(6) {
	case 0:
		c.leaves(faded)
	case 1:
		c.straw(faded)
	case 2:
		c.stripes(faded)
	default:
		c.blobs(faded)
	}
	for range 1 + c.rnd.IntN(2) {
		c.paint(kind(c.place(-8), c.between(6, 10), c.angle()), c.between(0.8, 1.2), c.shaded(c.far(base)))
	}
}
