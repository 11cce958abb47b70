package arrays_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/arrays"
)

// squares is a matrix to write.
type squares struct{}

func (squares) Dims() (rows, cols int) { return 5, 2 }
func (squares) At(i, j int) float64    { return float64(i * i * (j + 1)) }

func Example() {
	dir, err := os.MkdirTemp("", "arrays")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"part-2.npy", "part-10.npy"} {
		if err := arrays.WriteNPY(filepath.Join(dir, name), squares{}); err != nil {
			log.Fatal(err)
		}
	}
	shards, err := arrays.OpenShards(dir)
	if err != nil {
		log.Fatal(err)
	}
	r, err := shards.Rows("", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Samples, "samples of", r.Units, "units")
	ahead := arrays.ReadAhead(r, 4, r.Units)
	defer ahead.Close()
	for {
		rows, n, err := ahead.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		fmt.Println(rows[:n*r.Units])
	}
	// Output:
	// 10 samples of 2 units
	// [0 0 1 2 4 8 9 18]
	// [16 32 0 0 1 2 4 8]
	// [9 18 16 32]
}
