package spectral

// Messages of panics.
const (
	badShape    = "spectral: dimension mismatch"
	asymmetric  = "spectral: within-net block is not symmetric"
	badKind     = "spectral: unknown rule kind"
	badLaplace  = "spectral: unknown Laplacian"
	badGap      = "spectral: eigengap range outside the spectrum"
	badClusters = "spectral: number of clusters out of range"
	badOptions  = "spectral: negative option"
	badAlpha    = "spectral: alpha is negative or NaN"
)
