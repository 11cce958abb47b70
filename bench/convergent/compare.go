package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/compare"
	"github.com/convergent-go/convergent/bench/convergent/internal/report"
	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// input is what commands that read activations have in common.
type input struct {
	Networks   []string `arg:"" help:"Activations of each network: a .npy, .npz or .safetensors file of samples x units, or of rank 4 (see -layout), each array a layer; a folder of such files, which are shards of the samples in their natural order; or several joined by commas."`
	Names      []string `help:"What to call the networks; else compare takes the names of files, and moments none." placeholder:"A,B"`
	Layout     string   `help:"Of arrays of rank 4: nchw (PyTorch) or nhwc. Never guessed." enum:",nhwc,nchw" default:"" placeholder:"nchw"`
	LayerFiles bool     `help:"What is in a folder is one layer each, and not a shard."`
	Layers     []string `help:"Only these layers." placeholder:"NAME"`
	Pool       bool     `help:"Compare means over positions, which layers of different sizes need."`
	SampleIds  []string `help:"A file for each network: what each sample is, to check that rows go together. Or an array sample_ids beside the layers." placeholder:"A.npy"`
	ImageIds   []string `help:"A file for each network: which image each sample is of, for intervals. Or an array image_ids. Without, each sample is an image." placeholder:"A.npy"`
	Units      []string `name:"unit-names" help:"A file for each network: names of its units. Or an array LAYER.units." placeholder:"A.npy"`
	MaxMem     size     `help:"Refuse what is estimated to take more memory (${default})." default:"4GB"`
	Threads    int      `help:"Threads to use; 0 means all. It changes no result." default:"0"`
}

func (c *input) options() compare.Options {
	layouts := map[string]arrays.Layout{"nhwc": arrays.NHWC, "nchw": arrays.NCHW}
	o := compare.Options{MaxMemory: int64(c.MaxMem), Input: compare.Input{
		Networks: c.Networks, Names: c.Names, LayerFiles: c.LayerFiles, Only: c.Layers, Layout: layouts[c.Layout], Pool: c.Pool,
		SampleIDs: c.SampleIds, ImageIDs: c.ImageIds, UnitNames: c.Units,
	}}
	o.Threads = c.Threads
	// Collect rather than grow beyond what was allowed.
	debug.SetMemoryLimit(int64(c.MaxMem))
	return o
}

// size is a number of bytes.
type size int64

// UnmarshalText reads a number with an ending: 512MB, 4GB.
func (s *size) UnmarshalText(text []byte) error {
	number := strings.ToUpper(string(text))
	for ending, factor := range map[string]float64{"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40} {
		if n, ok := strings.CutSuffix(number, ending); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil || !(v > 0) || v*factor > 1<<62 {
				break
			}
			*s = size(v * factor)
			return nil
		}
	}
	return fmt.Errorf("%q is no amount of memory, such as 512MB or 4GB", text)
}

type compareCommand struct {
	input
	Out       string    `help:"Folder for the results (${default})." default:"./convergent-compare" placeholder:"DIR"`
	Lambdas   []float64 `help:"Penalties of the sparse prediction, as correlations (0,0.001,0.01,0.03,0.1,0.25,0.5)." placeholder:"0,0.01"`
	Clusters  int       `help:"Spectral clusters in each layer; 0 means the paper's share, 0.42 of the units." default:"0"`
	Resamples int       `help:"Resamples of images, for intervals (${default})." default:"100"`
	Shuffles  int       `help:"Shuffles of images, for what chance would give (${default})." default:"19"`
	Draws     int       `help:"Random rotations of units, for the same (${default})." default:"100"`
	Seed      uint64    `help:"Of all that is drawn (${default})." default:"1"`
	Overwrite bool      `help:"Replace other results in the output folder."`
}

// Help follows the summary of the command.
func (*compareCommand) Help() string {
	return `The folder of results has report.html, results.json, figures, and, of each layer and each two networks, correlations (*.npy), matchings, clusters and predictions (*.csv, lasso_weights.npz) and every measure with its interval and p-value (measures.json).

Files of moments, which convergent moments writes of all networks at once, can be given instead of activations, one for each layer.`
}

// Run implements the command.
func (c *compareCommand) Run(ctx context.Context) error {
	if c.Draws < 1 || c.Resamples < 0 || c.Shuffles < 0 || c.Clusters < 0 || c.Threads < 0 {
		return fmt.Errorf("-draws must be above 0, and -resamples, -shuffles, -clusters and -threads not below")
	}
	start := time.Now()
	bars := newProgress()
	o := c.options()
	o.Comparison = study.Comparison{Lambdas: c.Lambdas, Clusters: c.Clusters, Draws: c.Draws, Seed: c.Seed, Threads: c.Threads}
	o.Resamples, o.Shuffles, o.Out, o.Overwrite, o.Progress = c.Resamples, c.Shuffles, c.Out, c.Overwrite, bars.show
	artifacts, err := compare.Run(ctx, o)
	bars.finish()
	if err != nil {
		return err
	}
	if err := report.Write(c.Out, artifacts); err != nil {
		return err
	}
	if len(artifacts.Results.Layers) > 0 {
		printSummary(artifacts.Results)
	} else {
		fmt.Println("No layer is called the same in all networks: only the grid of all layers was made.")
	}
	fmt.Printf("\n%s\nin %s\n", filepath.Join(c.Out, "report.html"), time.Since(start).Round(100*time.Millisecond))
	return nil
}

type momentsCommand struct {
	input
	Output string `short:"o" help:"File for the moments, or, of several layers, a folder." required:"" placeholder:"FILE.moments"`
}

// Help follows the summary of the command.
func (*momentsCommand) Help() string {
	return `Give all networks whose units are to be compared at once: moments of one network do not say how its units vary with those of another. Moments of parts of the samples, made on any machines, are added by convergent merge and compared by convergent compare.`
}

// Run implements the command.
func (c *momentsCommand) Run(ctx context.Context) error {
	bars := newProgress()
	o := c.options()
	o.Progress = bars.show
	files, err := compare.Accumulate(ctx, o, c.Output)
	bars.finish()
	if err != nil {
		return err
	}
	for _, file := range files {
		fmt.Println(file)
	}
	return nil
}

type mergeCommand struct {
	Files  []string `arg:"" help:"Files of moments of the same networks and layer, of different samples."`
	Output string   `short:"o" help:"File for the sum." required:"" placeholder:"FILE.moments"`
}

// Run implements the command.
func (c *mergeCommand) Run() error {
	m, err := compare.Merge(c.Files, c.Output)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d networks, %d observations\n", c.Output, m.Networks(), m.Count())
	return nil
}
