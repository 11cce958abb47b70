package observe

import (
	"fmt"
	"slices"
	"sort"

	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/par"
)

func (b *Between) tooMuch(bytes int64) error {
	return fmt.Errorf("-max-mem: layer %s of %v units takes %d MB of memory even a part at a time, more than %d MB; raise it, or compare fewer layers at a time (-layers)", b.Name, b.Units, bytes>>20+1, b.plan.MaxMemory>>20)
}

// reading is what reading takes, with a copy of a batch.
func (b *Between) reading() int64 { return 3 * b.source.Description().Memory / 2 }

// division is how the correlations of a network's units are computed: those of the first units
// once, and held, and those of the others in so many parts whenever all are gone through.
type division struct{ held, parts int }

// partShare is how small a share of the units a part is, where others are held.
const partShare = 16

// divide divides the units of network x, whose correlations with those of y are asked for: as
// many are held as fit beside a part.
func (b *Between) divide(x, y int) (division, error) {
	p, q := b.Units[x], b.Units[y]
	room := b.plan.MaxMemory - b.reading() - int64(p+q)*(matchingBytes+3*5*8*int64(len(b.Folds))) - 8*passRows*int64(q)
	takes := func(units int) int64 { return corr.EstimateCrossMemory(units, q) }
	if b.plan.MaxMemory == 0 || takes(p) <= room {
		return division{held: p}, nil
	}
	part := min(p, max(leastPart, p/partShare))
	if takes(part) > room {
		if part = min(p, leastPart); takes(part) > room {
			return division{}, b.tooMuch(takes(part) + b.plan.MaxMemory - room)
		}
	}
	held := sort.Search(p, func(units int) bool { return takes(units+1)+takes(part) > room })
	if held == 0 { // a part is all that fits
		part = sort.Search(p, func(units int) bool { return takes(units+1) > room })
	}
	return division{held, (p - held + part - 1) / part}, nil
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
			d, _ := b.divide(x, y)
			line := fmt.Sprintf("%s, %s and %s: %d x %d correlations", b.Name, b.Networks[x], b.Networks[y], p, q)
			if d.held > 0 {
				line += fmt.Sprintf(", those of %d units held in %d MB", d.held, corr.EstimateCrossMemory(d.held, q)>>20)
			}
			if d.parts > 0 {
				units := (p - d.held + d.parts - 1) / d.parts
				line += fmt.Sprintf(", those of %d computed anew, %d at a time, in %d MB: the samples are read %d times for each of some ten looks at all", p-d.held, units, corr.EstimateCrossMemory(units, q)>>20, d.parts)
			} else if line += ": the samples are read once for all images"; b.halved() {
				line += ", and once for either half"
			}
			lines = append(lines, line)
		}
	}
	return lines
}
