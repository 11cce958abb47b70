package cluster

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schema is the fields of a Job that the manifests may have, by type: those of batch/v1 and
// core/v1 as k8s.io/api v0.37 has them (batch/v1/types.go, core/v1/types.go), with ! where the
// server wants one, and values as its validation does.
var schema = map[string]map[string]string{
	"Job":                               {"apiVersion!": "=batch/v1", "kind!": "=Job", "metadata!": "ObjectMeta", "spec!": "JobSpec"},
	"ObjectMeta":                        {"name!": "name", "namespace": "name"},
	"JobSpec":                           {"completionMode": "=Indexed|NonIndexed", "completions": "int", "parallelism": "int", "backoffLimit": "int", "backoffLimitPerIndex": "int", "ttlSecondsAfterFinished": "int", "template!": "PodTemplateSpec"},
	"PodTemplateSpec":                   {"spec!": "PodSpec"},
	"PodSpec":                           {"restartPolicy!": "=Never|OnFailure", "terminationGracePeriodSeconds": "int", "containers!": "[]Container", "volumes": "[]Volume"},
	"Container":                         {"name!": "name", "image!": "string", "command": "[]string", "args": "[]string", "env": "[]EnvVar", "resources": "ResourceRequirements", "volumeMounts": "[]VolumeMount"},
	"EnvVar":                            {"name!": "string", "value": "string"},
	"ResourceRequirements":              {"limits": "ResourceList", "requests": "ResourceList"},
	"ResourceList":                      {"cpu": "quantity", "memory": "quantity"},
	"VolumeMount":                       {"name!": "name", "mountPath!": "string"},
	"Volume":                            {"name!": "name", "persistentVolumeClaim": "PersistentVolumeClaimVolumeSource"},
	"PersistentVolumeClaimVolumeSource": {"claimName!": "name"},
}

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	quantity = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$`)
)

// valid returns what is wrong with a value of a type, at a place.
func valid(place, kind string, v any) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, place+": "+fmt.Sprintf(format, args...)) }
	if of, ok := strings.CutPrefix(kind, "[]"); ok {
		all, ok := v.([]any)
		if !ok {
			say("%v is no list", v)
		}
		for i, one := range all {
			wrong = append(wrong, valid(fmt.Sprintf("%s[%d]", place, i), of, one)...)
		}
		return wrong
	}
	text, isText := v.(string)
	switch of, isOne := strings.CutPrefix(kind, "="); {
	case isOne:
		if !slices.Contains(strings.Split(of, "|"), text) {
			say("%v, want %s", v, of)
		}
		return wrong
	case kind == "int":
		if n, ok := v.(int); !ok || n < 0 {
			say("%v is no natural number", v)
		}
		return wrong
	case kind == "string" && !isText, kind == "name" && !dnsLabel.MatchString(text), kind == "quantity" && (!isText || !quantity.MatchString(text)):
		say("%v (%T) is no %s", v, v, kind)
		return wrong
	case schema[kind] == nil:
		return wrong
	}
	fields, ok := v.(map[string]any)
	if !ok {
		say("%v is no %s", v, kind)
	}
	for name := range schema[kind] {
		if name, needed := strings.CutSuffix(name, "!"); needed && fields[name] == nil {
			say("%s is missing", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		of, known := schema[kind][name]
		if !known {
			of, known = schema[kind][name+"!"]
		}
		if !known {
			say("a %s has no %s", kind, name)
			continue
		}
		wrong = append(wrong, valid(place+"."+name, of, fields[name])...)
	}
	return wrong
}

// job is what of a manifest is run.
type job struct {
	completions int // 0: it is not indexed
	words       []string
	env         map[string]string
}

// parseJob reads a manifest, and returns what is wrong with it.
func parseJob(text string) (j job, wrong []string) {
	v, err := readYAML(text)
	if err != nil {
		return j, []string{err.Error()}
	}
	if wrong = valid("job", "Job", v); wrong != nil {
		return j, wrong
	}
	spec := v.(map[string]any)["spec"].(map[string]any)
	pod := spec["template"].(map[string]any)["spec"].(map[string]any)
	j.env = make(map[string]string)
	if spec["completionMode"] == "Indexed" {
		n, ok := spec["completions"].(int)
		if !ok {
			wrong = append(wrong, "an Indexed Job has completions")
		}
		j.completions, j.env["JOB_COMPLETION_INDEX"] = n, "" // which the server sets
	}
	if spec["backoffLimitPerIndex"] != nil && (j.completions == 0 || pod["restartPolicy"] != "Never") {
		wrong = append(wrong, "backoffLimitPerIndex is of Indexed Jobs whose restartPolicy is Never")
	}
	volumes := make(map[any]bool)
	all, _ := pod["volumes"].([]any)
	for _, v := range all {
		volumes[v.(map[string]any)["name"]] = true
	}
	container := pod["containers"].([]any)[0].(map[string]any)
	mounts, _ := container["volumeMounts"].([]any)
	for _, m := range mounts {
		if name := m.(map[string]any)["name"]; !volumes[name] {
			wrong = append(wrong, fmt.Sprintf("there is no volume %v", name))
		}
	}
	env, _ := container["env"].([]any)
	for _, e := range env {
		e := e.(map[string]any)
		j.env[e["name"].(string)], _ = e["value"].(string)
	}
	for _, key := range []string{"command", "args"} {
		words, _ := container[key].([]any)
		for _, w := range words {
			j.words = append(j.words, w.(string))
		}
	}
	for _, m := range reference.FindAllStringSubmatch(strings.Join(j.words, " "), -1) {
		if _, ok := j.env[m[1]]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s is not in the environment", m[1]))
		}
	}
	return j, wrong
}

// reference is how words of a command name variables.
var reference = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_]*)\)`)

