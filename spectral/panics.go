package spectral

import "errors"

var errNotFinite = errors.New("spectral: eigenvectors have no singular values: are they finite?")

// Messages of panics.
const (
	badShape    = "spectral: dimension mismatch"
	asymmetric  = "spectral: within-net block is not symmetric"
	badKind     = "spectral: unknown kind"
	badLaplace  = "spectral: unknown Laplacian"
	badGap      = "spectral: eigengap range outside the spectrum"
	badClusters = "spectral: number of clusters out of range"
	badOptions  = "spectral: negative option"
)
