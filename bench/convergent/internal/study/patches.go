package study

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/vec"
	"github.com/convergent-go/convergent/nn"
)

// patchCount is how many patches are kept for each unit.
const patchCount = 9

// patches are the pieces of images that activate units most.
type patches struct {
	best                 [][][]Patch // by network and unit, falling by value
	size, stride, offset int         // of the receptive field
}

func newPatches(nets []*nn.Net, tap string) *patches {
	p := new(patches)
	for _, n := range nets {
		s, _ := n.Shape(tap)
		p.best = append(p.best, make([][]Patch, s.C))
	}
	p.size, p.stride, p.offset, _ = nets[0].ReceptiveField(tap) // convolutions have one
	return p
}

// add keeps, of each unit's maxima over each image, the largest; of equals the one
// seen first.
func (p *patches) add(network int, t *nn.Tensor, ids []uint64) {
	best := p.best[network]
	top, where := make([]float32, t.C), make([]int32, t.C)
	for i := range t.N {
		image := t.Data[i*t.H*t.W*t.C:][:t.H*t.W*t.C]
		clear(top)
		for at := range t.H * t.W {
			vec.Max(top, where, image[at*t.C:][:t.C], at*t.C)
		}
		for unit, v := range top {
			list := best[unit]
			if v <= 0 || len(list) == patchCount && float64(v) <= list[patchCount-1].Value {
				continue
			}
			at := int(where[unit]) / t.C
			found := Patch{Value: float64(v), Index: int(ids[i]), Y: at / t.W, X: at % t.W}
			place, _ := slices.BinarySearchFunc(list, found, func(a, b Patch) int {
				if a.Value >= b.Value {
					return -1
				}
				return 1
			})
			list = slices.Insert(list, place, found)
			best[unit] = list[:min(len(list), patchCount)]
		}
	}
}

// write saves a sheet of the patches, and what each is.
func (p *patches) write(dir string, part *dataset.Part) error {
	units := 0
	for _, b := range p.best {
		units += len(b)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, patchCount*p.size, units*p.size))
	grey := image.NewUniform(color.Gray{128})
	draw.Draw(sheet, sheet.Bounds(), grey, image.Point{}, draw.Src)
	row := 0
	for _, b := range p.best {
		for unit, list := range b {
			if list == nil {
				b[unit] = []Patch{} // an empty list in JSON, not null
			}
			for rank, found := range list {
				// Pixels of the image that lie in the receptive field go to where
				// they lie in it.
				corner := image.Pt(found.X*p.stride+p.offset, found.Y*p.stride+p.offset)
				field := image.Rectangle{corner, corner.Add(image.Pt(p.size, p.size))}
				seen := field.Intersect(image.Rect(0, 0, part.W, part.H))
				cell := image.Pt(rank*p.size, row*p.size)
				draw.Draw(sheet, seen.Sub(corner).Add(cell), part.Image(found.Index), seen.Min, draw.Src)
			}
			row++
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, sheet); err != nil {
		return err
	}
	if err := artifact.WriteFile(filepath.Join(dir, sheetFile), buf.Bytes()); err != nil {
		return err
	}
	return artifact.WriteJSON(filepath.Join(dir, patchesFile), p.best)
}
