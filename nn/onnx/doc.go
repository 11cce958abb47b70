// Package onnx runs networks of the Open Neural Network Exchange format, which most
// libraries export, and lets every tensor in them be read:
//
//	m, err := onnx.Load("resnet18.onnx")
//	out, err := m.Run(map[string]*onnx.Tensor{"input": images}, []string{"/layer1/layer1.0/relu_1/Relu_output_0"})
//
// Operators are those of versions 6 to 22 of ONNX's own set that image and language
// models consist of; what a model has besides is an error of Load, which lists it.
// Numbers are float32 (float16, bfloat16 and float64 become that), int64, int32, uint8,
// int8 and bool. Control flow is there only as far as its conditions are constant.
//
// Tensors come and go in the axes' order that the file says. Within, what convolutions
// compute has channels last.
package onnx
