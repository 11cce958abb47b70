package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/nn"
)

// recipe is an architecture with how it is trained where nothing else is said.
type recipe struct {
	name  string
	arch  func(classes int, width float64) nn.Arch
	batch int
	rate  float64 // the learning rate's maximum
	crop  int     // images are shifted by up to so many pixels
}

// recipes are those of all architectures, the default first.
var recipes = []recipe{
	{name: "caffenet32", arch: nn.CaffeNet32, batch: 64, rate: 0.02, crop: 2},
	{name: "tiny10", arch: nn.Tiny10, batch: 32, rate: 0.1}, // which has too few weights to learn images by heart
	{name: "resnet20", arch: nn.ResNet20, batch: 128, rate: 0.2, crop: 2},
}

// Architectures names the architectures that can be trained, the default first.
func Architectures() []string {
	var names []string
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}

// recipeOf returns that of an architecture.
func recipeOf(c results.Training) (recipe, error) {
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.name == c.Arch })
	if i < 0 {
		return recipe{}, fmt.Errorf("-arch %s: the architectures are %s", c.Arch, strings.Join(Architectures(), ", "))
	}
	return recipes[i], nil
}

// layer is a layer of an architecture that can be compared.
type layer struct {
	name   string // of the convolution
	tap    string // of what holds its activations
	linear bool   // which is no ReLU
}

// layers are the convolutions, whose activations are those after the ReLU that follows, as
// in the paper, normalisation and residual sum between them; and global pooling.
func layers(a nn.Arch) []layer {
	var all []layer
	conv := ""
	for _, l := range a.Layers {
		switch l := l.(type) {
		case nn.Conv2D:
			conv = l.Name
		case nn.ReLU:
			if conv != "" {
				all = append(all, layer{conv, l.Name, false})
			}
			conv = ""
		case nn.GlobalAvgPool:
			all = append(all, layer{l.Name, l.Name, true})
		}
	}
	return all
}

func layerNames(a nn.Arch) []string {
	var names []string
	for _, l := range layers(a) {
		names = append(names, l.name)
	}
	return names
}

func layerOf(a nn.Arch, name string) layer {
	all := layers(a)
	return all[slices.IndexFunc(all, func(l layer) bool { return l.name == name })]
}

// tap names what holds the activations of a layer.
func tap(a nn.Arch, name string) string { return layerOf(a, name).tap }
