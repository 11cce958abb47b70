package corr

import (
	"math/rand/v2"
	"slices"

	"github.com/convergent-go/convergent/internal/par"
)

// Shuffles ask what networks have in common whatever the image, such as what positions
// have: they are moments of the networks over images that do not go together. In each
// draw, images of all networks but the first are exchanged at random, positions kept,
// among 64 that come in a row, which should therefore come in random order.
//
// They take so many times the memory and the work of Moments, and 64 images.
type Shuffles struct {
	// Threads limits the threads at work; 0 means all.
	Threads int

	draws []*Moments
	seed  uint64

	positions int         // of an image
	window    [][]float32 // of each network, rows of images not yet added
	ids       []uint64
	windows   uint64 // windows added
}

// windowImages is how many images are shuffled among themselves.
const windowImages = 64

// EstimateShuffles returns about how many bytes so many draws take for networks of
// the given numbers of units, over images of so many positions, while images are added and after
// [Shuffles.Moments].
func EstimateShuffles(draws, positions int, units ...int) int64 {
	p := int64(total(units))
	return int64(draws)*2*EstimateMemory(units...) + 2*4*windowImages*int64(positions)*p*(1+int64(par.Threads(0)))
}

// NewShuffles returns so many draws, empty, for networks of the given numbers of units.
// It panics if there is no draw, no network, or one has no unit.
func NewShuffles(draws int, seed uint64, units ...int) *Shuffles {
	if draws < 1 {
		panic("corr: a null needs at least one draw")
	}
	s := &Shuffles{seed: seed, draws: make([]*Moments, draws), window: make([][]float32, len(units))}
	for i := range s.draws {
		s.draws[i] = NewMoments(units...)
		s.draws[i].Threads = 1
	}
	return s
}

// AddTensors adds images, each of them a sample; see [Moments.AddTensors]. How they are
// cut does not matter. It panics if images have another number of positions than those
// before.
func (s *Shuffles) AddTensors(ids []uint64, tensors ...Tensor) error {
	first := s.draws[0]
	samples, rows := checkShapes(first.units, ids, tensors)
	if rows == 0 {
		return nil
	}
	positions := rows / samples
	if s.positions != 0 && s.positions != positions {
		panic("corr: images to shuffle need one number of positions")
	}
	if err := check(par.Threads(s.Threads), first.Count()+int64(s.windowLen()*positions), 0, rows, tensors); err != nil {
		return err
	}
	if ids == nil {
		for _, m := range s.draws {
			m.samples.Unknown = true
		}
		ids = make([]uint64, samples)
	}
	s.push(ids, positions, tensors)
	return nil
}

// push adds images to the window, and it to the draws whenever it is full.
func (s *Shuffles) push(ids []uint64, positions int, tensors []Tensor) {
	s.positions = positions
	for lo := 0; lo < len(ids); {
		n := min(len(ids)-lo, windowImages-s.windowLen())
		for i, t := range tensors {
			at := len(s.window[i])
			s.window[i] = append(s.window[i], make([]float32, n*positions*t.units)...)
			t.copyTo(s.window[i][at:], t.units, lo*positions, (lo+n)*positions)
		}
		s.ids = append(s.ids, ids[lo:lo+n]...)
		lo += n
		if s.windowLen() == windowImages {
			s.add(s.draws)
			for i := range s.window {
				s.window[i] = s.window[i][:0]
			}
			s.ids = s.ids[:0]
			s.windows++
		}
	}
}

// windowLen is the number of images in the window.
func (s *Shuffles) windowLen() int { return len(s.ids) }

// add adds the window to moments, one for each draw.
func (s *Shuffles) add(draws []*Moments) {
	n := s.windowLen()
	par.For(par.Threads(s.Threads), len(draws), func(d int) {
		m := draws[d]
		rnd := rand.New(rand.NewPCG(s.seed, s.windows*uint64(len(draws))+uint64(d)))
		tensors := make([]Tensor, len(s.window))
		for i, data := range s.window {
			u := m.units[i]
			if i > 0 {
				size := s.positions * u
				shuffled := make([]float32, len(data))
				for to, from := range derangement(rnd, n) {
					copy(shuffled[to*size:][:size], data[from*size:])
				}
				data = shuffled
			}
			tensors[i] = NHWC(data, n, 1, s.positions, u)
		}
		m.gather(0, n*s.positions, tensors)
		if !m.samples.Unknown {
			m.samples.add(s.ids, s.positions)
		}
	})
}

// derangement returns a random permutation that leaves nothing in place, if n > 1, by
// rejection: about one in e permutations is one.
func derangement(rnd *rand.Rand, n int) []int {
	for {
		p := rnd.Perm(n)
		if n < 2 || !slices.ContainsFunc(p, func(i int) bool { return p[i] == i }) {
			return p
		}
	}
}

// Moments returns the draws' moments, of all images added.
func (s *Shuffles) Moments() []*Moments {
	draws := make([]*Moments, len(s.draws))
	for i, m := range s.draws {
		draws[i] = m.clone()
	}
	if s.windowLen() > 0 {
		s.add(draws)
	}
	return draws
}
