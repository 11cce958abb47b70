package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
	"github.com/convergent-go/convergent/bench/convergent/internal/comparison"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/natural"
)

// input is what commands that read activations have in common.
type input struct {
	Networks   []string `arg:"" help:"Networks as .onnx files (see -data), or activations of each network: a .npy, .npz or .safetensors file of samples x units, or of rank 3 to 5 (see -layout), each array a layer; a folder of such files, which are shards of the samples in their natural order; or several joined by commas. Or - alone, or a named pipe: batches of all networks, as another program writes them."`
	Names      []string `help:"What to call the networks; else compare takes the names of files, and moments none." placeholder:"A,B"`
	Layout     string   `help:"Of arrays of ranks 3, 4 and 5, joined by commas: ntd (tokens), nchw (PyTorch) or nhwc, ncdhw or ndhwc. Never guessed." choices:"ntd,nchw,nhwc,ncdhw,ndhwc" placeholder:"nchw"`
	LayerFiles bool     `help:"What is in a folder is one layer each."`
	Shards     bool     `help:"What is in a folder are shards of the samples, whatever their names: else files of one array each must be called 1, part-2, shard_03 or the like."`
	Bfloat16   bool     `name:"bfloat16" help:"Arrays of two bytes and no type (V2) are bfloat16, as numpy.save writes that of ml_dtypes."`
	Layers     []string `help:"Only these layers; of .onnx files * and ? stand for any letters, and without it they are outputs of nonlinearities and residual sums, as convergent layers lists them." placeholder:"NAME"`
	Pair       []string `sep:"none" help:"Layers that go together where networks call them differently: NETWORK:LAYER=NETWORK:LAYER, or LAYER=LAYER in the order of the networks. May be given several times." placeholder:"A:conv1=B:stem"`
	ByOrder    bool     `help:"The first layers of all networks go together, the second, and so on, whatever they are called."`
	Pool       bool     `help:"Compare means over positions, which layers of different sizes need."`
	SampleIds  []string `help:"A file for each network: what each sample is, to check that rows go together. Or an array sample_ids beside the layers." placeholder:"A.npy"`
	ImageIds   []string `help:"A file for each network: which image or text each sample is of, for intervals. Or an array image_ids. Without, each sample is one." placeholder:"A.npy"`
	Classes    []string `help:"A file for each network: of which class each sample is, so that groups of images hold all alike. Or an array classes." placeholder:"A.npy"`
	Mask       []string `help:"A file for each network: which positions of each sample count, and are no padding. Or an array mask: samples x positions, 1 or 0." placeholder:"A.npy"`
	Units      []string `name:"unit-names" help:"A file for each network: names of its units. Or an array LAYER.units." placeholder:"A.npy"`
	MaxMem     size     `help:"Refuse what is estimated to take more memory (${default})." default:"4GB"`
	shown
}

// shown is what networks that are run look at.
type shown struct {
	Data       string    `help:"Of .onnx files: a folder or zip of images to show to them, of train/ and test/ the latter, or a folder of CIFAR-10 binary batches." placeholder:"PATH"`
	Inputs     string    `help:"Of .onnx files: what else they read, an .npy or .npz whose arrays are called as the networks' inputs." placeholder:"x.npz"`
	Samples    int       `help:"At most so many images, spread evenly over all there are, or the first of -inputs; 0 means 500 images, or all of -inputs." default:"0"`
	Batch      int       `help:"Samples that are run at a time; 0 means as many as take about 256 MB. It changes last digits at most." default:"0"`
	Preprocess []string  `help:"What images go through: imagenet and cifar10 as torchvision has them, caffe, or none, values from 0 to 255; one, or one for each network (imagenet, of inputs of 32 x 32 cifar10)." choices:"imagenet,cifar10,caffe,none" placeholder:"imagenet"`
	Resize     int       `help:"Length of the shorter edge that images are resized to; 0 means as the preset has it." default:"0"`
	Crop       int       `help:"Edge of the square in the middle that networks see; 0 means the size of their inputs." default:"0"`
	Mean       []float64 `help:"Subtracted from red, green and blue, on the preset's scale: from 0 to 1 of imagenet and cifar10, to 255 of caffe and none." placeholder:"r,g,b"`
	Std        []float64 `help:"That red, green and blue are then divided by." placeholder:"r,g,b"`
	Order      string    `help:"Order of the channels: rgb or bgr." choices:"rgb,bgr" placeholder:"rgb"`
}

