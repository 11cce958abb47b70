package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/identification"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/bench/convergent/internal/train"
	"github.com/convergent-go/convergent/internal/artifact"
)

type identifyCommand struct {
	Folder   string `arg:"" name:"run" help:"Folder of a run of reproduce, whose networks are trained."`
	Data     string `help:"The images of that run." placeholder:"PATH"`
	Out      string `short:"o" help:"Folder for the results (${default})." default:"./convergent-identify" placeholder:"DIR"`
	Images   int    `help:"Test images to look at; 0 means all." default:"0"`
	Spans    int    `help:"Networks, the first, of which regressions and canonical correlations are found, which take longest; 0 means none (${default})." default:"10"`
	Matrices string `help:"Folder for matrices of images x images, kept for another time. Without it they are in the folder of results, and removed." placeholder:"DIR"`
	MaxMem   size   `help:"Collect rather than grow beyond this (${default})." default:"4GB"`
	Threads  int    `help:"Threads to use; 0 means all. It changes no result." default:"0"`
}

// Help follows the summary of the command.
func (*identifyCommand) Help() string {
	return `For each layer of each network, the most similar layer of another should be the corresponding one (Kornblith et al., ICML 2019). How often it is, is a test of measures of similarity: CKA, linear regression, CCA and SVCCA, of activations flattened, positions times channels.

The folder of results has identified.csv, similarity.csv and identification.json. Matrices take 2 n^2 bytes for n images and each layer of each network, up to twice: 30 GB for ten networks of tiny10 and 10,000 images.

Examples:

	convergent identify convergent-out
	convergent identify results -data images.zip -o identified
	convergent identify results -data images.zip -images 1000`
}

// Run implements the command.
func (c *identifyCommand) Run(ctx context.Context) (err error) {
	if err := cmp.Or(within("images", c.Images, 0, mostImages), within("spans", c.Spans, 0, math.MaxInt32), within("threads", c.Threads, 0, mostThreads)); err != nil {
		return err
	}
	debug.SetMemoryLimit(int64(c.MaxMem))
	start := time.Now()
	own, done, err := owned(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, name := range identification.Files { // before the work
		if err := own.Foreign(name); err != nil {
			return err
		}
	}
	if c.Matrices != "" {
		_, doneMatrices, failed := owned(c.Matrices)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, doneMatrices()) }()
	}
	bars := newBars()
	defer bars.finish()
	images := cmp.Or(c.Images, math.MaxInt)
	run, err := train.Open(ctx, c.Folder, train.Options{Training: results.Training{Data: c.Data, Images: images}, Threads: c.Threads, Progress: bars.show})
	if err != nil {
		return err
	}
	const temporary = "matrices"
	matrices := cmp.Or(c.Matrices, filepath.Join(c.Out, temporary))
	r, err := identification.Run(ctx, run, identification.Options{Matrices: matrices, Spans: c.Spans, Threads: c.Threads, Progress: bars.show})
	if err != nil {
		return err
	}
	if err := identification.Write(c.Out, r); err != nil {
		return err
	}
	if c.Matrices == "" {
		if err := own.RemoveWithin(temporary); err != nil {
			return err
		}
	}
	bars.finish()
	fmt.Printf("%s\nin %s: %s\n", r.Text(), c.Out, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// owned keeps other runs out of a folder, in which this one replaces and removes nothing but what
// runs wrote, until done is called.
func owned(dir string) (own *artifact.Manifest, done func() error, err error) {
	unlock, err := artifact.Lock(dir)
	if err != nil {
		return nil, nil, err
	}
	if own, err = artifact.Own(dir); err != nil {
		unlock()
		return nil, nil, err
	}
	return own, func() error {
		defer unlock()
		return own.Close()
	}, nil
}
