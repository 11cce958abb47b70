package study

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/convergent-go/convergent/nn"
)

// Config is everything that a run's results depend on. Equal configurations
// give equal bytes, on any machine and any number of cores.
type Config struct {
	Data        string    `json:"data"`               // "procedural", or the file or folder of images
	TrainImages int       `json:"train_images"`       // limit; 0: all
	TestImages  int       `json:"test_images"`        // limit; 0: all
	Width       float64   `json:"width"`              // of the networks, times 32-64-96-96-64 channels
	Networks    []string  `json:"networks,omitempty"` // files of networks that were trained elsewhere and are not trained here
	Nets        int       `json:"nets"`
	Seed        uint64    `json:"seed"` // of the first network; the others follow
	Epochs      int       `json:"epochs"`
	Batch       int       `json:"batch"`
	Rate        float64   `json:"rate"` // the learning rate's maximum
	Layers      []string  `json:"layers"`
	Images      int       `json:"images"`           // test images whose activations are compared
	Lambdas     []float64 `json:"lambdas"`          // of the LASSO
	Clusters    int       `json:"clusters"`         // of the spectral clustering; 0: the paper's share, 0.4 x units
	Draws       int       `json:"draws"`            // of the rotation null
	Resamples   int       `json:"resamples"`        // of images, for intervals
	Widths      []float64 `json:"widths,omitempty"` // two more networks are trained of each, and compared
	Fingerprint string    `json:"fingerprint"`      // of the images and labels used, and of networks trained elsewhere
}

// What augmentation does to training images of 32 x 32.
const (
	crop   = 2 // shifted by up to so many pixels
	mirror = true
)

// Defaults. Procedural data is made so that the whole run takes a minute or so.
const (
	defaultNets      = 4
	defaultBatch     = 64
	defaultRate      = 0.02
	defaultDraws     = 100
	defaultResamples = 100
	defaultImages    = 500
	defaultEpochs    = 10

	defaultProceduralTrain  = 3000
	defaultProceduralTest   = 1000
	defaultProceduralEpochs = 6
	defaultProceduralBatch  = 32
)

// DefaultLambdas are in units of correlation: a unit that correlates with none
// of the others by more than lambda gets no weight. The paper divides by the
// number of channels C, so that its lambda of 10^-2.6 at C = 96 is 0.24 here.
var DefaultLambdas = []float64{0, 0.001, 0.01, 0.03, 0.1, 0.25, 0.5}

// Procedural is the name of the images that need no file.
const Procedural = "procedural"

const (
	maxLambdas = 100
	maxWidth   = 16
)

// withDefaults fills zero fields.
func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Data == "" {
		c.Data = Procedural
	}
	if c.Data == Procedural {
		set(&c.TrainImages, defaultProceduralTrain)
		set(&c.TestImages, defaultProceduralTest)
		set(&c.Epochs, defaultProceduralEpochs)
		set(&c.Batch, defaultProceduralBatch)
	}
	if len(c.Networks) > 0 {
		c.Nets = len(c.Networks)
	}
	set(&c.Epochs, defaultEpochs)
	set(&c.Nets, defaultNets)
	set(&c.Batch, defaultBatch)
	set(&c.Images, defaultImages)
	set(&c.Draws, defaultDraws)
	set(&c.Resamples, defaultResamples)
	if c.Width == 0 {
		c.Width = 1
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Rate == 0 {
		c.Rate = defaultRate
	}
	known := convLayers(c.arch(2))
	if len(c.Layers) == 0 {
		c.Layers = known
	}
	c.Layers = slices.Clone(c.Layers) // in the order of the network, however they are given
	slices.SortStableFunc(c.Layers, func(x, y string) int { return slices.Index(known, x) - slices.Index(known, y) })
	if len(c.Lambdas) == 0 {
		c.Lambdas = DefaultLambdas
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Nets < 2:
		return fmt.Errorf("a comparison needs at least two networks (-nets 2), not %d", c.Nets)
	case c.Nets > 1000:
		return fmt.Errorf("%d networks: at most 1000", c.Nets)
	case c.Epochs < 0 || c.Batch < 1 || c.Images < 1 || c.Draws < 1 || c.TrainImages < 0 || c.TestImages < 0 || c.Clusters < 0:
		return errors.New("epochs, batch, images, draws, limits of images and clusters must not be negative, nor batch, images and draws zero")
	case c.Resamples < 0:
		return fmt.Errorf("%d resamples: they must not be negative", c.Resamples)
	case len(c.Widths) > 0 && len(c.Networks) > 0:
		return errors.New("networks that are given have their width; leave out -widths")
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("learning rate %g: it must be above 0", c.Rate)
	case len(c.Lambdas) > maxLambdas:
		return fmt.Errorf("%d values of lambda: at most %d", len(c.Lambdas), maxLambdas)
	}
	for i, w := range append([]float64{c.Width}, c.Widths...) {
		if !(w > 0 && w <= maxWidth) {
			return fmt.Errorf("width %g: it must be above 0 and at most %d", w, maxWidth)
		}
		if i > 0 && (w == c.Width || slices.Contains(c.Widths[:i-1], w)) {
			return fmt.Errorf("width %g is given twice", w)
		}
	}
	for i, l := range c.Lambdas {
		if !(l >= 0) || math.IsInf(l, 0) {
			return fmt.Errorf("lambda %g: it must be a number of at least 0", l)
		}
		if slices.Contains(c.Lambdas[:i], l) {
			return fmt.Errorf("lambda %g is given twice", l)
		}
	}
	known := convLayers(c.arch(2))
	for i, l := range c.Layers {
		if !slices.Contains(known, l) {
			return fmt.Errorf("no layer %q; the layers are %s", l, strings.Join(known, ", "))
		}
		if slices.Contains(c.Layers[:i], l) {
			return fmt.Errorf("layer %q is given twice", l)
		}
	}
	return nil
}

// arch is the networks' architecture.
func (c Config) arch(classes int) nn.Arch { return nn.CaffeNet32(classes, c.Width) }

// eachWidth is the networks' width and the others, rising; none if there are no others.
func (c Config) eachWidth() []float64 {
	if len(c.Widths) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(append([]float64{c.Width}, c.Widths...)))
}

// checkpoints are the epochs after which a network is kept on its way, before the last.
func (c Config) checkpoints() []int {
	var epochs []int
	for e := 1; e < c.Epochs; e = max(3, 2*e) {
		epochs = append(epochs, e)
	}
	return epochs
}

// convLayers names the convolutions of an architecture.
func convLayers(a nn.Arch) []string {
	var names []string
	for _, l := range a.Layers {
		if conv, ok := l.(nn.Conv2D); ok {
			names = append(names, conv.Name)
		}
	}
	return names
}

// tap names the layer whose output are the activations of the given
// convolution: the ReLU that follows it, as in the paper.
func tap(a nn.Arch, layer string) string {
	for i, l := range a.Layers {
		if conv, ok := l.(nn.Conv2D); ok && conv.Name == layer {
			return a.Layers[i+1].(nn.ReLU).Name
		}
	}
	panic("study: no such layer")
}

// difference names the first field in which two configurations differ, or
// returns "".
func difference(a, b Config) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if u, v := x.Field(i).Interface(), y.Field(i).Interface(); !reflect.DeepEqual(u, v) {
			name, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("json"), ",")
			return fmt.Sprintf("%s %v instead of %v", name, u, v)
		}
	}
	return ""
}
