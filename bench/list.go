package bench

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed work.json
var standard []byte

// List is the content of a file such as work.json.
type List struct {
	Threads    []int        `json:"threads"` // how many threads to time everything with, one after the other
	Conv       []Conv       `json:"conv"`
	Networks   []Network    `json:"networks"` // whose convolutions are to be timed, too
	Gemm       []Gemm       `json:"gemm"`
	BLAS       []BLAS       `json:"blas"`
	Moments    []Moments    `json:"moments"`
	Assignment []Assignment `json:"assignment"`
	Lasso      []Lasso      `json:"lasso"`
	Spectral   []Spectral   `json:"spectral"`
	Train      []Train      `json:"train"`
	ONNX       []Exported   `json:"onnx"` // networks that a peer exports
}

// Standard returns the list in work.json.
func Standard() *List {
	l, err := Parse(standard)
	if err != nil {
		panic("bench: work.json: " + err.Error())
	}
	return l
}

// Parse reads a list from JSON. Fields that it does not know are errors.
func Parse(data []byte) (*List, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	l := new(List)
	if err := d.Decode(l); err != nil {
		return nil, err
	}
	for _, t := range l.Threads {
		if t < 1 {
			return nil, fmt.Errorf("%d threads", t)
		}
	}
	_, err := l.Works()
	return l, err
}

// Works returns the work on the list. The error names what makes no sense.
func (l *List) Works() ([]Work, error) {
	var all []Work
	for _, items := range [][]item{items(l.Conv), items(l.Networks), items(l.Gemm), items(l.BLAS), items(l.Moments), items(l.Assignment), items(l.Lasso), items(l.Spectral), items(l.Train), items(l.ONNX)} {
		for _, it := range items {
			works, err := it.works()
			if err != nil {
				return nil, err
			}
			all = append(all, works...)
		}
	}
	names := make(map[string]bool)
	for _, w := range all {
		if names[w.Name] {
			return nil, fmt.Errorf("%s is listed twice", w.Name)
		}
		names[w.Name] = true
	}
	return all, nil
}

// item is an entry of a list, which is work, in one direction or more.
type item interface{ works() ([]Work, error) }

func items[T item](entries []T) []item {
	var all []item
	for _, e := range entries {
		all = append(all, e)
	}
	return all
}
