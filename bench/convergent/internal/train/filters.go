package train

import (
	"image"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
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

// filters draws the weights of the first layer.
func filters(n *nn.Net) []image.Image {
	w := n.Params()[0]
	out, size, depth := w.Shape[0], w.Shape[1], w.Shape[3]
	images := make([]image.Image, out)
	for o := range images {
		images[o] = source.DrawFilter(w.Data[o*size*size*depth:][:size*size*depth], size, size, depth)
	}
	return images
}
