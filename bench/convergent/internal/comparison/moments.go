package comparison

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/progress"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/artifact"
	"github.com/convergent-go/convergent/internal/natural"
)

// Accumulate writes moments of all networks: to the file at path, or, of several
// layers, to one for each in a folder of that name. It returns the files, of which none may
// be there already unless o.Overwrite; but a shard that is there is not made again.
func Accumulate(ctx context.Context, in source.Options, o Options, path string) ([]string, error) {
	in.Run.Threads, in.Run.MaxMemory = o.Threads, o.MaxMemory
	opened, named, err := openPass(ctx, in)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	d := opened.Description()
	if len(d.Aligned) == 0 {
		return nil, errors.New("no layer is in all networks")
	}
	manifest, err := newManifest(in, opened)
	if err != nil {
		return nil, err
	}
	files, done := make([]string, len(d.Aligned)), true
	for i, a := range d.Aligned {
		files[i] = path
		if len(files) > 1 {
			files[i] = filepath.Join(path, artifact.FileName(a.Name)+momentsSuffix)
		}
		own := in.Shard.Of > 0 && manifest.is(files[i]) // made before, or by another task with the same number
		if own && sound(files[i]) {
			continue
		}
		done = false
		if err := artifact.Fresh(files[i]); err != nil && !o.Overwrite && !own {
			return nil, err
		}
	}
	if done {
		return files, nil
	}
	r := &road{Options: o}
	if err := r.afford(observe.MomentsMemory(d)); err != nil {
		return nil, err
	}
	all, err := observe.Moments(ctx, opened, o.Threads, r.counted("read activations", d.Samples))
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		for n := range m.Networks() {
			if !named {
				described := m.Network(n)
				described.Name = ""
				m.Describe(n, described)
			}
		}
		m.Manifest = manifest.String()
		if d.IDs != nil {
			m.RecordSamples(d.IDs)
		}
		if err := m.Save(files[i]); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// pass is what is gone through once.
type pass interface {
	source.Source
	Close() error
}

// openPass opens a stream or files, and reports whether networks are called as they were
// named: files of other samples have other names.
func openPass(ctx context.Context, in source.Options) (p pass, named bool, err error) {
	if source.IsStream(in.Networks) {
		p, err = source.OpenStream(ctx, in)
		return p, true, err
	}
	p, err = source.Open(ctx, in)
	return p, len(in.Names) > 0, err
}

// counted tells the progress of a pass over so many samples; 0: it is not known how many, and
// now and then it is said how many there were.
func (r *road) counted(task string, total int) func(samples int) {
	if total > 0 {
		show := r.observed(task)
		return func(samples int) { show(samples, total) }
	}
	last := time.Now()
	return func(samples int) {
		if time.Since(last) >= every {
			last = time.Now()
			r.Progress.Report(progress.Event{Task: fmt.Sprintf("%s: %s", task, natural.Count(samples, "sample"))})
		}
	}
}

// every is how often it is said how far a stream was read.
const every = 10 * time.Second
