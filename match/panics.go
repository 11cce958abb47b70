package match

// Messages of panics.
const (
	badShape = "match: dimension mismatch"
	badGrid  = "match: a grid needs 0 < min <= max and at least one value"
)
