package observe

import (
	"fmt"
	"math"

	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/corr"
	"github.com/convergent-go/convergent/internal/vec"
)

// rows are the observations of a batch at one layer of all networks, padding left out.
type rows struct {
	tensors     []corr.Tensor
	ids, images []uint64 // of the tensors' samples
}

// validOf is the part of a batch's mask that a layer has: none if it has one position.
func validOf(b *source.Batch, t source.Tensor) []bool {
	if t.Positions == 1 {
		return nil
	}
	return b.Valid
}

func newRows(b *source.Batch, all []source.Tensor, valid []bool) rows {
	r := rows{ids: b.IDs, images: b.Images}
	if valid == nil {
		for _, t := range all {
			r.tensors = append(r.tensors, corr.NHWC(t.Data, t.Samples, 1, t.Positions, t.Units))
		}
		return r
	}
	// Samples have different numbers of positions: each observation counts as one, of its
	// sample's image.
	r.ids, r.images = nil, nil
	for at, ok := range valid {
		if !ok {
			continue
		}
		sample := at / all[0].Positions
		r.images = append(r.images, b.Images[sample])
		if b.IDs != nil {
			r.ids = append(r.ids, b.IDs[sample])
		}
	}
	for _, t := range all {
		data := make([]float32, 0, len(r.images)*t.Units)
		for at, ok := range valid {
			if ok {
				data = append(data, t.Data[at*t.Units:(at+1)*t.Units]...)
			}
		}
		r.tensors = append(r.tensors, corr.Rows(data, len(r.images), t.Units, t.Units))
	}
	return r
}

// finite returns an error that names the first activation that is NaN or infinite, padding
// excepted; number is that of each of the tensor's samples.
func finite(t source.Tensor, valid []bool, number func(sample int) int, place string) error {
	if vec.Finite(t.Data) {
		return nil
	}
	for at := range t.Samples * t.Positions {
		if valid != nil && !valid[at] {
			continue
		}
		for unit, v := range t.Data[at*t.Units:][:t.Units] {
			if x := float64(v); !math.IsNaN(x) && !math.IsInf(x, 0) {
				continue
			}
			sample := fmt.Sprintf("sample %d", number(at/t.Positions))
			if t.Positions > 1 {
				sample += fmt.Sprintf(", position %d", at%t.Positions)
			}
			return fmt.Errorf("%s: %s, unit %d: the activation is %v", place, sample, unit, v)
		}
	}
	return nil
}
