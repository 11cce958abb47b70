package onnx_test

import (
	"fmt"
	"log"

	"github.com/convergent-go/convergent/nn/onnx"
)

// A network reads two images at once, and besides its output a tensor within it is wanted.
func Example() {
	m, err := onnx.Load("testdata/images.onnx")
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range m.Inputs() {
		fmt.Println(v.Name, v.Type, v.Shape)
	}
	images := onnx.NewTensor(make([]float32, 2*3*8*8), 2, 3, 8, 8)
	out, err := m.Run(map[string]*onnx.Tensor{"x": images}, []string{"relu2", "softmax32"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out["relu2"].Shape, out["softmax32"].Shape)
	// Output:
	// x float32 [{-1 batch} {3 } {8 } {8 }]
	// [2 8 8 8] [2 7]
}
