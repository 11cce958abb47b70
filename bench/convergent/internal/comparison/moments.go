package comparison

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/convergent-go/convergent/bench/convergent/internal/observe"
	"github.com/convergent-go/convergent/bench/convergent/internal/source"
	"github.com/convergent-go/convergent/internal/artifact"
)

// Accumulate writes moments of all networks: to the file at path, or, of several
// layers, to one for each in a folder of that name. It returns the files, of which none may
// be there already unless o.Overwrite; but a shard that is there is not made again.
func Accumulate(ctx context.Context, in source.Options, o Options, path string) ([]string, error) {
	in.Run.Threads, in.Run.MaxMemory = o.Threads, o.MaxMemory
	opened, err := source.Open(ctx, in)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	d := opened.Description()
	if len(d.Aligned) == 0 {
		return nil, errors.New("no layer is in all networks")
	}
	m, err := newManifest(in, opened)
	if err != nil {
		return nil, err
	}
	files, done := make([]string, len(d.Aligned)), true
	for i, a := range d.Aligned {
		files[i] = path
		if len(files) > 1 {
			files[i] = filepath.Join(path, artifact.FileName(a.Name)+momentsSuffix)
		}
		own := in.Shard.Of > 0 && m.is(files[i]) // made before, or by another task with the same number
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
	plan := observe.Plan{Groups: o.Groups, Describe: true, Seed: o.Seed, Threads: o.Threads, Progress: r.observed("read activations")}
	if err := r.afford(observe.Memory(d, plan)); err != nil {
		return nil, err
	}
	observation, err := observe.Run(ctx, opened, plan)
	if err != nil {
		return nil, err
	}
	for i, l := range observation.Layers {
		l.Gather()
		if len(in.Names) == 0 { // files of other samples have other names
			for n := range l.Units {
				described := l.Moments.Network(n)
				described.Name = ""
				l.Moments.Describe(n, described)
			}
		}
		l.Moments.Manifest = m.String()
		if d.IDs != nil {
			l.Moments.RecordSamples(d.IDs)
		}
		if err := l.Moments.Save(files[i]); err != nil {
			return nil, err
		}
		l.Release()
	}
	return files, nil
}
