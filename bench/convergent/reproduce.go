package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/report"
	"github.com/convergent-go/convergent/bench/convergent/internal/study"
)

// reproduce is the main job. Flags whose default is 0 take study's defaults,
// which depend on the images.
type reproduce struct {
	Data      string    `help:"Images: a folder or zip with train/CLASS/*.jpg|png and test/CLASS/..., or CLASS/* alone, or a folder of CIFAR-10 binary batches. Without it, images are generated." placeholder:"PATH"`
	Out       string    `help:"Folder for the results. A run that was stopped goes on from what is there (${default})." default:"./convergent-out" placeholder:"DIR"`
	Networks  []string  `help:"Do not train, but read these networks: safetensors of this architecture, from PyTorch or from an earlier run." placeholder:"A.safetensors"`
	Nets      int       `help:"How many networks to train and compare (${default})." default:"4"`
	Epochs    int       `help:"Passes over the training images; 0 means 6 for generated images, else 10." default:"0"`
	Seed      uint64    `help:"Seed of the first network; the others count on from it (${default})." default:"1"`
	Layers    []string  `help:"Layers to compare (all five: conv1,...,conv5)." placeholder:"conv1"`
	Lambdas   []float64 `help:"Penalties of the sparse prediction, as correlations: a unit that correlates less than this with all others is predicted from none (0,0.001,0.01,0.03,0.1,0.25,0.5)." placeholder:"0,0.01"`
	Images    int       `help:"Test images whose activations are compared (${default})." default:"500"`
	Train     int       `help:"Use at most so many training images; 0 means 3000 generated ones, else all." default:"0"`
	Test      int       `help:"Use at most so many test images; 0 means 1000 generated ones, else all." default:"0"`
	Batch     int       `help:"Images in a training step; 0 means 32 for generated images, else 64." default:"0"`
	Rate      float64   `help:"Highest learning rate of the one-cycle schedule (${default})." default:"0.02"`
	Width     float64   `help:"Multiplies the channels, 32, 64, 96, 96 and 64 (${default})." default:"1"`
	Widths    []float64 `help:"Train two more networks of each of these widths, and compare them (none)." placeholder:"0.5,2"`
	Clusters  int       `help:"Spectral clusters in each layer; 0 means the paper's share, 0.42 of the units." default:"0"`
	Draws     int       `help:"Random rotations for the null (${default})." default:"100"`
	Resamples int       `help:"Resamples of images for intervals (${default})." default:"100"`
	Threads   int       `help:"Threads to use; 0 means all. It changes no result." default:"0"`
	Overwrite bool      `help:"Replace another run's results in the output folder."`
}

// Help follows the summary of the command.
func (*reproduce) Help() string {
	return `The folder of results has report.html, results.json, tables (*.csv), figures and the networks. Ctrl-C stops; the same command goes on from there, and ends with the same results as if it had not been stopped.

Flags may be written with one dash or two: -nets 3, --nets=3.`
}

// Run implements the command.
func (c *reproduce) Run(ctx context.Context) error {
	if c.Nets == 0 || c.Seed == 0 || c.Images == 0 || c.Rate == 0 || c.Width == 0 || c.Draws == 0 || c.Resamples == 0 {
		return errors.New("-nets, -seed, -images, -rate, -width, -draws and -resamples must be above 0") // study would take the default
	}
	// Collect rather than grow beyond what a small machine has.
	debug.SetMemoryLimit(900 << 20)
	start := time.Now()
	bars := newProgress()
	res, err := study.Reproduce(ctx, study.Options{
		Config: study.Config{
			Data: c.Data, TrainImages: c.Train, TestImages: c.Test, Width: c.Width, Networks: c.Networks, Nets: c.Nets, Seed: c.Seed,
			Epochs: c.Epochs, Batch: c.Batch, Rate: c.Rate, Layers: c.Layers, Images: c.Images,
			Lambdas: c.Lambdas, Clusters: c.Clusters, Draws: c.Draws, Resamples: c.Resamples, Widths: c.Widths,
		},
		Out: c.Out, Threads: c.Threads, Overwrite: c.Overwrite, Progress: bars.show,
	})
	bars.finish()
	if err != nil {
		return err
	}
	fmt.Println()
	artifacts, err := study.Open(c.Out)
	if err != nil {
		return err
	}
	if err := report.Write(c.Out, artifacts); err != nil {
		return err
	}
	for i, n := range res.Networks {
		fmt.Printf("network %d  %s  test accuracy %.1f %%\n", i+1, cmp.Or(n.Name, fmt.Sprint("seed ", n.Seed)), 100*n.TestAccuracy)
	}
	printSummary(res)
	fmt.Printf("\n%s\nin %s\n", filepath.Join(c.Out, "report.html"), time.Since(start).Round(100*time.Millisecond))
	return nil
}

// printSummary prints the findings in means over all pairs of networks.
func printSummary(res *study.Results) {
	fmt.Printf("\n%-12s %6s %6s %10s %10s %10s %10s %8s\n", "layer", "units", "dead", "semi r", "matched r", "rotated r", "same unit", "R2")
	for _, l := range res.Layers {
		var semi, bipartite, null, same, r2 float64
		n := float64(len(l.Pairs))
		for _, p := range l.Pairs {
			semi += p.Semi.Mean / n
			bipartite += p.Bipartite.Mean / n
			null += p.Null.Rotation.SemiMean / n
			same += p.SamePartner / n
			best := p.Lasso[0].R2
			for _, f := range p.Lasso {
				best = max(best, f.R2)
			}
			r2 += best / n
		}
		dead := 0
		for _, d := range l.Dead {
			dead += len(d)
		}
		fmt.Printf("%-12s %6s %6d %10.3f %10.3f %10.3f %9.0f%% %8.3f\n", l.Name, l.Width(), dead, semi, bipartite, null, 100*same, r2)
	}
	fmt.Println("\nMeans over all pairs of networks. semi r: each unit's best partner;" +
		"\nmatched r: one to one; rotated r: best partner among randomly rotated units;" +
		"\nR2: linear prediction from the other network.")
}