// run runs an index of a job as Kubernetes does, with a folder in the place of /data.
func (j job) run(t *testing.T, bin, data string, index int) {
	t.Helper()
	env := maps.Clone(j.env)
	if j.completions > 0 {
		env["JOB_COMPLETION_INDEX"] = fmt.Sprint(index)
	}
	var words []string
	for _, w := range j.words {
		w = reference.ReplaceAllStringFunc(w, func(name string) string { return env[name[2:len(name)-1]] })
		words = append(words, strings.Replace(w, "/data", data, 1))
	}
	c := exec.Command(filepath.Join(bin, words[0]), words[1:]...)
	for name, v := range env {
		c.Env = append(c.Env, name+"="+v)
	}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", words, err, out)
	}
}

// readJob reads a manifest of this folder.
func readJob(t *testing.T, name string) job {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	j, wrong := parseJob(string(text))
	for _, w := range wrong {
		t.Errorf("%s: %s", name, w)
	}
	if t.Failed() {
		t.FailNow()
	}
	return j
}

// TestManifests has the manifests checked by the schema of a Job, and what is wrong said.
func TestManifests(t *testing.T) {
	j := readJob(t, "moments.yaml")
	if j.completions < 2 || j.env["SHARDS"] != fmt.Sprint(j.completions) {
		t.Errorf("%d completions, and %s shards", j.completions, j.env["SHARDS"])
	}
	readJob(t, "merge.yaml")
	text, err := os.ReadFile("kubernetes/moments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"completions: 8", "completion: 8", "a JobSpec has no completion"},
		{"completions: 8", `completions: "8"`, "job.spec.completions: 8 is no natural number"},
		{"completions: 8", "parallelism: 7", "want one key"},
		{"Indexed", "indexed", "want Indexed|NonIndexed"},
		{"restartPolicy: Never", "restartPolicy: Always", "want Never|OnFailure"},
		{"restartPolicy: Never", "restartPolicy: OnFailure", "backoffLimitPerIndex is of"},
		{`value: "8"`, "value: 8", "8 (int) is no string"},
		{"name: SHARDS", "name: SHARD", "SHARDS is not in the environment"},
		{"- name: data\n          mountPath", "- name: date\n          mountPath", "there is no volume date"},
		{"memory: 6Gi", "memory: 6GB", "is no quantity"},
		{"      containers:", "     containers:", "it is indented like nothing"},
		{"claimName: convergent-data", "claimName: convergent_data", "is no name"},
		{"kind: Job", "kind: Jobs", "want Job"},
	} {
		broken := strings.Replace(string(text), c.from, c.to, 1)
		if _, wrong := parseJob(broken); broken == string(text) || !strings.Contains(strings.Join(wrong, "; "), c.want) {
			t.Errorf("%q: %v, want %q", c.to, wrong, c.want)
		}
	}
}

// TestKubernetes runs what the manifests say, index by index, in any order and one of them
// twice: shards have the bytes of those that are made by number, and none is missing.
func TestKubernetes(t *testing.T) {
	if testing.Short() {
		t.Skip("several runs")
	}
	bin, data := program(t), t.TempDir()
	for _, name := range []string{"a.onnx", "b.onnx"} {
		text, err := os.ReadFile("../convergent/testdata/onnx/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(data, strings.Replace(strings.ToUpper(name), ".ONNX", ".onnx", 1)), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pictures(t, filepath.Join(data, "images.zip"), 30)
	moments, merge := readJob(t, "moments.yaml"), readJob(t, "merge.yaml")
	for _, index := range []int{5, 0, 7, 3, 2, 5, 6, 1, 4} {
		moments.run(t, bin, data, index)
	}
	merge.run(t, bin, data, 0)

	single := t.TempDir()
	for _, number := range []int{1, 6} {
		c := exec.Command(filepath.Join(bin, "convergent"), "moments", fmt.Sprintf("-shard=%d/%d", number, moments.completions), fmt.Sprintf("-o=%s/shards/%d.moments", single, number-1),
			"-data", data+"/images.zip", "-samples", "50000", data+"/A.onnx", data+"/B.onnx")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	got, want := read(t, data), read(t, single)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is missing or differs", name)
		}
	}
	const layers = 5
	if len(want) != 2*layers || len(got) != 3+(moments.completions+1)*layers {
		t.Errorf("%d files, and %d that were made by number", len(got), len(want))
	}
}

// pictures writes a zip of images of noise.
func pictures(t *testing.T, path string, count int) {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for i := range count {
		m := image.NewRGBA(image.Rect(0, 0, 20, 20))
		for k := range 20 * 20 {
			m.Set(k%20, k/20, color.RGBA{uint8(k*k + 31*i), uint8(7*k + k*i), uint8(11 * k * k), 255})
		}
		w, err := z.Create(fmt.Sprintf("%d.png", i))
		if err == nil {
			err = png.Encode(w, m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
