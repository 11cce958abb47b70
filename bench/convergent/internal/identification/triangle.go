package identification

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/level3"
)

// triangle is a symmetric matrix of images x images: its diagonal, and what is above it,
// row by row.
type triangle struct {
	diagonal []float64
	above    []float32
}

// band is how many rows of products are computed at a time.
const band = 384

// products returns the inner products of the n rows of p features.
func products(threads, n, p int, x []float32) triangle {
	t := triangle{make([]float64, n), make([]float32, 0, n*(n-1)/2)}
	square := make([]float32, min(band, n)*n)
	for i := 0; i < n; i += band {
		rows, width := min(band, n-i), n-i
		operand := level3.Rows{Data: x[i*p:], Stride: p}
		level3.Gemm(threads, level3.Product{M: rows, N: width, K: p, A: operand, B: operand, C: square, LDC: width})
		for r := range rows {
			t.diagonal[i+r] = float64(square[r*width+r])
			t.above = append(t.above, square[r*width:][r+1:width]...)
		}
	}
	return t
}

// lower returns the matrix with its lower triangle filled in.
func (t triangle) lower() []float64 {
	n, row := len(t.diagonal), t.above
	k := make([]float64, n*n)
	for i, v := range t.diagonal {
		k[i*n+i] = v
		for j, v := range row[:n-1-i] {
			k[(i+1+j)*n+i] = float64(v)
		}
		row = row[n-1-i:]
	}
	return k
}

// distances overwrites what is above the diagonal, inner products, with squared distances.
func (t triangle) distances() []float32 {
	row := t.above
	for i, square := range t.diagonal {
		for k, v := range row[:len(t.diagonal)-1-i] {
			row[k] = squaredDistance(square, t.diagonal[i+1+k], v)
		}
		row = row[len(t.diagonal)-1-i:]
	}
	return t.above
}

// squaredDistance is |x - y|^2, given |x|^2, |y|^2 and x.y; rounding makes none negative.
func squaredDistance(x, y float64, product float32) float32 {
	return float32(max(0, x+y-2*float64(product)))
}

// write leaves numbers in a file.
func write(path string, x []float32) error {
	return artifact.Write(path, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<20)
		var word [4]byte
		for _, v := range x {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			b.Write(word[:]) // which keeps its first error for Flush
		}
		return b.Flush()
	})
}

// reader reads numbers piece by piece.
type reader struct {
	file  *os.File
	bytes []byte
}

func open(path string) (*reader, error) {
	f, err := os.Open(path)
	return &reader{file: f}, err
}

// read fills dst with what comes next.
func (r *reader) read(dst []float32) error {
	if len(r.bytes) < 4*len(dst) {
		r.bytes = make([]byte, 4*len(dst))
	}
	b := r.bytes[:4*len(dst)]
	if _, err := io.ReadFull(r.file, b); err != nil {
		return fmt.Errorf("%s: %w", r.file.Name(), err)
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return nil
}

func (r *reader) close() { r.file.Close() }
