package nn

import (
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// Layer describes one layer of an [Arch]: Conv2D, Dense, ReLU, MaxPool,
// AvgPool, GlobalAvgPool, LRN, BatchNorm2D, Dropout or Residual, as values and not as
// pointers.
//
// Others cannot be added from outside: a layer at work shares the network's memory with its
// neighbours, does the work of a ReLU that follows it, and gives the same bits for any number of
// threads, which is more than an interface could ask for.
type Layer interface {
	// name is what taps, parameters and errors call the layer.
	name() string
	// output returns the shape that the layer makes of in.
	output(in Shape) (Shape, error)
	// build returns the layer at work on images of shape in; rnd initialises
	// its parameters.
	build(in Shape, rnd *rand.Rand) op
	// window returns which input positions an output position depends on: size of them
	// along an edge, from stride times its own on, the first pad before the image. ok is
	// false for layers whose units depend on the whole input.
	window() (size, stride, pad int, ok bool)
}

// op is a layer at work. Between forward and the backward that follows it, an
// op may hold what it needs of its own, such as the places of maxima.
type op interface {
	forward(p pass, y, x *Tensor)
	// backward sets the gradients of the parameters and, unless dx is nil, of
	// the input, from the gradient dy of the output.
	// By then, layers that work in place may have changed y.
	backward(p pass, dx, dy, y, x *Tensor)
	params() []*Param
	// inPlace reports that y and x, and dx and dy, share memory.
	inPlace() bool
}

// running is an op that keeps statistics of what it sees in training.
type running interface {
	// statistics returns them as a file has them, in the memory where op keeps them.
	statistics() []safetensors.Tensor
}

// pass is what a run through the network knows beyond tensors.
type pass struct {
	threads  int
	train    bool
	seed     uint64  // of dropout
	step     int     // of training
	relu     bool    // do the work of the ReLU that follows, too
	shortcut *Tensor // what a Residual adds
}

// Param is a learned array.
type Param struct {
	Name      string    // layer.weight or layer.bias
	Shape     []int     // weights of Conv2D: Out, Kernel, Kernel, channels; of Dense: Out, inputs in NHWC order; of BatchNorm2D: channels
	Data      []float32 // row-major
	Grad      []float32 // of the mean loss of the last batch; nil before training
	LRMult    float64   // multiplies the learning rate
	DecayMult float64   // multiplies the weight decay

	velocity []float32 // of SGD with momentum
}

// Rate multiplies the global learning rate, and the global weight decay, for a parameter.
type Rate struct{ LR, Decay float64 }

// newParams returns a layer's weights and bias. Without rates of their own,
// weights learn and decay at the global rates, biases learn but do not decay.
func newParams(layer string, shape []int, w Init, bias float64, wr, br *Rate, rnd *rand.Rand) []*Param {
	fanIn := 1
	for _, d := range shape[1:] {
		fanIn *= d
	}
	if wr == nil {
		wr = &Rate{LR: 1, Decay: 1}
	}
	weight := &Param{Name: layer + ".weight", Shape: shape, Data: make([]float32, shape[0]*fanIn), LRMult: wr.LR, DecayMult: wr.Decay}
	w.fill(weight.Data, fanIn, rnd)
	return []*Param{weight, newVector(layer+".bias", shape[0], bias, br)}
}

// newVector returns a parameter of n elements that begin with a value. Without a rate of
// its own it learns at the global one, but does not decay.
func newVector(name string, n int, start float64, r *Rate) *Param {
	if r == nil {
		r = &Rate{LR: 1}
	}
	return &Param{Name: name, Shape: []int{n}, Data: slices.Repeat([]float32{float32(start)}, n), LRMult: r.LR, DecayMult: r.Decay}
}
