package dataset

import (
	"math"

	"github.com/convergent-go/convergent/internal/elem"
)

type point struct{ x, y float64 }

// shape is a region about a position, given by its signed distance: negative
// inside, in pixels, of a point (u, v) relative to that position.
type shape struct {
	at       point
	reach    float64 // no point of it lies farther from at
	distance func(u, v float64) float64
}

// plane is the half-plane behind a line: normal direction (nx, ny), and how far
// the line lies from the origin.
type plane struct{ nx, ny, offset float64 }

func facing(angle, offset float64) plane { return plane{elem.Cos(angle), elem.Sin(angle), offset} }

func (p plane) distance(u, v float64) float64 {
	return float64(p.nx*u) + float64(p.ny*v) - p.offset
}

// inside is the signed distance of an intersection of half-planes, but for the
// outside of its corners, where it is less than the distance.
func inside(planes []plane, u, v float64) float64 {
	d := math.Inf(-1)
	for _, p := range planes {
		d = max(d, p.distance(u, v))
	}
	return d
}

func length(u, v float64) float64 { return math.Sqrt(float64(u*u) + float64(v*v)) }

// disc, like ring, looks the same however it turns.
func disc(at point, r, _ float64) shape {
	return shape{at, r, func(u, v float64) float64 { return length(u, v) - r }}
}

// triangle is isosceles: pi/5 at its tip, which is inner/sin(pi/10) from the centre
// of its inscribed circle.
func triangle(at point, r, turn float64) shape {
	inner := float64(0.66 * r)
	planes := []plane{facing(turn, inner), facing(turn+0.6*math.Pi, inner), facing(turn-0.6*math.Pi, inner)}
	return shape{at, float64(3.24 * inner), func(u, v float64) float64 { return inside(planes, u, v) }}
}

// bar is a rectangle, by half its length and half its width.
func bar(at point, long, wide, turn float64) shape {
	planes := []plane{
		facing(turn, long), facing(turn+math.Pi, long),
		facing(turn+math.Pi/2, wide), facing(turn-math.Pi/2, wide),
	}
	return shape{at, long + wide, func(u, v float64) float64 { return inside(planes, u, v) }}
}

// cross is two bars, a quarter as wide as long.
func cross(at point, r, turn float64) shape {
	one := bar(at, float64(1.2*r), float64(0.3*r), turn)
	other := bar(at, float64(1.2*r), float64(0.3*r), turn+math.Pi/2)
	return shape{at, one.reach, func(u, v float64) float64 { return min(one.distance(u, v), other.distance(u, v)) }}
}

// ring is a third as wide as its radius.
func ring(at point, r, _ float64) shape {
	middle, half := float64(0.85*r), float64(0.17*r)
	return shape{at, middle + half, func(u, v float64) float64 { return math.Abs(length(u, v)-middle) - half }}
}
