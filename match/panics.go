package match

// Messages of panics.
const (
	badShape = "match: dimension mismatch"
	badGrid  = "match: a grid needs 0 < least <= most and at least one value"
)
