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
//
// # Errors and panics
//
// Tensors that do not have the shape of a network or layer, and names of no layer, are mistakes
// in the program, and panic with a constant message, as in gonum. All that data or users decide
// is an error: a layer that does not fit, a label that is no class, an activation that is no
// number (an [ActivationError]), a file of another network, and a loss that is not finite (a
// [DivergedError]). A panic on another goroutine reaches the caller.
//
// # Conventions
//
// What can take longer than a second takes a context. Threads limits the goroutines at work, 0
// means all; it changes no bit.
//
// The environment variable CONVERGENT_CPU (portable, avx2, avx512, neon) lowers the instruction set
// in use, and changes no result; asm.TierError says if it names none.
package nn
