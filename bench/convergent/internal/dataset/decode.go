package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"io"
	"io/fs"
)

const (
	maxPixels = 64_000_000 // of an image: the memory it takes is known before it is decoded
	maxFile   = 64 << 20   // bytes of a file, whatever its zip says of it
)

// decoder turns files into images of a given size. It keeps its memory from one to
// the next.
type decoder struct {
	file bytes.Buffer

	orientation int // of the last file, as it says: 1 is upright

	// For the resampling of from x from pixels to size x size:
	from, size int
	spans      []span
	row        *image.RGBA // a row of the original
	across     []int       // that row, resampled
	sum        []int       // size x size x 3
}

// read decodes a file into dst.
func (d *decoder) read(dst []uint8, fsys fs.FS, name string, size int) error {
	m, err := d.decode(fsys, name)
	if err != nil {
		return err
	}
	d.fit(dst, m, size)
	return nil
}

// decode decodes a file.
func (d *decoder) decode(fsys fs.FS, name string) (image.Image, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be opened: %w; make it readable, or pack it again", name, cause(err))
	}
	defer f.Close()
	d.file.Reset()
	n, err := d.file.ReadFrom(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: cannot be read: %w; copy or pack it again, or remove it", name, cause(err))
	case n > maxFile:
		return nil, fmt.Errorf("%s: more than %d bytes long; make it smaller, or remove it", name, maxFile)
	}
	m, err := decodeImage(d.file.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.orientation = orientation(d.file.Bytes())
	return m, nil
}

// span is the overlap of pixel from of one row with pixel to of another, where both
// rows have the same length in all.
type span struct{ from, to, length int }

// overlaps lists the spans of a row of n pixels, each m long, with a row of m
// pixels, each n long, in order.
func overlaps(n, m int) []span {
	var spans []span
	for i, j := 0, 0; i < n && j < m; {
		end := min((i+1)*m, (j+1)*n)
		spans = append(spans, span{i, j, end - max(i*m, j*n)})
		if end == (i+1)*m {
			i++
		}
		if end == (j+1)*n {
			j++
		}
	}
	return spans
}

// fit averages the square in the middle of an image over the areas of size x size
// pixels, in whole numbers, row by row: a large image needs no copy.
func (d *decoder) fit(dst []uint8, m image.Image, size int) {
	b := m.Bounds()
	from := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-from)/2, (b.Dy()-from)/2))
	if d.from != from || d.size != size {
		d.from, d.size = from, size
		d.spans = overlaps(from, size)
		d.row = image.NewRGBA(image.Rect(0, 0, from, 1))
		d.across = make([]int, size*channels)
		d.sum = make([]int, size*size*channels)
	}
	clear(d.sum)
	for k, vertical := range d.spans {
		if k == 0 || vertical.from != d.spans[k-1].from {
			draw.Draw(d.row, d.row.Rect, m, corner.Add(image.Pt(0, vertical.from)), draw.Src)
			clear(d.across)
			for _, s := range d.spans {
				px, to := d.row.Pix[4*s.from:4*s.from+3], d.across[3*s.to:3*s.to+3]
				to[0] += s.length * int(px[0])
				to[1] += s.length * int(px[1])
				to[2] += s.length * int(px[2])
			}
		}
		sum := d.sum[vertical.to*len(d.across):]
		for i, v := range d.across {
			sum[i] += vertical.length * v
		}
	}
	area := from * from
	for i, v := range d.sum {
		dst[i] = uint8((v + area/2) / area)
	}
}
