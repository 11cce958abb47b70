package source

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Run says what ONNX networks are shown, and how they are run.
type Run struct {
	Data    string // a folder or zip of images, or a folder of CIFAR-10 binary batches
	Inputs  string // or an .npy or .npz, whose arrays are called as the networks' inputs
	Samples int    // at most so many; 0: defaultImages, or all inputs

	// Of images; zero fields are as the preset has them.
	Presets      []string // none, one, or one for each network
	Resize, Crop int
	Mean, Std    []float64 // of red, green and blue, or one of all
	Order        string    // "rgb" or "bgr"

	Batch     int   // samples at a time; 0: as many as take about batchBytes
	Threads   int   // 0: all
	MaxMemory int64 // of a network's run; 0: no limit but package onnx's own
}

// defaultImages is how many images networks are shown, unless others are asked for.
const defaultImages = 500

// flags names the first flag that is set, or returns "".
func (r Run) flags() string {
	return firstFlag([]flag{
		{"-data", r.Data != ""}, {"-inputs", r.Inputs != ""}, {"-samples", r.Samples != 0}, {"-batch", r.Batch != 0}, {"-preprocess", len(r.Presets) > 0},
		{"-resize", r.Resize != 0}, {"-crop", r.Crop != 0}, {"-mean", len(r.Mean) > 0}, {"-std", len(r.Std) > 0}, {"-order", r.Order != ""},
	})
}

// images names the first flag that is set and about images, or returns "".
func (r Run) images() string {
	r.Data, r.Inputs, r.Samples, r.Batch = "", "", 0, 0
	return r.flags()
}

// flag is whether a flag of the command line is set.
type flag struct {
	name string
	set  bool
}

func firstFlag(all []flag) string {
	for _, f := range all {
		if f.set {
			return f.name
		}
	}
	return ""
}

// IsModel says whether a file is, by its name, a network in ONNX's format.
func IsModel(path string) bool { return strings.EqualFold(filepath.Ext(path), ".onnx") }

// Opened is a source that files were opened for.
type Opened interface {
	Source
	Reading() []string  // how they are read, in lines
	Warnings() []string // what may not be meant
	Close() error
}

// Open opens ONNX networks and what they are shown, or else files of activations.
func Open(ctx context.Context, o Options) (Opened, error) {
	for _, path := range o.Networks {
		if IsModel(path) {
			return OpenModels(ctx, o)
		}
	}
	for _, path := range o.Networks {
		if isStream(path) {
			return nil, fmt.Errorf("%s: all networks come by one stream, whose tensors are called NETWORK/LAYER; give nothing beside it", path)
		}
	}
	if flag := o.Run.flags(); flag != "" {
		return nil, fmt.Errorf("%s: it is about networks that are run, which are .onnx files", flag)
	}
	return OpenArrays(o)
}
