package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// ramp is a set whose images differ everywhere, normalised to their bytes.
func ramp(n, h, w int) *Set {
	s := &Set{H: h, W: w, C: 3, Norm: Normalizer{Mean: make([]float32, 3), Std: []float32{1, 1, 1}}}
	s.Train = Part{H: h, W: w, C: 3, Labels: make([]int, n), Pixels: make([]uint8, n*h*w*3)}
	for i := range s.Train.Pixels {
		s.Train.Pixels[i] = uint8(1 + i%251)
	}
	for i := range s.Train.Labels {
		s.Train.Labels[i] = i % 4
	}
	return s
}

func TestEpochCoversPart(t *testing.T) {
	s := ramp(23, 3, 4)
	size := 3 * 4 * 3
	for _, o := range []LoaderOptions{{}, {Batch: 1}, {Batch: 5}, {Batch: 5, DropLast: true}, {Batch: 7, Shuffle: true, Seed: 3}, {Batch: 23}, {Batch: 50}, {Batch: 50, DropLast: true}} {
		var order []int
		for b, err := range s.Epoch(t.Context(), &s.Train, o, 1) {
			if err != nil {
				t.Fatal(err)
			}
			if b.N != len(b.Labels) || b.N != len(b.Index) || b.N*size != len(b.Pixels) {
				t.Fatalf("%+v: batch of %d with %d labels, %d indices, %d values", o, b.N, len(b.Labels), len(b.Index), len(b.Pixels))
			}
			for k, i := range b.Index {
				if b.Labels[k] != s.Train.Labels[i] {
					t.Errorf("%+v: image %d has the label %d", o, i, b.Labels[k])
				}
				for j, v := range s.Train.at(i) {
					if b.Pixels[k*size+j] != float32(v) {
						t.Fatalf("%+v: image %d differs", o, i)
					}
				}
			}
			order = append(order, b.Index...)
		}
		want := 23
		if batch := max(o.Batch, 1); o.DropLast {
			want = 23 / batch * batch
		}
		if len(order) != want {
			t.Errorf("%+v: %d images, want %d", o, len(order), want)
		}
		if o.Shuffle == slices.IsSorted(order) && want > 0 {
			t.Errorf("%+v: order %v", o, order)
		}
		slices.Sort(order)
		if len(slices.Compact(order)) != want {
			t.Errorf("%+v: an image came twice", o)
		}
	}
}

func TestEpochEmpty(t *testing.T) {
	s := ramp(0, 2, 2)
	for range s.Epoch(t.Context(), &s.Train, LoaderOptions{}, 0) {
		t.Error("a batch of nothing")
	}
}

// TestPlace compares with the definition, and mirrors twice.
func TestPlace(t *testing.T) {
	const h, w = 5, 4
	s := ramp(1, h, w)
	l := newLoader(&s.Train, s.Norm, LoaderOptions{}, 0)
	src := s.Train.at(0)
	for dy := -h - 1; dy <= h+1; dy++ {
		for dx := -w - 1; dx <= w+1; dx++ {
			for _, mirror := range []bool{false, true} {
				dst := make([]float32, len(src))
				for i := range dst {
					dst[i] = -1
				}
				l.place(dst, src, dy, dx, mirror)
				for y := range h {
					for x := range w {
						fromY, fromX := y-dy, x-dx
						if mirror {
							fromX = w - 1 - x - dx
						}
						for c := range 3 {
							want := float32(0)
							if fromY >= 0 && fromY < h && fromX >= 0 && fromX < w {
								want = float32(src[(fromY*w+fromX)*3+c])
							}
							if got := dst[(y*w+x)*3+c]; got != want {
								t.Fatalf("shift (%d, %d), mirror %v: pixel (%d, %d, %d) is %v, want %v", dy, dx, mirror, y, x, c, got, want)
							}
						}
					}
				}
			}
		}
	}
	once := make([]float32, len(src))
	l.place(once, src, 0, 0, true)
	bytes := make([]uint8, len(src))
	for i, v := range once {
		bytes[i] = uint8(v)
	}
	l.place(once, bytes, 0, 0, true)
	for i, v := range once {
		if v != float32(src[i]) {
			t.Fatal("mirrored twice, an image is not itself")
		}
	}
}

