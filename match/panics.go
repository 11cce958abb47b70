package match

// Messages of panics.
const (
	badShape = "match: dimension mismatch"
	badRank  = "match: rank must be positive"
	badGrid  = "match: a grid needs 0 < smallest <= largest and at least one value"
	badFit   = "match: a fit without weights"
)
