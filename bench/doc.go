// Package bench measures the work that convergent exists for:
//
//	go test ./bench -bench .
//
// Each benchmark reports GFLOP/s, counting a multiply-add as two operations,
// and its share of the multiply-add peak of the threads in use, measured in the
// same run. Work is named by its size, and by its threads: one, or all.
package bench
