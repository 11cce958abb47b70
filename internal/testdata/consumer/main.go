// Command consumer compares two networks as a program outside the module does, with what the
// packages' documentation names alone.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/convergent-go/convergent/asm"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/match"
	"github.com/convergent-go/convergent/nn"
	"github.com/convergent-go/convergent/spectral"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if err := asm.TierError(); err != nil {
		return err
	}
	arch := nn.Arch{Name: "features", Input: nn.Shape{H: 6, W: 6, C: 3}, Layers: []nn.Layer{
		nn.Conv2D{Name: "conv", Out: 8, Kernel: 3}, nn.ReLU{Name: "relu"},
	}}
	a, err := nn.New(arch, 1)
	if err != nil {
		return err
	}
	var stored bytes.Buffer
	if _, err := a.WriteTo(&stored); err != nil {
		return err
	}
	b, err := nn.Read(&stored, arch) // the same network, which has the same units
	if err != nil {
		return err
	}

	const images = 50
	x, rnd := nn.NewTensor(images, 6, 6, 3), rand.New(rand.NewPCG(1, 1))
	for i := range x.Data {
		x.Data[i] = float32(rnd.NormFloat64())
	}
	ya, yb := a.Forward(x, nil), b.Forward(x, nil)
	moments := corr.NewMoments(8, 8)
	if err := moments.AddTensors(nil, corr.NHWC(ya.Data, images, 4, 4, 8), corr.NHWC(yb.Data, images, 4, 4, 8)); err != nil {
		return err
	}
	pair := moments.Pair(0, 1)
	cka, err := pair.CKA()
	if err != nil {
		return err
	}
	one, err := match.Bipartite(pair.Correlation())
	if err != nil {
		return err
	}
	within, _ := pair.Within()
	few, err := match.Lasso(ctx, within, pair.Correlation(), match.LassoOptions{Lambdas: []float64{0.01}})
	if err != nil {
		return err
	}
	many, err := spectral.Cluster(ctx, spectral.Affinity(nil, within, spectral.Rule{}), spectral.Options{K: 2})
	if err != nil {
		return err
	}
	fmt.Printf("CKA %.3f, matched %.3f, %d targets predicted, %d clusters\n", cka, one.Mean, len(few[0].R2), many.K)

	var bad *corr.ActivationError
	if err := corr.NewMoments(1).Add(2, []float32{1, float32(math.NaN())}); !errors.As(err, &bad) {
		return fmt.Errorf("no ActivationError, but %v", err)
	}
	fmt.Printf("row %d, unit %d\n", bad.Row, bad.Unit)
	return nil
}
