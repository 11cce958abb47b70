package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // registered with image.Decode, as those below
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"path"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// formats are the kinds of files that are read, for messages.
const formats = "JPEG, PNG, GIF, BMP, TIFF or WebP"

// isImage holds of the names of images that are read.
func isImage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp":
		return true
	}
	return false
}

// isUnreadImage holds of the names of images that are not.
func isUnreadImage(name string) bool {
	return slices.Contains([]string{".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".psd", ".svg", ".ico", ".exr", ".hdr",
		".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".dcm", ".nii", ".npy", ".pcx", ".apng", ".qoi"}, strings.ToLower(path.Ext(name)))
}

const (
	// maxScans is how many scans a JPEG may have. Programs write about ten; decoding takes
	// as long for each as for all of the image.
	maxScans = 100
	// maxScanned is how many pixels all of them may pass.
	maxScanned = 20 * maxPixels
)

// decodeImage decodes the bytes of a file, those too that Go's decoders refuse and others
// read: a PNG without its end, and a JPEG of four inks that no mark of Adobe's explains.
func decodeImage(file []byte) (image.Image, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(file))
	repaired, inverted := file, false
	if format == "" && isJPEG(file) && err != nil {
		repaired, inverted = markInks(file), true
		c, format, err = image.DecodeConfig(bytes.NewReader(repaired))
	}
	if err != nil {
		return nil, unsound(file, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height {
		return nil, fmt.Errorf("%dx%d pixels, where 1 to %d million are allowed; scale it down, or remove it", c.Width, c.Height, maxPixels/1_000_000)
	}
	if format == "jpeg" {
		if scans := bytes.Count(file, []byte{0xff, 0xda}); scans > maxScans || scans > 1 && scans*c.Width*c.Height > maxScanned {
			return nil, fmt.Errorf("a JPEG of %d scans, which would take long to decode; save it anew, or remove it", scans)
		}
	}
	m, _, err := image.Decode(bytes.NewReader(repaired))
	if end := []byte("\x00\x00\x00\x00IEND\xae\x42\x60\x82"); err != nil && format == "png" && !bytes.HasSuffix(file, end) {
		m, _, err = image.Decode(bytes.NewReader(slices.Concat(file, end)))
	}
	if err != nil && format == "jpeg" && !inverted {
		if marked, _, still := image.Decode(bytes.NewReader(markInks(file))); still == nil {
			m, inverted, err = marked, true, nil
		}
	}
	if err != nil {
		return nil, unsound(file, err)
	}
	if inks, ok := m.(*image.CMYK); ok && inverted { // which Go takes for Adobe's
		for i, v := range inks.Pix {
			inks.Pix[i] = 255 - v
		}
	}
	return m, nil
}

// unsound says why a file is no image, and what it is.
func unsound(file []byte, err error) error {
	switch {
	case len(file) == 0:
		err = errors.New("the file is empty")
	case errors.Is(err, image.ErrFormat):
		err = fmt.Errorf("%w (%s), where %s are read", err, http.DetectContentType(file), formats)
	}
	return fmt.Errorf("not a sound image: %w; replace it, or remove it", err)
}

func isJPEG(file []byte) bool { return bytes.HasPrefix(file, []byte{0xff, 0xd8}) }

// markInks puts Adobe's mark into a JPEG: four components are inks.
func markInks(file []byte) []byte {
	if !isJPEG(file) {
		return file
	}
	mark := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
	return slices.Concat(file[:2], mark, file[2:])
}

// orientation returns how a JPEG says it is to be turned or mirrored, 2 to 8; 1 if it is
// not, or says nothing.
func orientation(file []byte) int {
	if !isJPEG(file) {
		return 1
	}
	for rest := file[2:]; len(rest) >= 4 && rest[0] == 0xff && rest[1] != 0xda; {
		n := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if n > len(rest) {
			break
		}
		if exif, ok := bytes.CutPrefix(rest[4:n], []byte("Exif\x00\x00")); ok && rest[1] == 0xe1 {
			return exifOrientation(exif)
		}
		rest = rest[n:]
	}
	return 1
}

// exifOrientation reads the tag from a TIFF header and its first directory.
func exifOrientation(b []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if len(b) < 8 {
		return 1
	}
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	const entry = 12
	for n := order.Uint16(b[at:]); n > 0; n-- {
		if at+2+entry > uint64(len(b)) {
			break
		}
		const tag = 0x112
		if e := b[at+2:]; order.Uint16(e) == tag {
			if v := int(order.Uint16(e[8:])); v >= 1 && v <= 8 {
				return v
			}
		}
		at += entry
	}
	return 1
}
