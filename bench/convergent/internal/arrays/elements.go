package arrays

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// elements gives f all elements of the array in the file's order, some whole ones at
// a time, little-endian, with the place of the first.
func (a *Array) elements(f func(place int, b []byte) error) error {
	h, err := a.file.open()
	if err != nil {
		return err
	}
	defer h.Close()
	r, sum, err := a.stream(h)
	if err != nil {
		return err
	}
	size, left := a.DType.Size, 1
	for _, d := range a.Shape {
		left *= d
	}
	b := make([]byte, max(1, chunk/size)*size, chunk+8)
	for place := 0; left > 0; {
		b = b[:min(len(b)/size, left)*size]
		if _, err := io.ReadFull(r, b); err != nil {
			return a.errorf("cut short after element %d: %w", place, err)
		}
		a.DType.littleEndian(b)
		if err := f(place, b); err != nil {
			return err
		}
		place, left = place+len(b)/size, left-len(b)/size
	}
	if err := sum.end(); err != nil {
		return a.errorf("%w", err)
	}
	return nil
}

// stream returns the data of the array in an open file, in the file's order, and
// what is to be asked at its end; nil if that is nothing.
func (a *Array) stream(h handle) (io.Reader, *checksum, error) {
	if a.member == nil {
		return &cursor{h, a.offset}, nil, nil
	}
	sum := &checksum{r: a.member.stream(h), want: a.member.crc}
	if _, err := io.CopyN(io.Discard, sum, a.offset); err != nil {
		return nil, nil, a.errorf("%w", err)
	}
	return sum, sum, nil
}

// cursor reads a file from a place that can be moved.
type cursor struct {
	r  io.ReaderAt
	at int64
}

func (c *cursor) Read(b []byte) (int, error) {
	n, err := c.r.ReadAt(b, c.at)
	c.at += int64(n)
	return n, err
}

// checksum reads a member of a zip and knows at its end whether it was sound.
type checksum struct {
	r         io.Reader
	sum, want uint32
}

func (c *checksum) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, b[:n])
	return n, err
}

// end is called after the last byte that is expected. Of nil it finds no fault.
func (c *checksum) end() error {
	if c == nil {
		return nil
	}
	n, err := io.ReadFull(c.r, make([]byte, 1))
	switch {
	case n > 0:
		return errors.New("more bytes are packed in it than it claims")
	case err != io.EOF:
		return fmt.Errorf("damaged: %w", err)
	case c.sum != c.want:
		return errors.New("damaged: its checksum is wrong")
	}
	return nil
}
