package study

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/dataset"
	"github.com/convergent-go/convergent/internal/par"
	"github.com/convergent-go/convergent/internal/vec"
	"github.com/convergent-go/convergent/nn"
)

// patchCount is how many patches are kept for each unit.
const patchCount = 9

// activations runs the test images through all networks, once, and writes each
// layer's joint moments and most activating patches.
func (r *run) activations(ctx context.Context, networks []Network) error {
	missing := slices.ContainsFunc(r.Layers, func(layer string) bool {
		_, err := os.Stat(filepath.Join(r.Out, "layers", layer, momentsFile))
		return err != nil // written last of a layer's files here
	})
	if !missing {
		return nil
	}
	arch := r.arch(len(r.set.Classes))
	nets := make([]*nn.Net, len(networks))
	taps := make([]map[string]*nn.Tensor, len(networks))
	for i := range nets {
		var err error
		if nets[i], err = nn.Load(filepath.Join(r.Out, networks[i].File), arch); err != nil {
			return err
		}
		nets[i].Threads = 1
		taps[i] = make(map[string]*nn.Tensor)
		for _, layer := range r.Layers {
			taps[i][tap(arch, layer)] = nil
		}
	}
	layers := make([]*observed, len(r.Layers))
	for i, layer := range r.Layers {
		layers[i] = newObserved(nets, layer, tap(arch, layer), r.Threads)
	}

	some := r.set.Test
	some.Pixels, some.Labels = some.Pixels[:r.images()*some.H*some.W*some.C], some.Labels[:r.images()]
	done := 0
	for b, err := range r.set.Epoch(ctx, &some, dataset.LoaderOptions{Batch: 50}, 0) {
		if err != nil {
			return err
		}
		x := &nn.Tensor{N: b.N, H: some.H, W: some.W, C: some.C, Data: b.Pixels}
		par.For(par.Threads(r.Threads), len(nets), func(i int) { nets[i].Forward(x, taps[i]) })
		for _, l := range layers {
			if err := l.add(taps, b.Index); err != nil {
				return err
			}
		}
		done += b.N
		r.report(Event{Task: "stream activations", Done: done, Total: r.images()})
	}
	for _, l := range layers {
		if err := l.write(filepath.Join(r.Out, "layers", l.layer), &r.set.Test); err != nil {
			return err
		}
	}
	return nil
}

// observed gathers what is kept of one layer's activations.
type observed struct {
	layer, tap           string
	moments              *corr.Moments
	best                 [][][]Patch // by network and unit, falling by value
	size, stride, offset int         // of the receptive field
}

func newObserved(nets []*nn.Net, layer, tap string, threads int) *observed {
	o := &observed{layer: layer, tap: tap}
	var units []int
	for _, n := range nets {
		s, _ := n.Shape(tap)
		units = append(units, s.C)
		o.best = append(o.best, make([][]Patch, s.C))
	}
	o.moments = corr.NewMoments(units...)
	o.moments.Threads = threads
	o.size, o.stride, o.offset, _ = nets[0].ReceptiveField(tap) // convolutions have one
	return o
}

// add observes a batch of images of the given places among the test images.
func (o *observed) add(taps []map[string]*nn.Tensor, index []int) error {
	var rows int
	data := make([][]float32, len(taps))
	for i := range taps {
		t := taps[i][o.tap]
		rows, data[i] = t.N*t.H*t.W, t.Data
		o.findPatches(o.best[i], t, index)
	}
	if err := o.moments.Add(rows, data...); err != nil {
		return fmt.Errorf("layer %s: %w", o.layer, err)
	}
	return nil
}

// findPatches keeps, of each unit's maxima over each image, the largest;
// of equals the one seen first.
func (o *observed) findPatches(best [][]Patch, t *nn.Tensor, index []int) {
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
			p := Patch{Value: float64(v), Index: index[i], Y: at / t.W, X: at % t.W}
			place, _ := slices.BinarySearchFunc(list, p, func(a, b Patch) int {
				if a.Value >= b.Value {
					return -1
				}
				return 1
			})
			list = slices.Insert(list, place, p)
			best[unit] = list[:min(len(list), patchCount)]
		}
	}
}

// write saves the layer's patches and moments, the moments last.
func (o *observed) write(dir string, part *dataset.Part) error {
	units := 0
	for _, b := range o.best {
		units += len(b)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, patchCount*o.size, units*o.size))
	grey := image.NewUniform(color.Gray{128})
	draw.Draw(sheet, sheet.Bounds(), grey, image.Point{}, draw.Src)
	row := 0
	for _, b := range o.best {
		for unit, list := range b {
			if list == nil {
				b[unit] = []Patch{} // an empty list in JSON, not null
			}
			for rank, p := range list {
				// Pixels of the image that lie in the receptive field go to where
				// they lie in it.
				corner := image.Pt(p.X*o.stride+o.offset, p.Y*o.stride+o.offset)
				field := image.Rectangle{corner, corner.Add(image.Pt(o.size, o.size))}
				seen := field.Intersect(image.Rect(0, 0, part.W, part.H))
				cell := image.Pt(rank*o.size, row*o.size)
				draw.Draw(sheet, seen.Sub(corner).Add(cell), part.Image(p.Index), seen.Min, draw.Src)
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
	if err := artifact.WriteJSON(filepath.Join(dir, patchesFile), o.best); err != nil {
		return err
	}
	return o.moments.Save(filepath.Join(dir, momentsFile))
}
