package train

import (
	"image"
	"image/color"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/nn"
)

// Filters draws the weights of the first layer of each network of a finished run; nil if
// it ran none.
func Filters(dir string, r *results.Results) ([][]image.Image, error) {
	if r.Config.Training == nil {
		return nil, nil
	}
	f := results.Folder{Dir: dir}
	recipe, err := recipeOf(*r.Config.Training)
	if err != nil {
		return nil, err
	}
	arch := recipe.arch(len(r.Dataset.Classes), r.Config.Training.Width)
	var all [][]image.Image
	for _, network := range r.Networks {
		n, err := nn.Load(f.Path(network.File), arch)
		if err != nil {
			return nil, err
		}
		all = append(all, filters(n))
	}
	return all, nil
}

// filters draws the weights of the first layer: zero is grey, and the largest
// of a filter in size is full colour.
func filters(n *nn.Net) []image.Image {
	w := n.Params()[0]
	out, size, depth := w.Shape[0], w.Shape[1], w.Shape[3]
	images := make([]image.Image, out)
	for o := range images {
		v := w.Data[o*size*size*depth:][:size*size*depth]
		var largest float64
		for _, x := range v {
			largest = max(largest, math.Abs(float64(x)))
		}
		tone := func(x float32) uint8 {
			if largest == 0 {
				return 128
			}
			return uint8(math.Round(127.5 + 127.5*float64(x)/largest))
		}
		img := image.NewNRGBA(image.Rect(0, 0, size, size))
		for at := range size * size {
			c := v[at*depth:][:depth]
			img.SetNRGBA(at%size, at/size, color.NRGBA{tone(c[0]), tone(c[1%depth]), tone(c[2%depth]), 255})
		}
		images[o] = img
	}
	return images
}
