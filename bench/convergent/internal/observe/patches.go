package observe

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"maps"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
)

// Patches are the pieces of images that activate units most.
type Patches struct {
	best     [][][]results.Patch // by network and unit, falling by value
	layers   []source.Layer      // by network
	pictures source.Pictures
	threads  int
}

func newPatches(d *source.Description, a source.Aligned, threads int) *Patches {
	p := &Patches{pictures: d.Pictures, threads: threads}
	for n := range d.Networks {
		l := d.LayerOf(a, n)
		p.layers = append(p.layers, l)
		p.best = append(p.best, make([][]results.Patch, l.Units))
	}
	return p
}

// add offers each unit's largest activation over each sample; of equals the first stays
// ahead.
func (p *Patches) add(network int, t source.Tensor, valid []bool, before int) {
	best := p.best[network]
	largest, where := make([]float32, t.Units), make([]int32, t.Units)
	width := 1
	if e := p.layers[network].Extents; len(e) > 0 {
		width = e[len(e)-1]
	}
	for i := range t.Samples {
		sample := t.Sample(i)
		clear(largest)
		for at := range t.Positions {
			if valid == nil || valid[i*t.Positions+at] {
				vec.Max(largest, where, sample[at*t.Units:][:t.Units], at*t.Units)
			}
		}
		for unit, v := range largest {
			list := best[unit]
			if v <= 0 || len(list) == results.PatchCount && float64(v) <= list[results.PatchCount-1].Value {
				continue
			}
			at := int(where[unit]) / t.Units
			patch := results.Patch{Value: float64(v), Sample: before + i, Y: at / width, X: at % width}
			place, _ := slices.BinarySearchFunc(list, patch, func(a, b results.Patch) int {
				if a.Value >= b.Value {
					return -1
				}
				return 1
			})
			list = slices.Insert(list, place, patch)
			best[unit] = list[:min(len(list), results.PatchCount)]
		}
	}
}

// guessedSize is how large a patch is whose receptive field is not known, in pixels.
const guessedSize = 32

// sheetPixels is how many pixels the patches of a layer have at most: of many units with
// large receptive fields they are shown smaller.
const sheetPixels = 1 << 25

// Write cuts the patches out of their images and leaves them in a layer's folder.
func (p *Patches) Write(dir string) error {
	size, units := 0, 0
	bySample := make(map[int][]at)
	for n, l := range p.layers {
		if l.Field != nil {
			size = max(size, l.Field.Size)
		} else {
			size = max(size, guessedSize)
		}
		units += l.Units
		for _, list := range p.best[n] {
			for i := range list {
				bySample[list[i].Sample] = append(bySample[list[i].Sample], at{&list[i], l})
			}
		}
	}
	size = min(size, int(math.Sqrt(sheetPixels/float64(results.PatchCount*units))))
	samples := slices.Collect(maps.Keys(bySample))
	errs := make([]error, len(samples))
	par.For(par.Threads(p.threads), len(samples), func(i int) { // each picture is made once, and let go
		picture, err := p.pictures.Picture(samples[i])
		if errs[i] = err; err != nil {
			return
		}
		known := make(map[image.Rectangle]image.Image)
		for _, patch := range bySample[samples[i]] {
			patch.Image = cut(picture, patch.layer, patch.Y, patch.X, size, known)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return results.WritePatches(dir, size, p.best)
}

// at is a patch, and the layer that it is of.
type at struct {
	*results.Patch
	layer source.Layer
}

// cut returns a square of so many pixels with what a position of a layer sees, grey where
// that leaves the image. Where the receptive field is not known that is taken to be three
// steps of the map around the position; where positions are no map, the whole image. What
// was cut out of the picture before is known.
func cut(picture image.Image, l source.Layer, y, x, size int, known map[image.Rectangle]image.Image) image.Image {
	bounds := picture.Bounds()
	field := bounds
	switch {
	case l.Field != nil:
		corner := bounds.Min.Add(image.Pt(x*l.Field.Stride+l.Field.Offset, y*l.Field.Stride+l.Field.Offset))
		field = image.Rectangle{corner, corner.Add(image.Pt(l.Field.Size, l.Field.Size))}
	case len(l.Extents) == 2:
		h, w := l.Extents[0], l.Extents[1]
		side := max(1, 3*bounds.Dy()/h, 3*bounds.Dx()/w)
		centre := bounds.Min.Add(image.Pt((2*x+1)*bounds.Dx()/(2*w), (2*y+1)*bounds.Dy()/(2*h)))
		corner := centre.Sub(image.Pt(side/2, side/2))
		field = image.Rectangle{corner, corner.Add(image.Pt(side, side))}
	}
	if patch := known[field]; patch != nil {
		return patch
	}
	patch := image.NewRGBA(image.Rect(0, 0, field.Dx(), field.Dy()))
	draw.Draw(patch, patch.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	part := field.Intersect(bounds)
	draw.Draw(patch, part.Sub(field.Min), picture, part.Min, draw.Src)
	if field.Dx() != size || field.Dy() != size {
		scaled := image.NewRGBA(image.Rect(0, 0, size, size))
		xdraw.CatmullRom.Scale(scaled, scaled.Bounds(), patch, patch.Bounds(), draw.Src, nil)
		patch = scaled
	}
	known[field] = patch
	return patch
}
