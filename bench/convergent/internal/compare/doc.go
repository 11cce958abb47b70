// Package compare compares networks that were trained elsewhere, given as files of
// their activations on the same samples, or of moments of these: from arrays to a
// folder of results. Files are read once, as streams, all at the same time.
package compare
