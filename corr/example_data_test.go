package corr_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/convergent-go/convergent/corr"
)

// Tensors of PyTorch, with channels before positions, and with identifiers of the images.
func ExampleNCHW() {
	const images, channels, height, width = 2, 3, 2, 2
	activations := make([]float32, images*channels*height*width)
	for i := range activations {
		activations[i] = float32(i * i % 7)
	}
	m := corr.NewMoments(channels)
	if err := m.AddTensors([]uint64{17, 42}, corr.NCHW(activations, images, channels, height, width)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Count(), "observations,", m.Units(0), "units")
	fmt.Printf("means %.2f\n", m.Mean(0))
	// Output:
	// 8 observations, 3 units
	// means [1.62 2.38 1.88]
}

// Two machines see half of the images each. What one writes, here to memory, another reads and
// merges.
func ExampleMoments_Merge() {
	images, a, b := activations(100)
	part := func(lo, hi int) *corr.Moments {
		m := corr.NewMoments(2, 2)
		m.Describe(0, corr.Network{Name: "first", Layer: "conv1"})
		if err := m.AddTensors(images[lo:hi], corr.NHWC(a[8*lo:8*hi], hi-lo, 2, 2, 2), corr.NHWC(b[8*lo:8*hi], hi-lo, 2, 2, 2)); err != nil {
			log.Fatal(err)
		}
		return m
	}
	var file bytes.Buffer // or a path for Save and LoadMoments
	if _, err := part(50, 100).WriteTo(&file); err != nil {
		log.Fatal(err)
	}
	other, err := corr.ReadMoments(&file)
	if err != nil {
		log.Fatal(err)
	}
	all := part(0, 50)
	if err := all.Merge(other); err != nil {
		log.Fatal(err)
	}
	fmt.Println(all.Count(), "observations of", all.Network(0).Name)
	fmt.Println(all.Merge(other))
	// Output:
	// 400 observations of first
	// corr: moments cannot be merged: the same 200 rows are in both
}

// Dead units have no correlations: leave them out.
func ExampleSelect() {
	m := corr.NewMoments(3)
	if err := m.Add(4, []float32{
		1, 5, 1,
		2, 5, 2,
		3, 5, 2,
		4, 5, 5,
	}); err != nil {
		log.Fatal(err)
	}
	r, live := m.Correlation(nil, 0, 0), m.Live(0)
	fmt.Printf("%.2f\n", r.RawRowView(0))
	fmt.Printf("%.2f\n", corr.Select(r, live, live).RawRowView(0))
	// Output:
	// [1.00 NaN 0.89]
	// [1.00 0.89]
}

// What chance gives: images that do not go together, and the p-value of what goes together.
func ExampleShuffles() {
	images, a, b := activations(256)
	m, s := corr.NewMoments(2, 2), corr.NewShuffles(99, 1, 2, 2)
	x, y := corr.NHWC(a, 256, 2, 2, 2), corr.NHWC(b, 256, 2, 2, 2)
	if err := m.AddTensors(images, x, y); err != nil {
		log.Fatal(err)
	}
	if err := s.AddTensors(images, x, y); err != nil {
		log.Fatal(err)
	}
	cka, null, err := m.CompareToNull(s.Moments(), 0, 1, (*corr.Pair).CKA)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("CKA %.2f, of other images %.2f, p = %.2f\n", cka, null.Mean(), null.PValue(cka))
	// Output: CKA 0.96, of other images 0.00, p = 0.01
}

// Ridge regression from one network's units to the other's, fitted to nine groups of images and
// tested on the tenth.
func ExamplePair_Ridge() {
	images, a, b := activations(500)
	g := corr.NewGroups(10, 2, 2)
	if err := g.AddTensors(images, images, corr.NHWC(a, 500, 2, 2, 2), corr.NHWC(b, 500, 2, 2, 2)); err != nil {
		log.Fatal(err)
	}
	fit, heldOut := g.Sum(0, 1, 2, 3, 4, 5, 6, 7, 8).Pair(0, 1), g.Group(9).Pair(0, 1)
	predictions, err := fit.Ridge(heldOut, 0.01, 1)
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range predictions {
		fmt.Printf("penalty %v: R2 %.2f\n", []float64{0.01, 1}[i], p.Mean)
	}
	// Output:
	// penalty 0.01: R2 0.96
	// penalty 1: R2 0.72
}

// The rotations of a null, to be stopped by a context.
func ExamplePair_RotationNull() {
	_, a, b := activations(500)
	m := corr.NewMoments(2, 2)
	if err := m.Add(len(a)/2, a, b); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := m.Pair(0, 1).RotationNull(ctx, 1000, 1)
	fmt.Println(err)
	// Output: context canceled
}
