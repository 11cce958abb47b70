package bench

import (
	"errors"
	"fmt"

	"github.com/convergent-go/convergent/nn/onnx"
)

// Exported is a network of torchvision's, with random weights, that another program exports
// as an ONNX file. It takes images of 224 x 224 positions.
type Exported struct {
	Name     string  `json:"name"`     // torchvision's
	Billions float64 `json:"billions"` // of multiply-adds of an image, as torchvision lists them
	Batches  []int   `json:"batches"`  // numbers of images
}

// Inference is an exported network's work on a batch of images.
type Inference struct {
	Network string `json:"network"`
	N       int    `json:"n"`
}

func (e Exported) works() ([]Work, error) {
	var all []Work
	for _, n := range e.Batches {
		w := Work{Name: fmt.Sprintf("onnx/%s/n=%d", e.Name, n), Operations: 2e9 * e.Billions * float64(n), Tolerance: 1e-4, Spec: Inference{e.Name, n}}
		if e.Name == "" || n < 1 || e.Billions <= 0 {
			return nil, fmt.Errorf("%s: no name, or a number out of range", w.Name)
		}
		w.start = func(int) (*Job, error) { return nil, errors.New("the network's file is not there; see Work.Of") }
		all = append(all, w)
	}
	return all, nil
}

// Of returns the work of an exported network, whose Spec is an Inference, on the file that it
// was exported to.
func (w Work) Of(file string) Work {
	s := w.Spec.(Inference)
	w.start = func(threads int) (*Job, error) { return s.start(file, threads) }
	return w
}

func (s Inference) start(file string, threads int) (*Job, error) {
	m, err := onnx.Load(file)
	if err != nil {
		return nil, err
	}
	m.Threads = threads
	const size = 224
	x := onnx.NewTensor(uniform(1, s.N*3*size*size), s.N, 3, size, size)
	inputs := map[string]*onnx.Tensor{m.Inputs()[0].Name: x}
	var out map[string]*onnx.Tensor
	return &Job{
		Run: func() (err error) {
			out, err = m.Run(inputs, nil)
			return err
		},
		Results: func() [][]float64 {
			var all [][]float64
			for _, v := range m.Outputs() {
				all = append(all, Float64s(out[v.Name].Data.([]float32)))
			}
			return all
		},
	}, nil
}
