package corr

// Messages of panics that several functions share.
const (
	badNetwork = "corr: no such network"
	badUnit    = "corr: a network has no such unit"
	badDst     = "corr: dst has the wrong shape"
	badGroup   = "corr: no such group"
	badClosed  = "corr: the groups are closed"
)
