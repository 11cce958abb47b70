package dataset

import (
	"context"
	"fmt"
	"image"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// The CIFAR-10 binary version (Krizhevsky 2009): records of a label and the red,
// green and blue planes of 32x32 pixels.
const (
	cifarSide    = 32
	cifarPlane   = cifarSide * cifarSide
	cifarRecord  = 1 + channels*cifarPlane
	cifarRecords = 10_000 // in a batch
)

var (
	cifarTrain   = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}
	cifarTest    = []string{"test_batch.bin"}
	cifarMeta    = "batches.meta.txt"
	cifarClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
)

// loadCIFAR loads the binary batches, one file at a time.
func loadCIFAR(ctx context.Context, fsys fs.FS, base string, o OpenOptions) (*Set, error) {
	classes, err := cifarNames(fsys, base)
	if err != nil {
		return nil, err
	}
	s := newSet("", o.Size, classes, nil, nil)
	parts := []struct {
		p     *Part
		files []string
		limit int
		total int
	}{{&s.Train, cifarTrain, o.TrainLimit, 0}, {&s.Test, cifarTest, o.TestLimit, 0}}
	j := newJob(ctx, 0, o)
	for i := range parts {
		part := &parts[i]
		for _, file := range part.files {
			n, err := cifarLength(fsys, path.Join(base, file))
			if err != nil {
				return nil, err
			}
			part.total += n
		}
		if part.limit > 0 {
			part.total = min(part.total, part.limit)
		}
		j.total += part.total
	}
	for _, part := range parts {
		part.p.Pixels = make([]uint8, 0, part.total*o.Size*o.Size*channels)
		quota := cifarQuota(part.limit)
		for _, file := range part.files {
			if part.p.Len() == part.total {
				break
			}
			if err := part.p.addCIFAR(j, fsys, path.Join(base, file), o.Size, quota); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// cifarNames returns the names of the classes.
func cifarNames(fsys fs.FS, base string) ([]string, error) {
	meta := path.Join(base, cifarMeta)
	text, err := fs.ReadFile(fsys, meta)
	if err != nil {
		return cifarClasses, nil
	}
	names := strings.Fields(string(text))
	if len(names) != len(cifarClasses) {
		return nil, fmt.Errorf("%s: %d names, where there are %d classes; correct it, or remove it", meta, len(names), len(cifarClasses))
	}
	return names, nil
}

// cifarQuota spreads a limit over the classes.
func cifarQuota(limit int) []int {
	quota := make([]int, len(cifarClasses))
	for label := range quota {
		quota[label] = limit / len(quota)
		if label < limit%len(quota) {
			quota[label]++
		}
		if limit == 0 {
			quota[label] = len(cifarTrain) * cifarRecords
		}
	}
	return quota
}

// cifarLength returns the number of records in a file, from its length.
func cifarLength(fsys fs.FS, name string) (int, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w; CIFAR-10 has %s to %s and %s", name, cause(err), cifarTrain[0], cifarTrain[len(cifarTrain)-1], cifarTest[0])
	}
	length := info.Size()
	if length == 0 || length%cifarRecord != 0 || length > cifarRecords*cifarRecord {
		return 0, fmt.Errorf("%s: %d bytes, where 1 to %d records of %d bytes are expected; download it again", name, length, cifarRecords, cifarRecord)
	}
	return int(length / cifarRecord), nil
}

// readCIFAR calls f for each record of a file, in order.
func readCIFAR(fsys fs.FS, name string, f func(label int, planes []uint8)) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w; download it again", name, cause(err))
	}
	for r := range len(data) / cifarRecord {
		record := data[r*cifarRecord : (r+1)*cifarRecord]
		label := int(record[0])
		if label >= len(cifarClasses) {
			return fmt.Errorf("%s: record %d has the label %d, where 0 to %d are expected; download it again", name, r, label, len(cifarClasses)-1)
		}
		f(label, record[1:])
	}
	return nil
}

// addCIFAR appends the images of a file, as many of each class as its quota says.
func (p *Part) addCIFAR(j *job, fsys fs.FS, name string, size int, quota []int) error {
	var records [][]uint8
	first := p.Len()
	err := readCIFAR(fsys, name, func(label int, planes []uint8) {
		if quota[label] > 0 {
			quota[label]--
			p.Labels, records = append(p.Labels, label), append(records, planes)
		}
	})
	if err != nil {
		return err
	}
	grown := p.Len() * size * size * channels
	p.Pixels = slices.Grow(p.Pixels, grown-len(p.Pixels))[:grown]
	return j.each(len(records), func(i int, d *decoder) error {
		d.fit(p.at(first+i), cifarImage(records[i]), size)
		return nil
	})
}

// cifarImage is the image of a record's planes.
func cifarImage(planes []uint8) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, cifarSide, cifarSide))
	for k := range cifarPlane {
		m.Pix[4*k], m.Pix[4*k+1], m.Pix[4*k+2], m.Pix[4*k+3] = planes[k], planes[cifarPlane+k], planes[2*cifarPlane+k], 255
	}
	return m
}
