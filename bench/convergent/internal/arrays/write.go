package arrays

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/convergent-go/convergent/internal/artifact"
)

// Values is a matrix to write: every mat.Matrix of gonum is one.
type Values interface {
	Dims() (rows, cols int)
	At(i, j int) float64
}

// Named is a matrix and its name in an .npz.
type Named struct {
	Name string
	Values
}

// WriteNPY writes m as a .npy of float64, little-endian and in C order, byte for
// byte as numpy does: whole or not at all.
func WriteNPY(path string, m Values) error {
	return artifact.Write(path, func(w io.Writer) error { return writeNPY(w, m) })
}

// WriteNPZ writes matrices as an .npz, as np.savez_compressed does: whole or not at
// all, and equal matrices as equal bytes. The names must differ.
func WriteNPZ(path string, matrices []Named) error {
	seen := make(map[string]bool)
	for _, m := range matrices {
		if m.Name == "" || seen[m.Name] {
			return fmt.Errorf("%s: the name %q of a matrix is empty or taken", path, m.Name)
		}
		seen[m.Name] = true
	}
	return artifact.Write(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, m := range matrices {
			f, err := z.Create(m.Name + ".npy")
			if err != nil {
				return err
			}
			if err := writeNPY(f, m); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func writeNPY(w io.Writer, m Values) error {
	rows, cols := m.Dims()
	dict := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols)
	// The data begins at a multiple of 64 bytes; the dictionary ends with a newline,
	// and before that numpy leaves room for the number of rows to grow to 21 digits.
	length := len(dict) + 21 - len(fmt.Sprint(rows)) + 1
	length += -(len(npyMagic) + 4 + length) & 63
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = append(b, dict...)
	b = append(b, strings.Repeat(" ", length-len(dict)-1)...)
	b = append(b, '\n')
	for i := range rows {
		for j := range cols {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.At(i, j)))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err := w.Write(b) // the header, if there are no rows
	return err
}
