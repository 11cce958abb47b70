package corrbeam

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/convergent-go/convergent/corr"
)

// Sum is the moments of some of a pass's shards: branches of a binary tree over the numbers
// of all, each as large as the shards that are there make it. The zero value has no shard.
type Sum struct {
	count    int      // of the pass's shards
	branches []branch // of which none is part of another, nor its neighbour
}

// branch is the moments of the shards from index<<level on, 1<<level of them, or fewer where
// the pass has no more.
type branch struct {
	level, index int
	moments      *corr.Moments
}

func (b branch) first() int { return b.index << b.level }
func (b branch) end() int   { return (b.index + 1) << b.level }

// NewSum returns the sum of one shard, with a number in [0, count), whose moments must not
// change after. It panics if the number is another.
func NewSum(shard, count int, m *corr.Moments) Sum {
	if shard < 0 || shard >= count {
		panic("corrbeam: no such shard")
	}
	s := Sum{count: count}
	_ = s.add(branch{0, shard, m}) // merges nothing
	return s
}

// Merge returns the sum of both, which it leaves as they are. Sums of different passes, with
// shards in common, or of moments that corr does not merge are an error.
func (s Sum) Merge(o Sum) (Sum, error) {
	switch {
	case s.count == 0:
		return o, nil
	case o.count == 0:
		return s, nil
	case s.count != o.count:
		return Sum{}, fmt.Errorf("corrbeam: one sum is of %d shards and the other of %d", s.count, o.count)
	}
	s.branches = slices.Clone(s.branches)
	for _, b := range o.branches {
		if err := s.add(b); err != nil {
			return Sum{}, err
		}
	}
	return s, nil
}

// add adds a branch, which is merged with its neighbour as long as that is there. Beyond
// the last shard there is no neighbour to wait for.
func (s *Sum) add(b branch) error {
	for _, a := range s.branches {
		if a.first() < b.end() && b.first() < a.end() {
			return fmt.Errorf("corrbeam: shard %d of %d comes twice", max(a.first(), b.first()), s.count)
		}
	}
	for 1<<b.level < s.count {
		neighbour := branch{level: b.level, index: b.index ^ 1}
		if neighbour.first() < s.count {
			i := slices.IndexFunc(s.branches, func(a branch) bool { return a.level == b.level && a.index == neighbour.index })
			if i < 0 {
				break
			}
			left, right := b, s.branches[i]
			if right.index < left.index {
				left, right = right, left
			}
			m, err := merge(left.moments, right.moments)
			if err != nil {
				return fmt.Errorf("corrbeam: shards from %d on and from %d on: %w", left.first(), right.first(), err)
			}
			b.moments = m
			s.branches = slices.Delete(s.branches, i, i+1)
		}
		b.level, b.index = b.level+1, b.index/2
	}
	s.branches = append(s.branches, b)
	return nil
}

// merge returns new moments of the observations of a and b.
func merge(a, b *corr.Moments) (*corr.Moments, error) {
	units := make([]int, a.Networks())
	for i := range units {
		units[i] = a.Units(i)
	}
	m := corr.NewMoments(units...)
	if err := m.Merge(a); err != nil {
		return nil, err
	}
	return m, m.Merge(b)
}

// Moments returns the moments of all shards. If one is missing the error names it.
func (s Sum) Moments() (*corr.Moments, error) {
	if s.count == 0 {
		return nil, errors.New("corrbeam: there are no shards")
	}
	missing := 0
	for _, b := range slices.SortedFunc(slices.Values(s.branches), func(a, b branch) int { return cmp.Compare(a.first(), b.first()) }) {
		if b.first() == missing {
			missing = b.end()
		}
	}
	if missing < s.count {
		return nil, fmt.Errorf("corrbeam: shard %d of %d is missing", missing, s.count)
	}
	return s.branches[0].moments, nil
}

// encodeSum returns a sum as bytes: the number of shards, that of branches, and of each its
// level and index, and its moments after their length.
func encodeSum(s Sum) ([]byte, error) {
	data := binary.AppendUvarint(nil, uint64(s.count))
	data = binary.AppendUvarint(data, uint64(len(s.branches)))
	for _, b := range s.branches {
		moments, err := encodeMoments(b.moments)
		if err != nil {
			return nil, err
		}
		for _, v := range []int{b.level, b.index, len(moments)} {
			data = binary.AppendUvarint(data, uint64(v))
		}
		data = append(data, moments...)
	}
	return data, nil
}

// decodeSum returns the sum that encodeSum made the bytes of.
func decodeSum(data []byte) (Sum, error) {
	errDamaged := errors.New("corrbeam: these bytes are not those of a sum")
	next := func() int { // -1 if there is none
		v, n := binary.Uvarint(data)
		if n <= 0 || v > 1<<40 {
			data = nil
			return -1
		}
		data = data[n:]
		return int(v)
	}
	s := Sum{count: next()}
	branches := next()
	if s.count < 0 || branches < 0 {
		return Sum{}, errDamaged
	}
	for range branches {
		level, index, size := next(), next(), next()
		if size < 0 || size > len(data) || level > 40 || index > (s.count-1)>>level {
			return Sum{}, errDamaged
		}
		m, err := decodeMoments(data[:size])
		if err != nil {
			return Sum{}, err
		}
		data = data[size:]
		if err := s.add(branch{level, index, m}); err != nil {
			return Sum{}, err
		}
	}
	if len(data) > 0 {
		return Sum{}, errDamaged
	}
	return s, nil
}
