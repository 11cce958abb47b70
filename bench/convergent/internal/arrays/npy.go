package arrays

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	npyMagic  = "\x93NUMPY"
	maxHeader = 1 << 16 // bytes of a .npy header: only structured types have longer ones
)

// header is what a .npy file says of its array.
type header struct {
	dtype   DType
	shape   []int
	fortran bool
	size    int64 // bytes from the file's begin to the data
}

// readHeader reads the header of a .npy file and leaves r where the data begins.
func readHeader(r io.Reader) (header, error) {
	var h header
	b := make([]byte, 12)
	if _, err := io.ReadFull(r, b[:8]); err != nil || string(b[:6]) != npyMagic {
		return h, errors.New("it is not in the .npy format, or cut short")
	}
	major, minor, width := b[6], b[7], 4
	if major < 1 || major > 3 || minor != 0 {
		return h, fmt.Errorf("it has version %d.%d of the .npy format; 1.0 to 3.0 are read", major, minor)
	}
	if major == 1 {
		width = 2
	}
	if _, err := io.ReadFull(r, b[8:8+width]); err != nil {
		return h, errors.New("cut short in its header")
	}
	n := int64(binary.LittleEndian.Uint32(b[8:])) // b ends with zeros in version 1
	if n > maxHeader {
		return h, fmt.Errorf("its header claims %d bytes, more than an array of numbers needs", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, errors.New("cut short in its header")
	}
	p := literal{text: string(text)}
	h.size = 8 + int64(width) + n
	err := p.header(&h)
	return h, err
}

// literal parses the Python dictionary of a .npy header, and no other Python:
// three keys, each once, of a string, a truth value and a tuple of integers.
type literal struct {
	text string
	at   int
}

func (p *literal) header(h *header) error {
	if !p.next('{') {
		return p.unexpected("{")
	}
	seen := make(map[string]bool)
	for !p.next('}') {
		key, err := p.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("its header has %q twice", key)
		}
		seen[key] = true
		if !p.next(':') {
			return p.unexpected(":")
		}
		switch key {
		case "descr":
			err = p.descr(&h.dtype)
		case "fortran_order":
			err = p.truth(&h.fortran)
		case "shape":
			err = p.tuple(&h.shape)
		default:
			err = fmt.Errorf("its header has the unknown key %q", key)
		}
		if err != nil {
			return err
		}
		if !p.next(',') {
			if p.next('}') {
				break
			}
			return p.unexpected(", or }")
		}
	}
	if len(seen) != 3 {
		return errors.New("its header lacks one of descr, fortran_order and shape")
	}
	if p.space(); p.at < len(p.text) {
		return p.unexpected("the end")
	}
	return nil
}

func (p *literal) unexpected(want string) error {
	return fmt.Errorf("its header is malformed at byte %d: %s was expected", p.at, want)
}

func (p *literal) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next skips space and then c, if it is there.
func (p *literal) next(c byte) bool {
	if p.space(); p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *literal) descr(t *DType) error {
	if p.next('[') {
		return errors.New("its type is structured; save each field as an array of its own: np.savez(path, **{n: x[n] for n in x.dtype.names})")
	}
	s, err := p.str()
	if err == nil {
		*t, err = parseDescr(s)
	}
	return err
}

// str parses a string without escapes.
func (p *literal) str() (string, error) {
	quote := byte('\'')
	if !p.next(quote) {
		if quote = '"'; !p.next(quote) {
			return "", p.unexpected("a string")
		}
	}
	n := strings.IndexByte(p.text[p.at:], quote)
	if n < 0 || strings.ContainsAny(p.text[p.at:p.at+n], "\\\n") {
		return "", p.unexpected("a plain string")
	}
	s := p.text[p.at : p.at+n]
	p.at += n + 1
	return s, nil
}

func (p *literal) truth(b *bool) error {
	p.space()
	for word, v := range map[string]bool{"True": true, "False": false} {
		if strings.HasPrefix(p.text[p.at:], word) {
			p.at += len(word)
			*b = v
			return nil
		}
	}
	return p.unexpected("True or False")
}

func (p *literal) tuple(shape *[]int) error {
	if !p.next('(') {
		return p.unexpected("(")
	}
	for comma := false; !p.next(')'); {
		if len(*shape) > 0 && !comma {
			return p.unexpected(", or )")
		}
		p.space()
		end := p.at
		for end < len(p.text) && strings.IndexByte("-0123456789", p.text[end]) >= 0 {
			end++
		}
		d, err := strconv.Atoi(p.text[p.at:end])
		if errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("its shape has the extent %s, larger than any file", p.text[p.at:end])
		} else if err != nil {
			return p.unexpected("an integer")
		}
		if p.at = end; p.at < len(p.text) && p.text[p.at] == 'L' {
			p.at++ // Python 2 wrote long integers so
		}
		*shape = append(*shape, d)
		if comma = p.next(','); !comma && len(*shape) == 1 {
			return p.unexpected(", (a tuple)")
		}
	}
	return nil
}
