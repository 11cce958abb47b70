package dataset

import (
	"context"
	"iter"
	"math/rand/v2"
)

// LoaderOptions says how to cut a part into batches. The zero value gives batches
// of 128 images as they are and in order, which is right for testing.
type LoaderOptions struct {
	Batch    int    // images in a batch; 0 means 128
	Shuffle  bool   // another order every epoch
	Mirror   bool   // left and right exchanged in half of the images
	Crop     int    // shift by up to so many pixels each way; what is moved in is the mean colour
	Seed     uint64 // of the shuffling, mirroring and shifting
	DropLast bool   // leave out the last batch if it is not full
}

// Batch is some images, normalised. It is valid until the next one is asked for.
type Batch struct {
	N      int
	Pixels []float32 // N x H x W x C
	Labels []int     // of each image
	Index  []int     // of each image in its part
}

// Epoch gives the images of part, of this set, once, in batches normalised by
// s.Norm. A goroutine prepares batches ahead of the consumer in three buffers; it
// has ended when the loop over the batches has, however that ends.
//
// What is done to an image follows from the seed, the epoch and the index of
// the image. When ctx ends, so do the batches, with the error of ctx. Epoch panics
// if a number in o is negative.
func (s *Set) Epoch(ctx context.Context, part *Part, o LoaderOptions, epoch int) iter.Seq2[Batch, error] {
	if o.Batch < 0 || o.Crop < 0 {
		panic("dataset: negative batch or crop")
	}
	if o.Batch == 0 {
		o.Batch = 128
	}
	return func(yield func(Batch, error) bool) {
		const buffers = 3
		inner, cancel := context.WithCancel(ctx)
		ready, free := make(chan Batch, buffers), make(chan Batch, buffers)
		for range buffers {
			free <- Batch{}
		}
		l := newLoader(part, s.Norm, o, epoch)
		go l.run(inner, ready, free)
		defer func() {
			cancel()
			for range ready { // until the goroutine has closed it
			}
		}()
		for range l.batches() {
			b := <-ready
			if err := ctx.Err(); err != nil {
				yield(Batch{}, err)
				return
			}
			if !yield(b, nil) {
				return
			}
			free <- b
		}
	}
}

// loader prepares the batches of an epoch.
type loader struct {
	part  *Part
	o     LoaderOptions
	order []int
	key   uint64 // of the epoch
	table [][256]float32
}

func newLoader(part *Part, norm Normalizer, o LoaderOptions, epoch int) *loader {
	l := &loader{part: part, o: o, order: make([]int, part.Len()), table: norm.table()}
	for i := range l.order {
		l.order[i] = i
	}
	rnd := rand.New(rand.NewPCG(o.Seed, uint64(epoch)))
	l.key = rnd.Uint64()
	if o.Shuffle {
		rnd.Shuffle(len(l.order), func(i, j int) { l.order[i], l.order[j] = l.order[j], l.order[i] })
	}
	return l
}

// batches returns how many there are in the epoch.
func (l *loader) batches() int {
	if l.o.DropLast {
		return len(l.order) / l.o.Batch
	}
	return (len(l.order) + l.o.Batch - 1) / l.o.Batch
}

// run fills free batches and passes them on, until all are done or ctx ends.
func (l *loader) run(ctx context.Context, ready chan<- Batch, free <-chan Batch) {
	defer close(ready)
	for i := range l.batches() {
		select {
		case b := <-free:
			l.fill(&b, l.order[i*l.o.Batch:min((i+1)*l.o.Batch, len(l.order))])
			ready <- b // which has room for every buffer
		case <-ctx.Done():
			return
		}
	}
}

// fill prepares the images at the indices given.
func (l *loader) fill(b *Batch, index []int) {
	size := l.part.H * l.part.W * l.part.C
	if b.Pixels == nil {
		b.Pixels, b.Labels = make([]float32, len(index)*size), make([]int, len(index))
	}
	b.N, b.Index = len(index), index
	b.Pixels, b.Labels = b.Pixels[:b.N*size], b.Labels[:b.N]
	for k, i := range index {
		b.Labels[k] = l.part.Labels[i]
		dst := b.Pixels[k*size : (k+1)*size]
		rnd := rand.NewPCG(l.key, uint64(i))
		mirror := l.o.Mirror && rnd.Uint64()>>63 == 1
		shift := func() int { return int(rnd.Uint64()%uint64(2*l.o.Crop+1)) - l.o.Crop }
		l.place(dst, l.part.at(i), shift(), shift(), mirror)
	}
}

// place normalises src, moved by (dy, dx) and then perhaps mirrored, into dst.
// Where nothing is moved to, dst is the mean, zero.
func (l *loader) place(dst []float32, src []uint8, dy, dx int, mirror bool) {
	h, w, c := l.part.H, l.part.W, l.part.C
	clear(dst)
	for y := max(0, dy); y < min(h, h+dy); y++ {
		for x := max(0, dx); x < min(w, w+dx); x++ {
			to := x
			if mirror {
				to = w - 1 - x
			}
			from := src[((y-dy)*w+x-dx)*c:][:c]
			for k, v := range from {
				dst[(y*w+to)*c+k] = l.table[k][v]
			}
		}
	}
}
