package train

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/convergent-go/convergent/bench/convergent/internal/dataset"
	"github.com/convergent-go/convergent/bench/convergent/internal/results"
	"github.com/convergent-go/convergent/nn"
)

// Open returns the networks that a run left in a folder, with the images that it was given:
// o.Data is where these lie now, of which o.Images are looked at. Other images are an error.
func Open(ctx context.Context, dir string, o Options) (*Run, error) {
	config, err := results.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if config.Training == nil {
		return nil, fmt.Errorf("%s: its networks were trained elsewhere, and only activations are known", dir)
	}
	trained, data := *config.Training, o.Data
	switch {
	case trained.Data == results.Procedural:
		data = results.Procedural
	case data == "":
		return nil, fmt.Errorf("the networks of %s look at %s; say with -data where that is", dir, trained.Data)
	}
	images := o.Images
	o.Training = trained
	o.Data, o.Images, o.Networks = data, images, nil // of networks from elsewhere the folder has copies
	r, err := New(o)
	if err != nil {
		return nil, err
	}
	r.folder = &results.Folder{Dir: dir}
	if err := r.Load(ctx); err != nil {
		return nil, err
	}
	if len(trained.Networks) == 0 && r.Fingerprint != trained.Fingerprint {
		return nil, fmt.Errorf("%s: not the images that the networks of %s were trained on", data, dir)
	}
	return r, nil
}

// Trained returns what is known of the networks.
func (r *Run) Trained() ([]results.Network, error) {
	networks := make([]results.Network, r.Nets)
	for i, j := range r.jobs() {
		n, ok, err := results.Resumed[results.Network](r.folder.Path(j.file) + ".json")
		if err == nil && !ok {
			err = fmt.Errorf("%s is missing or damaged; the command that trains it goes on", r.folder.Path(j.file))
		}
		if err != nil {
			return nil, err
		}
		networks[i] = n
	}
	return networks, nil
}

// Looked is how many test images networks look at.
func (r *Run) Looked() int { return r.compared() }

// Features are the numbers of features of each layer, positions times units.
func (r *Run) Features() []int {
	n, err := nn.New(r.jobs()[0].arch, 1)
	if err != nil {
		panic(err) // of an architecture that networks were trained of
	}
	features := make([]int, len(r.Layers))
	for i, layer := range r.Layers {
		shape, _ := n.Shape(tap(n.Arch(), layer))
		features[i] = shape.Size()
	}
	return features
}

// Flattened runs the test images through a network, and returns the activations of some of
// its layers: a row of features for each image.
func (r *Run) Flattened(ctx context.Context, network int, layers []int) ([][]float32, error) {
	j := r.jobs()[network]
	n, err := nn.Load(r.folder.Path(j.file), j.arch)
	if err != nil {
		return nil, err
	}
	n.Threads = r.Threads
	features, images := r.Features(), r.compared()
	all := make([][]float32, len(layers))
	taps := make(map[string]*nn.Tensor)
	for i, l := range layers {
		all[i] = make([]float32, 0, images*features[l])
		taps[tap(j.arch, r.Layers[l])] = nil
	}
	part := r.set.Test
	part.Pixels, part.Labels = part.Pixels[:images*part.H*part.W*part.C], part.Labels[:images]
	for b, err := range r.set.Epoch(ctx, &part, dataset.LoaderOptions{Batch: batchImages}, 0) {
		if err != nil {
			return nil, err
		}
		n.Forward(&nn.Tensor{N: b.N, H: part.H, W: part.W, C: part.C, Data: b.Pixels}, taps)
		for i, l := range layers {
			all[i] = append(all[i], taps[tap(j.arch, r.Layers[l])].Data...)
		}
	}
	return all, nil
}

// LayerNames are those of the layers that are compared.
func (r *Run) LayerNames() []string { return r.Layers }

// Key is a hash of a network and of the images that it looks at.
func (r *Run) Key(network int) (string, error) {
	file := r.jobs()[network].file
	b, err := os.ReadFile(r.folder.Path(file))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(b)
	fmt.Fprint(h, r.Fingerprint, r.compared())
	return fmt.Sprintf("%s-%x", strings.TrimSuffix(filepath.Base(file), ".safetensors"), h.Sum(nil)[:8]), nil
}
