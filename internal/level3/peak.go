package level3

import (
	"time"

	"github.com/convergent-go/convergent/asm"
)

// Peak measures the machine's multiply-add peak in one thread under the active
// tier, in operations a second (a multiply-add is two): the best of several
// runs of a millisecond or so, since other work can only slow a run down.
func Peak() float64 {
	tier, n := asm.Active(), 1000
	var best float64
	for range 20 {
		start := time.Now()
		ops := tier.Peak(n)
		d := time.Since(start)
		best = max(best, float64(ops)/d.Seconds())
		if d < time.Millisecond {
			n *= 2
		}
	}
	return best
}
