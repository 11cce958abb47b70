// Package nn trains and evaluates convolutional networks on the processor, as
// the paper "Convergent Learning" (Li, Yosinski, Clune, Lipson, Hopcroft, ICLR
// 2016) and the studies after it need them: layers as in Caffe and, in residual networks,
// as in PyTorch, stochastic gradient descent, seeds, and taps that hand out the activations
// of any layer.
//
// Tensors are float32, NHWC: channel varies fastest, so that the activations of
// a layer are a matrix whose rows are image positions and whose columns are
// units. A network is described by an [Arch], made from a seed by [New] and
// trained by [Net.Train].
//
// A network's bytes depend on the architecture, the seed and the data alone:
// not on the number of threads, and not on the machine.
package nn
