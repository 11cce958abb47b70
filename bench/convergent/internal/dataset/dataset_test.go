package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"image/color"
	"math"
	"runtime"
	"slices"
	"testing"
)

// digest hashes all that a set holds.
func digest(s *Set) string {
	h := sha256.New()
	fmt.Fprintln(h, s.H, s.W, s.C, s.Classes)
	for _, p := range []*Part{&s.Train, &s.Test} {
		fmt.Fprintln(h, p.Labels)
		h.Write(p.Pixels)
	}
	floats(h, s.Norm.Mean)
	floats(h, s.Norm.Std)
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func floats(h hash.Hash, x []float32) { binary.Write(h, binary.LittleEndian, x) }

// anyThreads runs f on different numbers of cores and asks for the same result.
func anyThreads(t *testing.T, f func() string) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first string
	for _, n := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(n)
		got := f()
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("GOMAXPROCS=%d: %s, not %s", n, got, first)
		}
	}
}

// TestProceduralBits fails where this machine paints other pictures than the rest.
func TestProceduralBits(t *testing.T) {
	const want = "a0b415524851a59f"
	if got := digest(Procedural(7, 60, 20)); got != want {
		t.Errorf("hash of the images %s, want %s", got, want)
	}
	anyThreads(t, func() string { return digest(Procedural(7, 60, 20)) })
}

func TestProcedural(t *testing.T) {
	s := Procedural(1, 45, 23)
	if s.Train.Len() != 45 || s.Test.Len() != 23 || s.H != 32 || s.W != 32 || s.C != 3 || len(s.Classes) != 10 {
		t.Fatalf("%d and %d images of %dx%dx%d in %d classes", s.Train.Len(), s.Test.Len(), s.H, s.W, s.C, len(s.Classes))
	}
	// An image does not depend on how many others there are.
	more := Procedural(1, 100, 0)
	if !slices.Equal(s.Train.Pixels, more.Train.Pixels[:len(s.Train.Pixels)]) {
		t.Error("images change with their number")
	}
	seen := make(map[string]bool)
	for _, p := range []*Part{&more.Train, &s.Test, &Procedural(2, 45, 0).Train} {
		for i := range p.Len() {
			if p.Labels[i] != i%10 {
				t.Errorf("image %d has the label %d", i, p.Labels[i])
			}
			if key := string(p.at(i)); seen[key] {
				t.Errorf("image %d occurs twice", i)
			} else {
				seen[key] = true
			}
		}
	}
	for c := range 3 {
		if m, d := s.Norm.Mean[c], s.Norm.Std[c]; m < 90 || m > 150 || d < 35 || d > 80 {
			t.Errorf("channel %d: mean %v, deviation %v", c, m, d)
		}
	}
	if empty := Procedural(1, 0, 0); empty.Train.Len() != 0 || empty.Norm.Std[0] != 1 {
		t.Error("an empty set is not empty")
	}
	defer func() {
		if recover() == nil {
			t.Error("a negative number did not panic")
		}
	}()
	Procedural(1, -1, 0)
}

// TestOrientations finds edges in all directions, and colour beside light: the
// conditions for filters worth looking at.
func TestOrientations(t *testing.T) {
	s := Procedural(3, 500, 0)
	p := &s.Train
	var energy [8]float64 // of the gradients of light, by direction modulo pi
	var light, red, blue float64
	for i := range p.Len() {
		px := p.at(i)
		at := func(y, x, c int) float64 { return float64(px[(y*32+x)*3+c]) }
		for y := 1; y < 31; y++ {
			for x := 1; x < 31; x++ {
				dx, dy := at(y, x+1, 1)-at(y, x-1, 1), at(y+1, x, 1)-at(y-1, x, 1)
				angle := math.Mod(math.Atan2(dy, dx)+2*math.Pi, math.Pi)
				energy[int(angle/math.Pi*8)%8] += dx*dx + dy*dy
				r, g, b := at(y, x, 0)-127, at(y, x, 1)-127, at(y, x, 2)-127
				light += (r + g + b) * (r + g + b) / 3
				red += (r - g) * (r - g) / 2
				blue += (2*b - r - g) * (2*b - r - g) / 6
			}
		}
	}
	if lo, hi := slices.Min(energy[:]), slices.Max(energy[:]); hi > 2*lo {
		t.Errorf("some directions are rare: %.3g", energy)
	}
	if red < light/50 || blue < light/50 || red > light || blue > light {
		t.Errorf("energy of light %.3g, red against green %.3g, blue against yellow %.3g", light, red, blue)
	}
}

func TestStats(t *testing.T) {
	p := Part{H: 1, W: 2, C: 3, Labels: []int{0, 0}, Pixels: []uint8{
		10, 0, 7, 20, 0, 7,
		30, 255, 7, 40, 255, 7,
	}}
	n := p.Stats()
	mean, std := []float32{25, 127.5, 7}, []float32{float32(math.Sqrt(125)), 127.5, 1}
	if !slices.Equal(n.Mean, mean) || !slices.Equal(n.Std, std) {
		t.Errorf("got %v, want means %v and deviations %v", n, mean, std)
	}
	table := n.table()
	if got, want := table[1][255], float32(1); got != want {
		t.Errorf("255 becomes %v, want %v", got, want)
	}
	if got := table[2][7]; got != 0 {
		t.Errorf("the constant becomes %v, want 0", got)
	}
}

func TestImage(t *testing.T) {
	s := Procedural(1, 3, 0)
	m := s.Train.Image(2)
	px := s.Train.at(2)
	for _, at := range [][2]int{{0, 0}, {31, 0}, {5, 17}, {31, 31}} {
		k := (at[1]*32 + at[0]) * 3
		if got, want := m.RGBAAt(at[0], at[1]), (color.RGBA{px[k], px[k+1], px[k+2], 255}); got != want {
			t.Errorf("pixel %v is %v, want %v", at, got, want)
		}
	}
}
