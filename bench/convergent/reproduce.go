package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/comparison"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
)

// reproduce is the main job. Flags whose default is 0 take the package's defaults,
// which depend on the images.
type reproduce struct {
	Data     string    `help:"Images: a folder or zip with train/CLASS/*.jpg|png and test/CLASS/..., or CLASS/* alone, or a folder of CIFAR-10 binary batches. Without it, images are generated." placeholder:"PATH"`
	Out      string    `short:"o" help:"Folder for the results. A run that was stopped goes on from what is there (${default})." default:"./convergent-out" placeholder:"DIR"`
	Networks []string  `help:"Do not train, but read these networks: safetensors of this architecture, from PyTorch or from an earlier run, or ONNX exports of it." placeholder:"A.safetensors"`
	Nets     int       `help:"How many networks to train and compare; 0 means 4 for generated images, else 8." default:"0"`
	Epochs   int       `help:"Passes over the training images; 0 means 4 for generated images, else 10." default:"0"`
	Seed     uint64    `help:"Seed of the first network; the others count on from it (${default})." default:"1"`
	Arch     string    `help:"Architecture: caffenet32, the paper's for small images; tiny10, of Kornblith et al. (2019); or resnet20 (${default})." choices:"caffenet32,tiny10,resnet20" default:"caffenet32"`
	Layers   []string  `help:"Layers to compare (all: conv1,...,conv5 of caffenet32)." choices:"conv1,conv2,conv3,conv4,conv5" placeholder:"conv1"`
	Images   int       `help:"Test images whose activations are compared (${default})." default:"500"`
	Train    int       `help:"Use at most so many training images; 0 means 5000 generated ones, else all." default:"0"`
	Test     int       `help:"Use at most so many test images; 0 means 1000 generated ones, else all." default:"0"`
	Batch    int       `help:"Images in a training step; 0 means 8 for generated images, else 64 of caffenet32, 32 of tiny10 and 128 of resnet20." default:"0"`
	Rate     float64   `help:"Highest learning rate of the one-cycle schedule; 0 means 0.02 of caffenet32, 0.1 of tiny10, 0.2 of resnet20, and 0.15 of that for generated images." default:"0"`
	Width    float64   `help:"Multiplies the channels, of caffenet32 32, 64, 96, 96 and 64; 0 means 0.5 for generated images, else 1." default:"0"`
	Widths   []float64 `help:"Train two more networks of each of these widths, and compare them (none)." placeholder:"0.5,2"`
	MaxMem   size      `help:"Refuse what is estimated to take more memory (${default})." default:"4GB"`
	analysis
}

// Help follows the summary of the command.
func (*reproduce) Help() string {
	return `The folder of results has report.html, results.json, tables (*.csv), figures and the networks. Ctrl-C stops; the same command goes on from there, and ends with the same results as if it had not been stopped.

Flags may be written with one dash or two: -nets 3, --nets=3.

Examples:

	convergent reproduce
	convergent reproduce -data images.zip -out results
	convergent reproduce -nets 3 -layers conv1,conv2 -epochs 2
	convergent reproduce -data images.zip -networks A.safetensors,B.safetensors`
}

// Run implements the command.
func (c *reproduce) Run(ctx context.Context) error {
	// Where the least is above 0, a 0 would be taken for the default.
	err := cmp.Or(within("nets", c.Nets, 0, math.MaxInt32), within("epochs", c.Epochs, 0, mostEpochs), within("seed", c.Seed, 1, uint64(math.MaxUint64)), within("images", c.Images, 1, mostImages),
		within("train", c.Train, 0, mostImages), within("test", c.Test, 0, mostImages), within("batch", c.Batch, 0, mostImages), within("rate", c.Rate, 0, math.MaxFloat64), within("width", c.Width, 0, 1000), c.check())
	if err != nil {
		return err
	}
	if filepath.Base(c.Data) == results.Procedural {
		return fmt.Errorf("-data %s: %s is what results call images that are generated; give yours another name", c.Data, results.Procedural)
	}
	// Collect rather than grow beyond what a small machine has. Other images than generated
	// ones need more by themselves, and a limit below what is needed has the collector at work
	// all the time.
	limit := int64(c.MaxMem) - resident
	if c.Data == "" && c.Nets <= 4 {
		limit = min(limit, 450<<20)
	}
	debug.SetMemoryLimit(max(limit, resident))
	start := time.Now()
	bars := newBars()
	o := c.options(c.Out, bars)
	o.MaxMemory = int64(c.MaxMem)
	res, err := comparison.Reproduce(ctx, results.Training{
		Data: c.Data, TrainImages: c.Train, TestImages: c.Test, Arch: c.Arch, Width: c.Width, Networks: c.Networks, Nets: c.Nets, Seed: c.Seed,
		Epochs: c.Epochs, Batch: c.Batch, Rate: c.Rate, Layers: c.Layers, Images: c.Images, Widths: c.Widths,
	}, o)
	bars.finish()
	if err != nil {
		return err
	}
	say(res, c.Out, start)
	return nil
}
