package nn

import "github.com/convergent-go/convergent/internal/elem"

// SoftmaxCrossEntropy returns the mean over the batch of -log softmax(logits)
// at each image's label, in nats, and the number of images whose largest logit
// is at their label (the first of equals counts).
//
// It panics if there is not one label for each image or a label is no class.
func SoftmaxCrossEntropy(logits *Tensor, labels []int) (loss float64, correct int) {
	return softmaxCrossEntropy(logits, labels, nil)
}

// softmaxCrossEntropy is SoftmaxCrossEntropy, which sets grad, unless it is nil, to the gradient
// of the mean loss by the logits.
func softmaxCrossEntropy(logits *Tensor, labels []int, grad *Tensor) (loss float64, correct int) {
	classes := logits.Shape().Size()
	if len(labels) != logits.N {
		panic("nn: one label is needed for each image")
	}
	e := make([]float64, classes)
	for i, label := range labels {
		if label < 0 || label >= classes {
			panic("nn: label is not a class")
		}
		z := logits.image(i)
		top := 0
		for c, v := range z {
			if v > z[top] {
				top = c
			}
		}
		if top == label {
			correct++
		}
		// Relative to the largest logit no exponential overflows.
		var sum float64
		for c, v := range z {
			e[c] = elem.Exp(float64(v) - float64(z[top]))
			sum += e[c]
		}
		loss += elem.Log(sum) - (float64(z[label]) - float64(z[top]))
		if grad == nil {
			continue
		}
		g := grad.image(i)
		for c := range g {
			p := e[c] / sum
			if c == label {
				p--
			}
			g[c] = float32(p / float64(logits.N))
		}
	}
	return loss / float64(max(logits.N, 1)), correct
}
