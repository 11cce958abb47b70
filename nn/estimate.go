package nn

// EstimateMemory returns about how many bytes a network takes for batches of so many images,
// beside these: its parameters, as they are and as kernels read them, and the activations of all
// layers; to train it, gradients and momenta too.
func (n *Net) EstimateMemory(images int, training bool) int64 {
	var parameters, activations int64
	for _, p := range n.Params() {
		parameters += int64(len(p.Data))
	}
	for _, d := range n.nodes {
		size := int64(d.shape.Size())
		if !d.inPlace {
			activations += size
			if training {
				activations += size
			}
		}
		switch d.op.(type) {
		case *dropoutOp, *lrnOp, *maxPoolOp: // masks, sums and places
			activations += size
		}
	}
	const prepared = 4 // of transformed filters, 6 x 6 of 3 x 3
	copies := int64(1 + prepared)
	if training {
		copies += 2 + prepared // backwards
	}
	return 4 * (copies*parameters + int64(images)*activations)
}
