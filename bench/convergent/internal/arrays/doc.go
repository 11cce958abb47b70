// Package arrays reads activations that other programs saved, as streams: .npy
// of versions 1 to 3 (NEP 1, numpy.lib.format), .npz with stored or deflated
// members, and .safetensors. Memory does not grow with the files.
//
// Open lists the arrays of a file without reading their data, and OpenShards
// those of a network cut into several files. Rows then delivers observations x
// units as row-major float32, whatever the array's type (float16, bfloat16,
// float32, float64, integers of 1 to 8 bytes or bool, little- or big-endian), order
// (C or Fortran) and layout (samples x units, with tokens, or with height, width and
// perhaps depth); Ahead reads the next rows while the caller works on the last. A Stream has
// batches of arrays that another program writes into a pipe meanwhile.
// Labels and Mask read whole what is said of the samples: their names, and which of
// their positions are valid.
//
// Files are not trusted: sizes are checked against shapes, types and the file
// before anything is allocated by them, and what cannot be read is refused with
// an error that names the file and the array. NaN and infinity pass through.
package arrays
