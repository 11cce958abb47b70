package arrays

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/convergent-go/convergent/internal/safetensors"
)

// Stream reads activations while another program computes them: batches, each in the format
// of .safetensors, one after another. Every batch has the arrays of the first, of the same
// types, units and positions; only numbers of samples differ.
type Stream struct {
	name  string
	r     io.Reader
	at    int64 // bytes that were read
	end   int64 // of the batch under way
	count int   // batches so far
	first *File
	chunk []byte
}

// NewStream returns the stream that r has, called so in errors.
func NewStream(name string, r io.Reader) *Stream {
	return &Stream{name: name, r: r, chunk: make([]byte, chunk)}
}

// Next lists the arrays of the next batch. They can be read once, in this order and before
// Next is called again; those that are not are passed over. It returns io.EOF after the last
// batch. Any other error says of which batch, and at which byte, it is.
func (s *Stream) Next() (*File, error) {
	if err := s.skip(s.end); err != nil {
		return nil, fmt.Errorf("%s, batch %d: %w", s.name, s.count-1, err)
	}
	f := &File{Path: fmt.Sprintf("%s, batch %d", s.name, s.count), stream: s}
	begin := s.at
	f.open = func() (handle, error) { return batch{s, begin}, nil }
	entries, _, size, err := safetensors.DecodeHeader(source{s})
	switch {
	case err == io.EOF && s.count == 0:
		return nil, fmt.Errorf("%s: it ends before the first batch", s.name)
	case err == io.EOF:
		return nil, io.EOF
	case errors.Is(err, safetensors.ErrFormat):
		return nil, f.errorf("", "at byte %d: %w; does its writer print something else to it?", begin, err)
	case err != nil:
		return nil, f.errorf("", "%w", err)
	}
	if err := f.tensors(entries); err != nil {
		return nil, err
	}
	f.index()
	if s.first == nil {
		s.first = f
	} else if err := f.continues(s.first); err != nil {
		return nil, err
	}
	s.end = begin + size
	s.count++
	return f, nil
}

// continues is an error unless the file has the arrays of another, of the same types and but
// for their first extent shapes.
func (f *File) continues(first *File) error {
	for _, a := range first.Arrays {
		own, ok := f.byName[a.Name]
		if !ok {
			return f.errorf("", "no array %q, which %s has", a.Name, first.Path)
		}
		if own.DType != a.DType || len(own.Shape) != len(a.Shape) || len(a.Shape) > 0 && !slices.Equal(own.Shape[1:], a.Shape[1:]) {
			return own.errorf("it is %v of shape %v, and in %s %v of shape %v", own.DType, own.Shape, first.Path, a.DType, a.Shape)
		}
	}
	for _, a := range f.Arrays {
		if _, ok := first.byName[a.Name]; !ok {
			return a.errorf("%s has no array of this name", first.Path)
		}
	}
	return nil
}

// Spool is a stream that was written to a temporary file.
type Spool struct {
	Batches Shards // which can be read in any order and as often as wanted
	Bytes   int64
	Sum     uint64 // a hash of all of them

	file temporary
}

// Close removes the file.
func (s *Spool) Close() error { return s.file.Close() }

// Spool writes the rest of the stream to a temporary file. Each batch is given to check before
// its data are read.
func (s *Stream) Spool(check func(*File) error) (*Spool, error) {
	file, err := os.CreateTemp("", "convergent-*.safetensors")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name()) // so that none is left; on Windows [temporary] does it
	spool, hash := &Spool{file: temporary{file}}, sha256.New()
	s.r = io.TeeReader(s.r, io.MultiWriter(file, hash))
	for begin := s.end; ; begin = s.end {
		f, err := s.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = check(f)
		}
		if err != nil {
			spool.Close()
			return nil, err
		}
		size := s.end - begin
		f.stream = nil
		f.open = func() (handle, error) { return section{io.NewSectionReader(file, begin, size)}, nil }
		spool.Batches = append(spool.Batches, f)
	}
	spool.Bytes, spool.Sum = s.end, binary.LittleEndian.Uint64(hash.Sum(nil))
	return spool, nil
}

// source reads on where the stream is.
type source struct{ *Stream }

// Read implements io.Reader. Where the stream ends within a batch is an error that says so.
func (s source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if s.at += int64(n); err == io.EOF && n == 0 && s.at != s.end {
		err = fmt.Errorf("the stream ends at byte %d, in the middle of the batch: its writer was stopped, or has failed", s.at)
	}
	return n, err
}

// skip passes over what lies before a byte of the stream.
func (s *Stream) skip(to int64) error {
	for s.at < to {
		if _, err := io.ReadFull(source{s}, s.chunk[:min(chunk, to-s.at)]); err != nil {
			return err
		}
	}
	return nil
}

// batch is a part of a stream that begins at a byte, to be read from its begin to its end.
type batch struct {
	*Stream
	begin int64
}

// ReadAt implements io.ReaderAt of places that follow those before.
func (b batch) ReadAt(p []byte, at int64) (int, error) {
	at += b.begin
	if at < b.at || at+int64(len(p)) > b.end {
		return 0, errors.New("the stream was read beyond this")
	}
	if err := b.skip(at); err != nil {
		return 0, err
	}
	return io.ReadFull(source{b.Stream}, p)
}

// Close implements io.Closer.
func (batch) Close() error { return nil }

// section is a part of a file.
type section struct{ *io.SectionReader }

// Close implements io.Closer.
func (section) Close() error { return nil }
