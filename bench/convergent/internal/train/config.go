// Package train has activations of networks that are run here: it trains networks from
// different seeds, or reads them, and runs test images through them as they are at the end
// of training, before it, and on the way.
package train

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// Defaults. With procedural images, which few units tell apart, the whole run takes about a
// minute. Their networks see few images, and so learn from small batches, at a rate at which
// no units die.
const (
	defaultNets   = 8
	defaultImages = 500
	defaultEpochs = 10

	defaultProceduralNets   = 4
	defaultProceduralTrain  = 5000
	defaultProceduralTest   = 1000
	defaultProceduralEpochs = 4
	defaultProceduralBatch  = 8
	proceduralRate          = 0.15 // of that for other images
	proceduralWidth         = 0.5
)

// Limits.
const (
	maxNets  = 1000
	maxWidth = 16
)

// Defaults fills zero fields of a configuration.
func Defaults(c results.Training) results.Training {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Data == "" {
		c.Data = results.Procedural
	}
	if len(c.Networks) > 0 {
		c.Nets = len(c.Networks)
	}
	if c.Data == results.Procedural {
		set(&c.Nets, defaultProceduralNets)
		set(&c.TrainImages, defaultProceduralTrain)
		set(&c.TestImages, defaultProceduralTest)
		set(&c.Epochs, defaultProceduralEpochs)
		set(&c.Batch, defaultProceduralBatch)
	}
	if c.Arch == "" {
		c.Arch = recipes[0].name
	}
	set(&c.Epochs, defaultEpochs)
	set(&c.Nets, defaultNets)
	set(&c.Images, defaultImages)
	if c.Width == 0 {
		c.Width = 1
		if c.Data == results.Procedural && len(c.Networks) == 0 {
			c.Width = proceduralWidth
		}
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	r, err := recipeOf(c)
	if err != nil {
		return c // which is not valid
	}
	set(&c.Batch, r.batch)
	if c.Rate == 0 {
		c.Rate = r.rate
		if c.Data == results.Procedural {
			c.Rate *= proceduralRate
		}
	}
	names := layerNames(r.arch(2, c.Width))
	if len(c.Layers) == 0 {
		c.Layers = names
	}
	c.Layers = slices.Clone(c.Layers) // in the order of the network, however they are given
	slices.SortStableFunc(c.Layers, func(x, y string) int { return slices.Index(names, x) - slices.Index(names, y) })
	return c
}

// validate returns an error that names the flag at fault.
func validate(c results.Training, r recipe) error {
	switch {
	case c.Nets < 2:
		return fmt.Errorf("-nets %d: a comparison needs at least two networks", c.Nets)
	case c.Nets > maxNets:
		return fmt.Errorf("-nets %d: at most %d", c.Nets, maxNets)
	case len(c.Widths) > 0 && len(c.Networks) > 0:
		return errors.New("-widths: networks that are given by -networks have their width")
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("-rate %g: the learning rate must be above 0", c.Rate)
	}
	for _, v := range []struct {
		flag         string
		value, least int
	}{{"epochs", c.Epochs, 0}, {"batch", c.Batch, 1}, {"images", c.Images, 1}, {"train", c.TrainImages, 0}, {"test", c.TestImages, 0}} {
		if v.value < v.least {
			return fmt.Errorf("-%s %d: it must be at least %d", v.flag, v.value, v.least)
		}
	}
	for i, w := range append([]float64{c.Width}, c.Widths...) {
		flag := "-widths"
		if i == 0 {
			flag = "-width"
		}
		if !(w > 0 && w <= maxWidth) {
			return fmt.Errorf("%s %g: it must be above 0 and at most %d", flag, w, maxWidth)
		}
		if i > 0 && (w == c.Width || slices.Contains(c.Widths[:i-1], w)) {
			return fmt.Errorf("%s %g: this width is given twice", flag, w)
		}
	}
	names := layerNames(r.arch(2, c.Width))
	for i, l := range c.Layers {
		if !slices.Contains(names, l) {
			return fmt.Errorf("-layers: no layer %q; the layers are %s", l, strings.Join(names, ", "))
		}
		if slices.Contains(c.Layers[:i], l) {
			return fmt.Errorf("-layers: %q is given twice", l)
		}
	}
	return nil
}

// checkpoints are the epochs after which a network is stored on its way, before the last.
func checkpoints(epochs int) []int {
	var all []int
	for e := 1; e < epochs; e = max(3, 2*e) {
		all = append(all, e)
	}
	return all
}
