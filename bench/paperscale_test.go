package bench

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/nn"
)

// paperScale is the paper's observation (section 2): the joint moments of four CaffeNets at
// each of their five convolutions, after the ReLU, over all positions of images of 227 x 227.
type paperScale struct {
	nets       []*nn.Net
	taps       []map[string]*nn.Tensor // of each network
	layers     []string
	moments    []*corr.Moments // of each layer
	operations float64         // of one image by the textbook algorithm, of which a multiply-add is two
}

const (
	paperNetworks = 4
	paperImages   = 50_000
)

// newPaperScale returns networks with random weights, as far as their fifth convolution: the
// dense layers that follow are no part of it.
func newPaperScale() (*paperScale, error) {
	p := &paperScale{layers: []string{"relu1", "relu2", "relu3", "relu4", "relu5"}}
	arch := nn.CaffeNet()
	last := slices.IndexFunc(arch.Layers, func(l nn.Layer) bool { return l == nn.ReLU{Name: "relu5"} })
	arch.Layers, arch.Classes = arch.Layers[:last+1], 13*13*256
	for seed := range uint64(paperNetworks) {
		net, err := nn.New(arch, seed)
		if err != nil {
			return nil, err
		}
		taps := make(map[string]*nn.Tensor)
		for i, layer := range p.layers {
			taps[layer] = nil
			shape, _ := net.Shape(layer)
			weights := net.Params()[2*i]
			p.operations += 2 * float64(shape.H*shape.W*len(weights.Data))
		}
		p.nets, p.taps = append(p.nets, net), append(p.taps, taps)
	}
	for _, layer := range p.layers {
		shape, _ := p.nets[0].Shape(layer)
		p.moments = append(p.moments, corr.NewMoments(slices.Repeat([]int{shape.C}, paperNetworks)...))
		units := float64(paperNetworks * shape.C)
		p.operations += float64(shape.H*shape.W) * units * (units + 1)
	}
	return p, nil
}

// add adds a batch of images, whose numbers begin with first.
func (p *paperScale) add(x *nn.Tensor, first int) error {
	for i, net := range p.nets {
		net.Forward(x, p.taps[i])
	}
	ids := make([]uint64, x.N)
	for i := range ids {
		ids[i] = uint64(first + i)
	}
	tensors := make([]corr.Tensor, len(p.nets))
	for k, layer := range p.layers {
		for i := range p.nets {
			t := p.taps[i][layer]
			tensors[i] = corr.NHWC(t.Data, t.N, t.H, t.W, t.C)
		}
		if err := p.moments[k].AddTensors(ids, tensors...); err != nil {
			return err
		}
	}
	return nil
}

// batches calls add with batches of images of noise, as many as asked for and as large as
// size, and returns the time that add took.
func (p *paperScale) batches(images, size int) (time.Duration, error) {
	in := nn.CaffeNet().Input
	x := nn.NewTensor(size, in.H, in.W, in.C)
	var elapsed time.Duration
	for first := 0; first < images; first += size {
		copy(x.Data, uniform(first, len(x.Data)))
		start := time.Now()
		if err := p.add(x, first); err != nil {
			return 0, err
		}
		elapsed += time.Since(start)
	}
	return elapsed, nil
}

// mergeTime returns how long it takes to read the moments of all layers as another machine
// sends them, and to merge them into those that are there.
func (p *paperScale) mergeTime() (time.Duration, error) {
	var elapsed time.Duration
	for _, m := range p.moments {
		var sent bytes.Buffer
		if _, err := m.WriteTo(&sent); err != nil {
			return 0, err
		}
		sum, err := corr.ReadMoments(bytes.NewReader(sent.Bytes()))
		if err != nil {
			return 0, err
		}
		start := time.Now()
		received, err := corr.ReadMoments(&sent)
		if err != nil {
			return 0, err
		}
		if err := sum.Merge(received); err != nil {
			return 0, err
		}
		elapsed += time.Since(start)
	}
	return elapsed, nil
}

// BenchmarkPaperScale runs 256 images through four CaffeNets and the moments of five layers,
// and says what the paper's 50,000 take on so many machines like this one: each takes its
// share, some merge the moments of as many as they are, and one merges theirs, as corr/beam
// does. That images are read and sent, and moments sent, is not counted.
func BenchmarkPaperScale(b *testing.B) {
	const images, batch = 256, 16
	p, err := newPaperScale()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.batches(batch, batch); err != nil { // which makes all buffers
		b.Fatal(err)
	}
	peak := Peak(runtime.GOMAXPROCS(0))
	var elapsed time.Duration
	for b.Loop() {
		e, err := p.batches(images, batch)
		if err != nil {
			b.Fatal(err)
		}
		elapsed += e
	}
	memory := peakMemory()
	rate := float64(b.N*images) / elapsed.Seconds()
	merge, err := p.mergeTime()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate, "images/s")
	b.ReportMetric(rate*p.operations/1e9, "GFLOP/s")
	b.ReportMetric(rate*p.operations/peak, "of-peak")
	b.ReportMetric(memory/1e6, "MB")
	for _, machines := range []float64{1, 16, 256} {
		merges := 2 * (math.Sqrt(machines) - 1)
		b.ReportMetric(paperImages/rate/machines+merges*merge.Seconds(), fmt.Sprintf("s/50000-on-%g", machines))
	}
}

// peakMemory returns the most memory that this process ever had, in bytes; where the system
// does not say, what Go has asked it for.
func peakMemory() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range bytes.Lines(status) {
		var kB float64
		if _, err := fmt.Sscanf(string(line), "VmHWM: %f kB", &kB); err == nil {
			return kB * 1024
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys)
}

// TestPaperScale: the operations are those of the paper's network, all positions are
// observed, and more images take no more memory.
func TestPaperScale(t *testing.T) {
	if testing.Short() {
		t.Skip("four large networks")
	}
	p, err := newPaperScale()
	if err != nil {
		t.Fatal(err)
	}
	positions := []int64{55 * 55, 27 * 27, 13 * 13, 13 * 13, 13 * 13}
	filters := []int64{96 * 11 * 11 * 3, 256 * 5 * 5 * 96, 384 * 3 * 3 * 256, 384 * 3 * 3 * 384, 256 * 3 * 3 * 384}
	var operations int64
	for k, joint := range []int64{384, 1024, 1536, 1536, 1024} {
		operations += positions[k] * (4*2*filters[k] + joint*(joint+1))
	}
	if p.operations != float64(operations) {
		t.Errorf("%.0f operations of an image, want %d", p.operations, operations)
	}
	heap := func(images int) uint64 {
		if _, err := p.batches(images, 2); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC() // what pools keep for one collection more
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const images, more = 2, 6
	first := heap(images)
	if last := heap(more); math.Abs(float64(last)-float64(first)) > 1e6 {
		t.Errorf("%d bytes after %d images, %d after %d", first, images, last, images+more)
	}
	for k, m := range p.moments {
		if want := positions[k] * int64(images+more); m.Count() != want {
			t.Errorf("%s: %d observations, want %d", p.layers[k], m.Count(), want)
		}
		if dead := len(m.Dead(0)); dead > m.Units(0)/2 {
			t.Errorf("%s: %d of %d units are dead", p.layers[k], dead, m.Units(0))
		}
	}
}
