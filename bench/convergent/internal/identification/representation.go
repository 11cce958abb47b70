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

// representation is what a layer of a network makes of the images: its inner products of
// centred images. What is above their diagonal is in a file.
type representation struct {
	Images, Features int

	Squares []float64 // inner products of images with themselves
	Median  float64   // of the distances of two images

	file string
}

// inner reads the inner products of images.
func (r *representation) inner() (triangle, error) {
	t := triangle{r.Squares, make([]float32, r.Images*(r.Images-1)/2)}
	file, err := open(r.file)
	if err != nil {
		return t, err
	}
	defer file.close()
	return t, file.read(t.above)
}

// variance is the sum of all features' sums of squares.
func (r *representation) variance() float64 {
	var sum float64
	for _, v := range r.Squares {
		sum += v
	}
	return sum
}

// span is what the features of a layer span: the projection onto it, of which what is above
// the diagonal is in a file; and, of a part of the images, principal components.
type span struct {
	Dimension int
	Leverages []float64 // the diagonal; nil if the span is everything, and then there is no file

	Components int // rows of as many images as componentImages says, orthonormal, in another file

	file string
}

// components is the file of principal components.
func (s *span) components() string { return s.file + ".components" }

// everything says that features span all that centred images can.
func (s *span) everything() bool { return s.Leverages == nil }

// representations returns those of all layers of a network.
func (r *run) representations(ctx context.Context, network int) ([]*representation, error) {
	return stage(ctx, r, network, "linear", func(l int, x []float32, path string) (*representation, []string, error) {
		features := r.features[l]
		inner := products(r.threads, r.images, features, x)
		of := &representation{Images: r.images, Features: features, Squares: inner.diagonal}
		if of.variance() == 0 {
			return nil, nil, errors.New("all images are the same")
		}
		if err := write(path, inner.above); err != nil {
			return nil, nil, err
		}
		if of.Median = medianRoot(inner.distances()); of.Median == 0 {
			return nil, nil, errors.New("more than half of the images are the same: no width of a kernel is right")
		}
		return of, []string{path}, nil
	}, func(of *representation, path string) { of.file = path })
}

// spans returns those of all layers of a network, given their representations.
func (r *run) spans(ctx context.Context, network int, layers []*representation) ([]*span, error) {
	return stage(ctx, r, network, "span", func(l int, x []float32, path string) (*span, []string, error) {
		q, dimension, err := basis(r.threads, layers[l], x)
		if err != nil {
			return nil, nil, err
		}
		s := &span{Dimension: dimension, file: path}
		var files []string
		if q != nil {
			projection := products(r.threads, r.images, dimension, q)
			s.Leverages = projection.diagonal
			if err := write(path, projection.above); err != nil {
				return nil, nil, err
			}
			files = append(files, path)
		}
		components := principal(r.threads, r.images, layers[l].Features, x)
		s.Components = len(components) / componentImages(r.images)
		return s, append(files, s.components()), write(s.components(), components)
	}, func(of *span, path string) { of.file = path })
}

// groupBytes is how much memory activations of several layers, of one pass of the images
// through the network, may take.
const groupBytes = 3 << 29

// stage returns something of all layers of a network, each made from centred activations,
// a row of features for each image, with its files. What is in the folder, called as
// the layer and with that ending, is not made again.
func stage[T any](ctx context.Context, r *run, network int, ending string, of func(l int, x []float32, path string) (v T, files []string, err error), at func(v T, path string)) ([]T, error) {
	names, features := r.LayerNames(), r.features
	key, err := r.Key(network)
	if err != nil {
		return nil, err
	}
	path := func(l int) string { return filepath.Join(r.matrices, key, names[l]+"."+ending) }
	all, missing := make([]T, len(names)), []int{}
	for l := range names {
		v, ok, err := results.Resumed[T](path(l) + ".json")
		if err != nil {
			return nil, err
		}
		if all[l] = v; ok {
			at(v, path(l))
		} else {
			missing = append(missing, l)
		}
	}
	task := progress.Event{Task: fmt.Sprintf("multiply network %d, %s", network+1, ending), Done: len(names) - len(missing), Total: len(names)}
	r.progress.Report(task)
	for len(missing) > 0 {
		group, size := 0, 0
		for group < len(missing) {
			size += 4 * r.images * features[missing[group]]
			if group > 0 && size > groupBytes {
				break
			}
			group++
		}
		activations, err := r.Flattened(ctx, network, missing[:group])
		if err != nil {
			return nil, err
		}
		for i, l := range missing[:group] {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			err := centre(r.threads, r.images, features[l], activations[i])
			var files []string
			if err == nil {
				all[l], files, err = of(l, activations[i], path(l))
			}
			if err != nil {
				return nil, fmt.Errorf("network %d, %s: %w", network+1, names[l], err)
			}
			at(all[l], path(l))
			activations[i] = nil
			for k, file := range files {
				files[k] = filepath.Base(file)
			}
			if err := artifact.Seal(path(l)+".json", all[l], files...); err != nil {
				return nil, err
			}
			task.Done++
			r.progress.Report(task)
		}
		missing = missing[group:]
	}
	return all, nil
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
