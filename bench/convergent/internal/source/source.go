// Package source is who has activations of networks on samples: files of arrays, a stream
// from another program, or networks that are run. A Source hands them out in batches of
// samples, all layers of all networks at once.
package source

import (
	"context"
	"fmt"
	"image"
	"iter"
	"strings"

	"github.com/convergent-go/convergent/internal/natural"
)

// Source has activations of two or more networks on the same samples.
type Source interface {
	Description() *Description
	// Batches goes once through the samples, in an order that is always the same. What
	// a batch holds is valid until the next.
	Batches(ctx context.Context) iter.Seq2[*Batch, error]
}

// Description says what a Source has.
type Description struct {
	Networks []Network
	Aligned  []Aligned // layers that are compared in full
	Samples  int       // 0 of a [Stream], which does not know
	IDs      []uint64  // of the samples; nil if they are not known

	// ImageCount is the number of images that the samples are of. An image, or text, is
	// what intervals, halves and exchanges are over.
	ImageCount int
	ImageNames []string // by number; what is drawn of images depends on these; nil: the numbers
	Classes    []int    // by number; nil if they are not known

	BeforeReLU bool // whether batches have what the ReLU made the activations of
	Baseline   bool // whether batches have the same networks before training

	BaselineBeforeReLU bool // whether they have what the ReLU made of these

	Checkpoints []int    // the epochs after which batches have the same networks besides
	Pictures    Pictures // nil if they are not known

	Memory int64    // bytes that reading takes
	Files  []string // that are read

	// Models are, of each network that is run, its file and those that its weights are in; then
	// of each network before training.
	Models [][]string
}

// Network is a network whose activations are compared.
type Network struct {
	Name   string
	File   string // what its activations are from, without its folder
	Layers []Layer
}

// Layer is a layer of a network.
type Layer struct {
	Name  string
	Units int

	// Extents are those of the positions of a sample, such as height and width, or
	// tokens; empty if it has a single one.
	Extents []int

	UnitNames []string        // nil if they are not known
	Field     *ReceptiveField // of a position; nil if that is not known
}

// Positions is the number of observations of a sample.
func (l Layer) Positions() int {
	n := 1
	for _, e := range l.Extents {
		n *= e
	}
	return n
}

// ReceptiveField is the part of an image that a position sees: along either edge,
// position p sees pixels [p*Stride+Offset, p*Stride+Offset+Size), some of which may lie
// outside.
type ReceptiveField struct{ Size, Stride, Offset int }

// Aligned is one layer of each network, to be compared with each other.
type Aligned struct {
	Name   string // that no other has
	Layers []int  // by network, among its layers
	Linear bool   // activations are not the output of a ReLU, and there are no inputs of one
}

// Pictures are the images that samples are.
type Pictures interface {
	Picture(sample int) (image.Image, error)
}

// Batch is some samples.
type Batch struct {
	IDs    []uint64 // of the samples, one each; nil if they are not known
	Images []uint64 // the image of each sample, numbered from 0
	Valid  []bool   // positions, sample after sample, that are no padding; nil: all

	// Numbers are those of the samples among all that files have, where some are left out;
	// nil: they follow those of the batch before.
	Numbers []int

	Networks    [][]Tensor   // by network and layer
	BeforeReLU  [][]Tensor   // the inputs of the ReLU whose outputs these are; empty where a layer is not aligned
	Baseline    [][]Tensor   // the same before training; empty where a layer is not aligned
	Checkpoints [][][]Tensor // the same after each of the epochs

	BaselineBeforeReLU [][]Tensor // the inputs of the ReLU before training
}

// Numbering returns the number of each sample of a batch that so many come before.
func (b *Batch) Numbering(before int) func(sample int) int {
	return func(sample int) int {
		if b.Numbers != nil {
			return b.Numbers[sample]
		}
		return before + sample
	}
}

// Tensor is activations of a layer: samples x positions x units, row-major.
type Tensor struct {
	Samples, Positions, Units int
	Data                      []float32
}

// Sample returns the observations of a sample, positions x units.
func (t Tensor) Sample(i int) []float32 {
	size := t.Positions * t.Units
	return t.Data[i*size : (i+1)*size]
}

// LayerOf is the layer of a network that is aligned with those of others.
func (d *Description) LayerOf(a Aligned, network int) Layer {
	return d.Networks[network].Layers[a.Layers[network]]
}

// Units are those of aligned layers, by network.
func (d *Description) Units(a Aligned) []int {
	units := make([]int, len(a.Layers))
	for n := range units {
		units[n] = d.LayerOf(a, n).Units
	}
	return units
}

// Tensors are the activations at aligned layers, of all networks.
func (a Aligned) Tensors(networks [][]Tensor) []Tensor {
	tensors := make([]Tensor, len(a.Layers))
	for n, layer := range a.Layers {
		tensors[n] = networks[n][layer]
	}
	return tensors
}

// String says how a layer is read: "64 tokens, 48 units".
func (l Layer) String() string {
	units := natural.Count(l.Units, "unit")
	switch len(l.Extents) {
	case 0:
		return units
	case 1:
		return natural.Count(l.Extents[0], "token") + ", " + units
	}
	return fmt.Sprintf("%s positions, %s", strings.ReplaceAll(strings.Trim(fmt.Sprint(l.Extents), "[]"), " ", " x "), units)
}
