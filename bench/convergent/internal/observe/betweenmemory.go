package observe

import (
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

func (b *Between) tooMuch(bytes int64) error {
	return fmt.Errorf("-max-mem: layer %s of %v units takes %d MB of memory even a part at a time, more than %d MB; raise it, or compare fewer layers at a time (-layers)", b.Name, b.Units, bytes>>20+1, b.plan.MaxMemory>>20)
}

// reading is what reading takes, with a copy of a batch.
func (b *Between) reading() int64 { return 3 * b.source.Description().Memory / 2 }

// parts is in how many parts the correlations between two networks are computed.
func (b *Between) parts(x, y int) (int, error) {
	p, q := b.Units[x], b.Units[y]
	beside := b.reading() + int64(p+q)*(matchingBytes+3*5*8*int64(len(b.Folds))) + 8*passRows*int64(q)
	for parts := 1; ; parts++ {
		units := (p + parts - 1) / parts
		takes := corr.EstimateCrossMemory(units, q) + beside
		if b.plan.MaxMemory == 0 || takes <= b.plan.MaxMemory {
			return parts, nil
		}
		if units <= leastPart {
			return 0, b.tooMuch(takes)
		}
	}
}

// sampleMemory is what the sample takes, and to draw it.
func (b *Between) sampleMemory() int64 {
	bytes := b.reading()
	for _, units := range b.Units {
		bytes += corr.EstimateCrossMemory(units, 1) + 3*4*int64(units)*b.sampleRows() // as it came, in a matrix, centred
	}
	return bytes
}

// sampleRows is how many observations are sampled at most.
func (b *Between) sampleRows() int64 {
	images := min(int64(b.source.Description().ImageCount), betweenSample)
	return min(betweenSample+images, *b.Samples*int64(b.source.Description().LayerOf(b.aligned, 0).Positions()))
}

// drawMemory is what a draw of chance takes: directions, of few units twice in float64 as well,
// units in them, their products, and correlations.
func (b *Between) drawMemory() int64 {
	q, n := int64(slices.Max(b.Units[1:])), b.sampleRows()
	return 2*4*n*q + 2*8*n*min(q, 2*n) + 3*8*n*n + corr.EstimateCrossMemory(ChanceUnits, int(q))
}

// DrawsAtOnce is how many draws of chance there is memory for at a time.
func (b *Between) DrawsAtOnce() int {
	threads := par.Threads(b.plan.Threads)
	if b.plan.MaxMemory == 0 {
		return threads
	}
	return max(1, min(threads, int((b.plan.MaxMemory-b.sampleMemory())/b.drawMemory())))
}

// Plan says, a line for each two networks, how their correlations are computed.
func (b *Between) Plan() []string {
	var lines []string
	for x, p := range b.Units {
		for y := x + 1; y < len(b.Units); y++ {
			q := b.Units[y]
			parts, _ := b.parts(x, y)
			units := (p + parts - 1) / parts
			line := fmt.Sprintf("%s, %s and %s: %d x %d correlations, ", b.Name, b.Networks[x], b.Networks[y], p, q)
			if parts == 1 {
				line += fmt.Sprintf("all at once in %d MB; the samples are read once for all images", corr.EstimateCrossMemory(p, q)>>20)
				if b.halved() {
					line += ", and once for either half"
				}
			} else {
				line += fmt.Sprintf("%d parts of %d units of %s, in %d MB each; the samples are read %d times for each of some ten looks at all of them", parts, units, b.Networks[x], corr.EstimateCrossMemory(units, q)>>20, parts)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
