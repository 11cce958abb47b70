// Package onnx runs networks of the Open Neural Network Exchange format, which most
// libraries export, and lets every tensor in them be read:
//
//	m, err := onnx.Load("resnet18.onnx")
//	out, err := m.Run(map[string]*onnx.Tensor{"input": images}, []string{"/layer1/layer1.0/relu_1/Relu_output_0"})
//
// # What it runs
//
// Operators are those of versions 6 to 22 of ONNX's own set that image and language
// models consist of; what a model has besides is an error of Load, an [*UnsupportedError],
// which lists it with its nodes. Numbers are float32 (float16, bfloat16 and float64 become
// that), int64, int32, uint8, int8 and bool. Functions of the model's own are there as the
// nodes that they consist of. Of an If, the branch that its condition takes is computed, which
// may depend on inputs and their sizes; Loop and Scan are not supported. Neither are sequences,
// optional values, sparse tensors, and training. Data may lie in other files of the model's
// folder, or of folders within it, and nowhere else.
//
// Tensors come and go in the axes' order that the file says. Within, what convolutions
// compute has channels last.
//
// # How
//
// What depends on the weights alone is computed when the model is read. In a run, weights
// are transformed and packed for the products that read them when they are first needed, a
// batch normalisation is made part of the weights of the convolution before it, and a
// product, or another operation with a result of its own, does the work of additions,
// multiplications, normalisations and elementwise functions after it, block by block while
// these are in the cache. All that is left out where a tensor in between is tapped.
//
// # Memory
//
// Weights are there once as the file has them, and once more packed: that is once their
// size, and up to four times that of filters of 3 x 3, and 2.6 times that of filters of
// 5 x 5, which Winograd's algorithm takes; batches of other sizes may take another form of
// it, and then have it besides. The tensors of a run take what is alive at the
// same time, at most [Model.MemoryLimit]; a model keeps that memory for its next run.
// Packing for a product is not counted: it takes as much as the images that it reads, at
// most.
//
// # Accuracy
//
// Results are the same bits on any processor, with any number of threads, and whatever runs
// at the same time. Other implementations sum in another order, and so do other
// batch sizes here: of the networks of torchvision, tensors differ from ONNX Runtime's by
// some 1e-6 of their largest value. Products and sums are float32, one rounding a term, the
// statistics of normalisations and sums of Reduce operators float64; exponentials, error
// functions and their like are within 4e-7 of their value (Gelu: of its argument).
//
// # Errors
//
// Those of Load and Read say what is wrong with the file, those of Run which input, or
// which node, of which operator, does not fit, and how. No file and no input makes the
// package panic, or take memory beyond what is said above and at [Read].
package onnx
