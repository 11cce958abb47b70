package nn

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/convergent-go/convergent/internal/par"
)

// Batch is images with their classes, valid until the next one is asked for.
type Batch struct {
	X      *Tensor // images
	Labels []int   // one for each image
}

// Source yields the batches of an epoch, the same ones each time it is asked
// for that epoch. It ends with an error if the context ends.
type Source func(ctx context.Context, epoch int) iter.Seq2[Batch, error]

// TrainOptions say how Train works.
type TrainOptions struct {
	Epochs          int // in all, those before StartEpoch included
	StartEpoch      int // the first epoch to run, for a network restored by LoadState
	BatchesPerEpoch int // what Source yields; schedules need to know it before

	Schedule    Schedule // nil: OneCycle(0.05)
	Momentum    float64  // 0 means 0.9; a negative value means none
	WeightDecay float64  // 0 means 5e-4; a negative value means none
	Seed        uint64   // of dropout

	Progress   func(Progress)        // called after each step, if not nil
	AfterEpoch func(epoch int) error // called after each epoch, if not nil; an error ends training
}

// Progress is where training stands.
type Progress struct {
	Epoch, Step, Steps int     // Steps in all epochs
	Loss               float64 // of the step's batch, nats
	Rate               float64 // learning rate
}

// DivergedError says that the loss of a step was not a finite number.
type DivergedError struct {
	Epoch, Step int     // both from 0
	Rate, Loss  float64 // learning rate, and loss in nats
}

// Error says where training diverged, and what to do.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged: the loss is %v at epoch %d, step %d, learning rate %.4g; try a lower learning rate", e.Loss, e.Epoch+1, e.Step+1, e.Rate)
}

// Train runs stochastic gradient descent with momentum over the batches of src.
// It returns a *DivergedError if the loss is not finite, the context's error if
// that ends first, src's error if it has one, and an error if src does not yield
// BatchesPerEpoch batches, one with a label that is no class, or one whose images are too
// few to normalise. The result does not depend on Threads. After the first step, no step allocates memory for activations
// or gradients.
//
// See also [LoadState].
func (n *Net) Train(ctx context.Context, src Source, o TrainOptions) error {
	if o.Epochs < 0 || o.StartEpoch < 0 || o.BatchesPerEpoch < 1 {
		return errors.New("nn: Train needs Epochs and StartEpoch of at least 0 and BatchesPerEpoch of at least 1")
	}
	if o.Schedule == nil {
		o.Schedule = OneCycle(0.05)
	}
	if o.Momentum == 0 {
		o.Momentum = 0.9
	}
	if o.WeightDecay == 0 {
		o.WeightDecay = 5e-4
	}
	if n.arch.Classes == 0 {
		return fmt.Errorf("nn: %s has no classes to train for", n.arch.Name)
	}
	params := n.Params()
	threads := par.Threads(n.Threads)
	steps := o.Epochs * o.BatchesPerEpoch
	for epoch := o.StartEpoch; epoch < o.Epochs; epoch++ {
		step := epoch * o.BatchesPerEpoch
		for b, err := range src(ctx, epoch) {
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if step >= (epoch+1)*o.BatchesPerEpoch {
				return fmt.Errorf("nn: the source yields more than %d batches in epoch %d", o.BatchesPerEpoch, epoch+1)
			}
			if err := errors.Join(n.checkBatch(b.X.N), n.checkLabels(epoch, step-epoch*o.BatchesPerEpoch, b.Labels)); err != nil {
				return err
			}
			rate := o.Schedule(step, steps)
			loss := n.gradients(pass{threads: threads, train: true, seed: o.Seed, step: step}, b)
			if !isFinite(loss) {
				return &DivergedError{Epoch: epoch, Step: step, Rate: rate, Loss: loss}
			}
			for _, p := range params {
				p.update(threads, rate, max(o.Momentum, 0), max(o.WeightDecay, 0))
			}
			step++
			if o.Progress != nil {
				o.Progress(Progress{Epoch: epoch, Step: step, Steps: steps, Loss: loss, Rate: rate})
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if got := step - epoch*o.BatchesPerEpoch; got < o.BatchesPerEpoch {
			return fmt.Errorf("nn: the source yields %d batches in epoch %d, not %d", got, epoch+1, o.BatchesPerEpoch)
		}
		if o.AfterEpoch != nil {
			if err := o.AfterEpoch(epoch); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// checkLabels returns an error that names the first label of a batch that is no class.
func (n *Net) checkLabels(epoch, batch int, labels []int) error {
	for i, l := range labels {
		if l < 0 || l >= n.arch.Classes {
			return fmt.Errorf("nn: epoch %d, batch %d, image %d: label %d is none of %d classes", epoch+1, batch+1, i, l, n.arch.Classes)
		}
	}
	return nil
}

// checkBatch returns an error if a normalisation would have one value a channel of so many
// images, which has no variance.
func (n *Net) checkBatch(images int) error {
	for _, d := range n.nodes {
		if _, ok := d.op.(*batchNormOp); ok && images*d.shape.H*d.shape.W < 2 {
			return fmt.Errorf("nn: layer %q: a batch of %d images has no variance to normalise by; make batches larger", d.layer.name(), images)
		}
	}
	return nil
}

// gradients sets the gradient of every parameter for the mean loss of a batch,
// which it returns.
func (n *Net) gradients(p pass, b Batch) float64 {
	logits := n.forward(p, b.X, nil)
	n.grads = n.buffers(n.grads, b.X.N)
	loss, _ := softmaxCrossEntropy(logits, b.Labels, n.grads[len(n.grads)-1])
	n.backward(p, b.X)
	return loss
}

// Evaluate returns the share of images of epoch 0 of src that the network
// classifies correctly, in [0, 1], and their mean loss in nats.
func (n *Net) Evaluate(ctx context.Context, src Source) (accuracy, loss float64, err error) {
	var batches, images, correct int
	for b, err := range src(ctx, 0) {
		if err != nil {
			return 0, 0, err
		}
		if err := n.checkLabels(0, batches, b.Labels); err != nil {
			return 0, 0, err
		}
		batches++
		l, c := SoftmaxCrossEntropy(n.Forward(b.X, nil), b.Labels)
		loss += float64(l * float64(b.X.N))
		images += b.X.N
		correct += c
	}
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	if images == 0 {
		return 0, 0, errors.New("nn: no images to evaluate")
	}
	return float64(correct) / float64(images), loss / float64(images), nil
}
