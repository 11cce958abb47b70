package identification

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/par"
)

// Networks are those in which layers are looked for.
type Networks interface {
	// Trained returns what is known of each network.
	Trained() ([]results.Network, error)
	// LayerNames are those of each network's layers, and Features their numbers of features.
	LayerNames() []string
	Features() []int
	// Looked is how many images networks look at.
	Looked() int
	// Flattened returns activations of some layers of a network: a row of features for
	// each image.
	Flattened(ctx context.Context, network int, layers []int) ([][]float32, error)
	// Key is a name that no network with other activations has.
	Key(network int) (string, error)
}

// representation is what a layer of a network makes of the images. Inner products of
// images, and of their coordinates in an orthonormal basis of what features span, are in
// files beside it.
type representation struct {
	Images, Features int

	Squares   []float64 // inner products of centred images with themselves
	Median    float64   // of the distances of two images
	Dimension int       // of what features span
	Leverages []float64 // inner products of coordinates with themselves; nil if the span is everything

	folder, name string
}

// Files beside a representation.
func (r *representation) linear() string { return filepath.Join(r.folder, r.name+".linear") }
func (r *representation) span() string   { return filepath.Join(r.folder, r.name+".span") }

// everything says that features span all that images can do.
func (r *representation) everything() bool { return r.Leverages == nil }

// variance is the sum of all features' sums of squares.
func (r *representation) variance() float64 {
	var sum float64
	for _, v := range r.Squares {
		sum += v
	}
	return sum
}

// groupBytes is how much memory activations of several layers, of one pass of the images
// through the network, may take.
const groupBytes = 3 << 29

// represent returns the representations of all layers of a network. Those that are in the
// folder are not made again.
func represent(ctx context.Context, s Networks, network int, folder string, threads int, report progress.Func) ([]*representation, error) {
	names, features, images := s.LayerNames(), s.Features(), s.Looked()
	all := make([]*representation, len(names))
	task := progress.Event{Task: fmt.Sprintf("multiply images of network %d", network+1), Total: len(names)}
	var missing []int
	for l, name := range names {
		r, ok, err := results.Resumed[*representation](filepath.Join(folder, name+".json"))
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, l)
			continue
		}
		r.folder, r.name = folder, name
		all[l] = r
	}
	task.Done = len(names) - len(missing)
	for len(missing) > 0 {
		group, size := 0, 0
		for group < len(missing) {
			size += 4 * images * features[missing[group]]
			if group > 0 && size > groupBytes {
				break
			}
			group++
		}
		activations, err := s.Flattened(ctx, network, missing[:group])
		if err != nil {
			return nil, err
		}
		for i, l := range missing[:group] {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r := &representation{Images: images, Features: features[l], folder: folder, name: names[l]}
			if err := r.make(activations[i], threads); err != nil {
				return nil, fmt.Errorf("network %d, %s: %w", network+1, names[l], err)
			}
			activations[i] = nil
			all[l] = r
			task.Done++
			report.Report(task)
		}
		missing = missing[group:]
	}
	return all, nil
}

// make computes all of a representation, and writes it.
func (r *representation) make(x []float32, threads int) error {
	threads = par.Threads(threads)
	if err := centre(threads, r.Images, r.Features, x); err != nil {
		return err
	}
	inner := products(threads, r.Images, r.Features, x)
	if r.Squares = inner.diagonal; r.variance() == 0 {
		return errors.New("all images are the same")
	}
	if err := inner.write(r.linear()); err != nil {
		return err
	}
	files := []string{filepath.Base(r.linear())}
	q, dimension := basis(threads, r.Images, r.Features, x, inner)
	r.Dimension = dimension
	r.Median = medianRoot(inner.distances())
	if r.Median == 0 {
		return errors.New("more than half of the images are the same: no width of a kernel is right")
	}
	if q != nil {
		span := products(threads, r.Images, dimension, q)
		r.Leverages = span.diagonal
		if err := span.write(r.span()); err != nil {
			return err
		}
		files = append(files, filepath.Base(r.span()))
	}
	return artifact.Seal(filepath.Join(r.folder, r.name+".json"), r, files...)
}

// centre takes the mean of each feature from it. An activation that is NaN or infinite is
// an error that names it.
func centre(threads, n, p int, x []float32) error {
	for i, v := range x[:n*p] {
		if v-v != 0 {
			return fmt.Errorf("image %d, feature %d: activation is %v", i/p, i%p, v)
		}
	}
	par.Blocks(threads, p, 64, func(lo, hi int) {
		means := make([]float64, hi-lo)
		for i := range n {
			for k, v := range x[i*p:][lo:hi] {
				means[k] += float64(v) / float64(n)
			}
		}
		for i := range n {
			row := x[i*p:][lo:hi]
			for k, v := range row {
				row[k] = float32(float64(v) - means[k])
			}
		}
	})
	return nil
}
