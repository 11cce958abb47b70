// Package bench is the work that convergent exists for, ready to be timed:
// convolutions, matrix products, correlations, matchings and training steps, of the
// sizes that work.json lists.
//
//	go test ./bench -bench .   # this module alone
//	go run ./bench/peers       # against other libraries, run by run
//
// Each benchmark but those of matchings reports GFLOP/s, counting a multiply-add as two
// operations, and its share of the multiply-add peak of the threads in use, measured in
// the same run. The operations counted are those of the textbook algorithm, so what
// needs fewer may pass the peak.
package bench
