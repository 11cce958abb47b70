// Package corrbeam adds up moments on engines of Apache Beam: in one process, on Google
// Cloud Dataflow, on Flink, on whatever has a runner for pipelines in Go.
//
// A pass over samples is cut into shards, which are files. [Read] makes the moments of a
// shard, [Merge] adds those of two, and [Moments] is the whole pipeline, from files to the
// moments of all samples:
//
//	p, s := beam.NewPipelineWithRoot()
//	moments := corrbeam.Moments(s, corrbeam.Shards(files), &corrbeam.Read{}) // PCollection<*corr.Moments>
//
// # The same bytes in any order
//
// An engine merges what is there, in an order that nobody knows, and sums of floating point
// depend on their order in the last bits. So a [Sum] merges only neighbours, as a binary
// tree over the numbers of shards has them: 0 with 1, 2 with 3, then 0-1 with 2-3, and keeps
// apart what has no neighbour yet. The bytes at the end depend on the list of files alone:
// not on the engine, its machines, their number, or what was tried again. Exact sums would
// need no order, but three times the memory for every product and sums of products that are
// not centred, which no longer are the moments that one machine has.
//
// Of n shards which come in the worst order n/2 wait for their neighbours. So shards are
// added up in groups first, whole branches of the tree, of about the root of n each; then no
// machine holds more than a few.
package corrbeam
