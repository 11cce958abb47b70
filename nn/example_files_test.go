package nn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log"

	"github.com/convergent-go/convergent/nn"
)

// A convolution by itself, with a filter that takes differences along rows.
func ExampleConvolve() {
	x := &nn.Tensor{N: 1, H: 1, W: 5, C: 1, Data: []float32{1, 2, 4, 8, 16}}
	y := nn.Convolve(nil, nn.Conv2D{Out: 1, Kernel: 1, Stride: 2}, x, []float32{3}, []float32{1}, 0)
	fmt.Println(y.Shape(), y.Data)
	// Output: {1 3 1} [4 13 49]
}

// A network goes through a stream, such as an object store's, and is the same.
func ExampleRead() {
	arch := nn.CaffeNet32(10, 0.25)
	net, err := nn.New(arch, 7)
	if err != nil {
		log.Fatal(err)
	}
	var stream bytes.Buffer
	if _, err := net.WriteTo(&stream); err != nil {
		log.Fatal(err)
	}
	copied, err := nn.Read(&stream, arch)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("seed", copied.Seed(), "and", len(copied.Params()), "parameters")
	// Output: seed 7 and 14 parameters
}

// Networks of PyTorch are read with torch's own names of layers, from what
// safetensors.torch.save_file(model.state_dict(), path) wrote.
func ExampleLoadTorch() {
	_, err := nn.LoadTorch("model.safetensors", nn.ResNet20(10, 1))
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output: true
}
