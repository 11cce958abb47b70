package asm

// Peak does n rounds, n positive, of the tier's fastest multiply-adds and
// nothing else, and returns the number of operations done, a multiply-add
// counting two. The time it takes is the limit for everything else.
func (t Tier) Peak(n int) (operations int) {
	switch tiers[t].lanes {
	case 16:
		peak16(n)
		return n * 12 * 16 * 2
	case 8:
		peak8(n)
		return n * 12 * 8 * 2
	}
	var s [12]float32
	for range n {
		for i := range s {
			s[i] = FMA(s[i], s[i], s[i])
		}
	}
	return n * len(s) * 2
}
