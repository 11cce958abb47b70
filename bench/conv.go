package bench

import (
	"fmt"

	"github.com/convergent-go/convergent/internal/conv"
)

// Conv is a convolution of square images with square filters.
type Conv struct {
	Name   string `json:"name"`
	N      int    `json:"n"`      // images
	Size   int    `json:"size"`   // positions along an edge
	In     int    `json:"in"`     // channels
	Out    int    `json:"out"`    // filters
	Kernel int    `json:"kernel"` // positions along an edge of a filter
	Stride int    `json:"stride"`
	Pad    int    `json:"pad"`
	Groups int    `json:"groups"`
}

func (c Conv) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("a convolution has no name")
	case min(c.N, c.Size, c.In, c.Out, c.Kernel, c.Stride, c.Groups) < 1 || c.Pad < 0:
		return fmt.Errorf("%s: size out of range", c.Name)
	case c.In%c.Groups != 0 || c.Out%c.Groups != 0:
		return fmt.Errorf("%s: channels not divisible by groups", c.Name)
	case c.Size+2*c.Pad < c.Kernel:
		return fmt.Errorf("%s: filter larger than the padded image", c.Name)
	}
	return nil
}

// works are the convolution forward, and the gradients of images and filters.
func (c Conv) works() ([]Work, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	operations := 2 * float64(c.outputs()) * float64(c.filters()/c.Out)
	return []Work{
		{Name: "conv/" + c.Name + "/forward", Operations: operations, Tolerance: 1e-4, Spec: c, start: c.forward},
		{Name: "conv/" + c.Name + "/backward", Operations: 2 * operations, Tolerance: 1e-4, Spec: c, start: c.backward},
	}, nil
}

func (c Conv) geometry() conv.Geometry {
	return conv.Geometry{N: c.N, H: c.Size, W: c.Size, C: c.In, Out: c.Out, KH: c.Kernel, KW: c.Kernel,
		Stride: c.Stride, Pad: c.Pad, Groups: c.Groups}
}

// images, filters and outputs are numbers of elements.
func (c Conv) images() int  { return c.N * c.Size * c.Size * c.In }
func (c Conv) filters() int { return c.Out * c.Kernel * c.Kernel * c.In / c.Groups }
func (c Conv) outputs() int { g := c.geometry(); return c.N * g.OutH() * g.OutW() * c.Out }

func (c Conv) forward(threads int) (*Job, error) {
	x, w, y := uniform(1, c.images()), uniform(2, c.filters()), make([]float32, c.outputs())
	return &Job{
		Run: func() error {
			conv.Forward(threads, c.geometry(), y, x, w, nil, false)
			return nil
		},
		Results: func() [][]float64 { return [][]float64{Float64s(y)} },
	}, nil
}

func (c Conv) backward(threads int) (*Job, error) {
	x, w, dy := uniform(1, c.images()), uniform(2, c.filters()), uniform(3, c.outputs())
	dx, dw := make([]float32, len(x)), make([]float32, len(w))
	return &Job{
		Run: func() error {
			conv.BackwardWeights(threads, c.geometry(), dw, nil, x, dy)
			conv.BackwardData(threads, c.geometry(), dx, dy, w)
			return nil
		},
		Results: func() [][]float64 { return [][]float64{Float64s(dx), Float64s(dw)} },
	}, nil
}
