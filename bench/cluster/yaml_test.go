package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// yamlReader reads the part of YAML that the manifests are written in: maps and lists by
// indentation, lists of JSON, and scalars. All else is an error.
type yamlReader struct {
	lines []yamlLine
}

type yamlLine struct {
	number, indent int
	text           string
}

func readYAML(text string) (v any, err error) {
	var r yamlReader
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(uncommented(line), " ")
		if body := strings.TrimLeft(line, " "); body != "" {
			r.lines = append(r.lines, yamlLine{i + 1, len(line) - len(body), body})
		}
	}
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	v = r.block(0)
	if len(r.lines) > 0 {
		r.fail("it is indented like nothing before it")
	}
	return v, nil
}

// uncommented is a line without its comment.
func uncommented(line string) string {
	quoted := false
	for i, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted && (i == 0 || line[i-1] == ' '):
			return line[:i]
		}
	}
	return line
}

func (r *yamlReader) fail(what string) {
	panic(fmt.Errorf("line %d: %s: %q", r.lines[0].number, what, r.lines[0].text))
}

// block reads what is indented by so much.
func (r *yamlReader) block(indent int) any {
	isItem := func(l yamlLine) bool { return l.text == "-" || strings.HasPrefix(l.text, "- ") }
	switch {
	case len(r.lines) == 0 || r.lines[0].indent != indent:
		return nil
	case isItem(r.lines[0]):
		var all []any
		for len(r.lines) > 0 && r.lines[0].indent == indent && isItem(r.lines[0]) {
			l := &r.lines[0]
			rest := strings.TrimLeft(l.text[1:], " ")
			l.indent, l.text = indent+len(l.text)-len(rest), rest
			all = append(all, r.block(l.indent))
		}
		return all
	}
	if _, _, ok := r.key(); !ok {
		v := r.scalar(r.lines[0].text)
		r.lines = r.lines[1:]
		return v
	}
	all := make(map[string]any)
	for len(r.lines) > 0 && r.lines[0].indent == indent {
		key, rest, ok := r.key()
		if _, twice := all[key]; !ok || twice {
			r.fail("want one key that is not there yet")
		}
		if rest != "" {
			all[key] = r.scalar(rest)
			r.lines = r.lines[1:]
			continue
		}
		r.lines = r.lines[1:]
		if len(r.lines) > 0 && (r.lines[0].indent > indent || r.lines[0].indent == indent && isItem(r.lines[0])) {
			all[key] = r.block(r.lines[0].indent)
		}
	}
	return all
}

// key reads KEY: or KEY: VALUE.
func (r *yamlReader) key() (key, rest string, ok bool) {
	text := r.lines[0].text
	if strings.ContainsAny(text[:1], `"[{&*!|>%@`) {
		return "", "", false
	}
	key, rest, ok = strings.Cut(text+" ", ": ")
	return key, strings.TrimSpace(rest), ok
}

func (r *yamlReader) scalar(text string) any {
	switch text[0] {
	case '"', '[':
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			r.fail(err.Error())
		}
		return v
	case '{', '&', '*', '!', '|', '>', '%', '@', '\'', '`', '\t':
		r.fail("this is not read here")
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return text
}