// run says the same of networks that are run.
func (s shown) run() (source.Run, error) {
	return source.Run{Data: s.Data, Inputs: s.Inputs, Samples: s.Samples, Batch: s.Batch, Presets: s.Preprocess, Resize: s.Resize, Crop: s.Crop, Mean: s.Mean, Std: s.Std, Order: s.Order},
		cmp.Or(within("samples", s.Samples, 0, mostImages), within("batch", s.Batch, 0, mostImages), within("resize", s.Resize, 0, mostEdge), within("crop", s.Crop, 0, mostEdge))
}

func (c *input) source() (source.Options, error) {
	layouts, err := arrays.ParseLayouts(c.Layout)
	if err != nil {
		return source.Options{}, fmt.Errorf("-layout: %w", err)
	}
	run, err := c.run()
	if err != nil {
		return source.Options{}, err
	}
	c.MaxMem.limit()
	return source.Options{
		Networks: c.Networks, Names: c.Names, LayerFiles: c.LayerFiles, Shards: c.Shards, BFloat16: c.Bfloat16, Only: c.Layers, Layouts: layouts, Pool: c.Pool, Pairings: c.Pair, ByOrder: c.ByOrder,
		SampleIDs: c.SampleIds, ImageIDs: c.ImageIds, Classes: c.Classes, UnitNames: c.Units, Masks: c.Mask, Run: run,
	}, nil
}

// size is a number of bytes.
type size int64

// resident is about how much of the program itself is in memory, which the collector does not count.
const resident = 16 << 20

// limit has the collector keep to what was allowed, as estimates do. What there is is a few large
// matrices, which are collected in no time: so garbage of a quarter of them is enough.
func (s size) limit() {
	debug.SetMemoryLimit(max(int64(s)-resident, resident))
	debug.SetGCPercent(25)
}

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
	BeforeRelu []string `help:"What the ReLU made the activations of, for each network: its units are then also rotated before the ReLU, for what chance would give." placeholder:"Az.npz,Bz.npz"`
	Baseline   []string `help:"The same networks before training, or their activations, for each: what training adds is then told from what the architecture has." placeholder:"A0.npz,B0.npz"`
	Images     string   `help:"A folder or zip of the images that the samples are, to show what activates units: called as the ids of samples say, or in the same order." placeholder:"images.zip"`
	Out        string   `short:"o" help:"Folder for the results (${default})." default:"./convergent-compare" placeholder:"DIR"`
	Between    bool     `help:"Compute correlations between networks alone, for layers of so many units that what is within networks does not fit into memory: partners, with chance and intervals, and nothing that needs more. Of as many units at a time as -max-mem allows, for which files are read several times."`
	Seed       uint64   `help:"Of all that is drawn (${default})." default:"1"`
	analysis
}

// Help follows the summary of the command.
func (*compareCommand) Help() string {
	return `The folder of results has report.html, results.json, figures, and, of each layer and each two networks, correlations (*.npy), matchings, clusters and predictions (*.csv, lasso_weights.npz) and every measure with its interval and p-value (measures.json).

What takes long: steps grow with the cube of the widths of layers, and hardly with the samples once these are read. -shuffles 0 does without exchanges of images, and with them the p-values of measures; -groups 1 without intervals over images; -draws 1 without all but one random rotation of units, and with them the p-values of units, bases and clusters; -lambdas 0.5 without weak penalties of the sparse prediction. -gram 0 does without neighbours, ranks of distances and kernels, which grow with the square of the images and not with the widths. -layers compares fewer layers; the grid of all layers is of those alone. Of layers of more than 256 units fewer draws are made by themselves, as the README says.

Of -, standard input, activations are first written to a temporary file, since groups of images depend on which there are. The README has the Python that writes them.

Files of moments, which convergent moments writes of all networks at once, can be given instead of activations, one for each layer.

Examples:

	convergent compare A.onnx B.onnx -data images.zip
	convergent compare A.npy B.npy
	convergent compare A.npz B.npz -layout nchw -out results
	convergent compare A.npz B.npz -layout ntd -baseline A0.npz,B0.npz
	convergent compare A.npz B.npz -layout nchw -pair A:features=B:stem -images images.zip
	convergent compare folder-of-A folder-of-B -layers conv1,conv2
	convergent compare conv1.moments conv2.moments
	convergent compare A.npz B.npz -layers mlp.0 -between -max-mem 12GB
	python activations.py | convergent compare - -layout nchw`
}