// TestAugmentation finds every shift and both hands among many draws, in about
// equal numbers.
func TestAugmentation(t *testing.T) {
	const n, crop = 4000, 2
	s := &Set{H: 7, W: 7, C: 3, Norm: Normalizer{Mean: make([]float32, 3), Std: []float32{1, 1, 1}}}
	s.Train = Part{H: 7, W: 7, C: 3, Labels: make([]int, n), Pixels: make([]uint8, n*7*7*3)}
	for i := range n {
		// Two pixels side by side in the middle tell where it went, and its hand.
		copy(s.Train.at(i)[(3*7+3)*3:], []uint8{1, 1, 1, 2, 2, 2})
	}
	count := make(map[string]int)
	for b, err := range s.Epoch(t.Context(), &s.Train, LoaderOptions{Mirror: true, Crop: crop, Seed: 9}, 4) {
		if err != nil {
			t.Fatal(err)
		}
		for k := range b.N {
			one, two := -1, -1
			for p := range 49 {
				switch b.Pixels[(k*49+p)*3] {
				case 1:
					one = p
				case 2:
					two = p
				}
			}
			count[fmt.Sprint(one, two)]++
		}
	}
	if len(count) != 2*5*5 {
		t.Fatalf("%d placements, want 50: %v", len(count), count)
	}
	for place, k := range count {
		if k < 40 || k > 130 {
			t.Errorf("placement %s came %d times, about 80 expected", place, k)
		}
	}
}

// TestEpochDeterminism: the same for any number of cores and any speed of the
// consumer, and for any cut into batches; another for another seed or epoch.
func TestEpochDeterminism(t *testing.T) {
	s := Procedural(5, 50, 0)
	size := 32 * 32 * 3
	run := func(o LoaderOptions, epoch int, slow bool) string {
		all := make([]float32, s.Train.Len()*size)
		var order []int
		for b, err := range s.Epoch(context.Background(), &s.Train, o, epoch) {
			if err != nil {
				t.Fatal(err)
			}
			if slow {
				time.Sleep(time.Duration(rand.IntN(2)) * time.Millisecond)
			}
			for k, i := range b.Index {
				copy(all[i*size:], b.Pixels[k*size:(k+1)*size])
			}
			order = append(order, b.Index...)
		}
		h := sha256.New()
		floats(h, all)
		fmt.Fprint(h, order)
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	o := LoaderOptions{Batch: 8, Shuffle: true, Mirror: true, Crop: 4, Seed: 1}
	first := run(o, 2, false)
	anyThreads(t, func() string { return run(o, 2, true) })
	other := o
	other.Batch = 13
	if run(other, 2, false) != first {
		t.Error("the cut into batches changes the images")
	}
	other.Seed = 2
	if run(other, 2, false) == first || run(o, 3, false) == first {
		t.Error("another seed or epoch gives the same images")
	}
}

// goroutines waits for those that are ending, and counts.
func goroutines(want int) int {
	for range 200 {
		if runtime.NumGoroutine() <= want {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return runtime.NumGoroutine()
}

func TestEpochLeavesNoGoroutine(t *testing.T) {
	s := ramp(200, 4, 4)
	before := runtime.NumGoroutine()
	for stop := range 5 {
		seen := 0
		for range s.Epoch(t.Context(), &s.Train, LoaderOptions{Batch: 3}, 0) {
			if seen++; seen > stop {
				break
			}
		}
	}
	func() {
		defer func() { recover() }()
		for range s.Epoch(t.Context(), &s.Train, LoaderOptions{Batch: 3}, 0) {
			panic("consumer")
		}
	}()
	if now := goroutines(before); now > before {
		t.Errorf("%d goroutines before, %d after", before, now)
	}
}

func TestEpochCancelled(t *testing.T) {
	s := ramp(200, 4, 4)
	before := runtime.NumGoroutine()
	for _, at := range []int{0, 1, 20} {
		ctx, cancel := context.WithCancel(t.Context())
		if at == 0 {
			cancel()
		}
		seen, last := 0, error(nil)
		for _, err := range s.Epoch(ctx, &s.Train, LoaderOptions{Batch: 3}, 0) {
			if last = err; err != nil {
				continue
			}
			if seen++; seen == at {
				cancel()
			}
		}
		cancel()
		if seen != at || !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled at batch %d: %d batches, error %v", at, seen, last)
		}
	}
	if now := goroutines(before); now > before {
		t.Errorf("%d goroutines before, %d after", before, now)
	}
}

func TestLoaderPanics(t *testing.T) {
	s := ramp(2, 2, 2)
	for _, o := range []LoaderOptions{{Batch: -1}, {Crop: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v did not panic", o)
				}
			}()
			s.Epoch(t.Context(), &s.Train, o, 0)
		}()
	}
}