// Run implements the command.
func (c *compareCommand) Run(ctx context.Context) error {
	in, err := c.source()
	if err := cmp.Or(err, c.check(), within("seed", c.Seed, 1, uint64(math.MaxUint64))); err != nil {
		return err
	}
	in.BeforeReLU, in.Baseline, in.Pictures = c.BeforeRelu, c.Baseline, c.Images
	start := time.Now()
	bars := newBars()
	o := c.options(c.Out, bars)
	o.Seed, o.MaxMemory, o.Between = c.Seed, int64(c.MaxMem), c.Between
	res, err := comparison.Compare(ctx, in, o)
	bars.finish()
	if err != nil {
		return err
	}
	say(res, c.Out, start)
	return nil
}

type momentsCommand struct {
	input
	Out       string `short:"o" help:"File for the moments, or, of several layers, a folder." required:"" placeholder:"FILE.moments"`
	Shard     string `help:"Only one of N parts of the samples, I from 1 to N, drawn by a hash of their names. auto: of as many parts as a Slurm array has tasks, the one of this task; auto/N: of N parts, the one of this task or index of a Kubernetes Job, which count from 0. What is made already is not made again." placeholder:"I/N"`
	Threads   int    `help:"Threads to use; 0 means all. It changes no result." default:"0"`
	Overwrite bool   `help:"Replace files that are there already."`
}

// Help follows the summary of the command.
func (*momentsCommand) Help() string {
	return `Give all networks whose units are to be compared at once: moments of one network do not say how its units vary with those of another. Moments of parts of the samples, made on any machines, are added by convergent merge and compared by convergent compare.

From -, standard input, batches are read while another program computes them, one after another, and nothing is written but moments. Each is in the format of .safetensors, with tensors NETWORK/LAYER and perhaps sample_ids, image_ids and mask. The README has the Python that writes them.

Examples:

	convergent moments A-1.npz B-1.npz -layout nchw -layers conv1 -o 1.moments
	convergent moments A.npz B.npz -layout nchw -o moments-of-all-layers
	convergent moments A.onnx B.onnx -data images -samples 50000 -shard 3/8 -o shards/3
	python activations.py | convergent moments - -layout nchw -o moments-of-all-layers`
}

// Run implements the command.
func (c *momentsCommand) Run(ctx context.Context) error {
	in, err := c.source()
	if err := cmp.Or(err, within("threads", c.Threads, 0, mostThreads)); err != nil {
		return err
	}
	if in.Shard, err = parseShard(c.Shard, os.Getenv); err != nil {
		return fmt.Errorf("-shard %s: %w", c.Shard, err)
	}
	bars := newBars()
	files, err := comparison.Accumulate(ctx, in, comparison.Options{MaxMemory: int64(c.MaxMem), Threads: c.Threads, Overwrite: c.Overwrite, Progress: bars.show}, c.Out)
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
	Files     []string `arg:"" help:"Files of moments of the same networks and layer, of different samples; or folders with such files, of any layers."`
	Out       string   `short:"o" help:"File for the sum, or, of several layers, a folder." required:"" placeholder:"FILE.moments"`
	Partial   bool     `help:"Shards may be missing: the sum is a branch of the tree of shards, to be merged with others."`
	Overwrite bool     `help:"Replace a file that is there already."`
	MaxMem    size     `help:"Refuse what is estimated to take more memory (${default})." default:"4GB"`
}

// Run implements the command.
func (c *mergeCommand) Run(ctx context.Context) error {
	c.MaxMem.limit()
	files, err := comparison.Merge(ctx, c.Files, c.Out, comparison.MergeOptions{Partial: c.Partial, Overwrite: c.Overwrite, MaxMemory: int64(c.MaxMem)})
	if err != nil {
		return err
	}
	for _, m := range files {
		text := fmt.Sprintf("%s: %s, %s", m.File, natural.Count(m.Networks, "network"), natural.Count(m.Count, "observation"))
		if m.Shards != "" {
			text += ", " + m.Shards
		}
		fmt.Println(printable(text))
	}
	if files[0].UnknownOrder {
		fmt.Println("Networks without names were added in the order that each file has them in; whether it is the same is known only if moments are made with -names.")
	}
	if files[0].UnknownSamples {
		fmt.Println("Samples without names were added; whether one is in two files is known only if moments are made with -sample-ids, or of images.")
	}
	return nil
}
