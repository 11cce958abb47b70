package main

import (
	"cmp"
	"embed"
	"reflect"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help follows the summary of the command.
func (*completionCommand) Help() string {
	return `The script goes where the shell looks for it.

Examples:

	convergent completion bash > ~/.local/share/bash-completion/completions/convergent
	convergent completion zsh > "${fpath[1]}/_convergent"
	convergent completion fish > ~/.config/fish/completions/convergent.fish`
}

// scripts are templates of the completions of a program.
//
//go:embed completion.bash completion.zsh completion.fish
var scripts embed.FS

// Run implements the command.
func (c *completionCommand) Run(k *kong.Context) error {
	t := template.New("").Funcs(template.FuncMap{"join": strings.Join, "quote": quotes[c.Shell]})
	name := "completion." + c.Shell
	return template.Must(t.ParseFS(scripts, name)).ExecuteTemplate(k.Stdout, name, describe(k.Model.Node))
}

// quotes put text between the single quotes of each shell.
var quotes = map[string]func(string) string{
	"bash": strings.NewReplacer(`'`, `'\''`).Replace,
	"zsh":  strings.NewReplacer(`'`, `'\''`, `\`, `\\`, `:`, `\:`, `[`, `\[`, `]`, `\]`).Replace,
	"fish": strings.NewReplacer(`'`, `\'`, `\`, `\\`).Replace,
}

// words are what can follow a program or a command.
type words struct {
	Name, Help string
	Commands   []words
	Flags      []word
	Arg        word // the argument that is no flag; none if it has no name
}

// word is a flag or another argument.
type word struct {
	Name, Short, Help string
	Choices           []string // of its value
	Bool, Many, Text  bool     // it has no value; may be given again; its value is no number
}

// Files reports whether the value may be a file.
func (w word) Files() bool { return w.Text && w.Choices == nil }

// describe returns the words of a command, without those that are hidden.
func describe(node *kong.Node) words {
	w := words{Name: node.Name, Help: sentence(node.Help)}
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			flag := newWord(f.Value)
			if f.Short != 0 {
				flag.Short = string(f.Short)
			}
			w.Flags = append(w.Flags, flag)
		}
	}
	for _, arg := range node.Positional {
		w.Arg = newWord(arg)
	}
	var names []string
	for _, child := range node.Children {
		if !child.Hidden {
			w.Commands = append(w.Commands, describe(child))
			names = append(names, child.Name)
		}
	}
	for i := range w.Commands {
		if w.Commands[i].Name == "help" {
			w.Commands[i].Arg.Choices = names
		}
	}
	return w
}

func newWord(v *kong.Value) word {
	w := word{Name: v.Name, Help: sentence(v.Help), Bool: v.IsBool(), Many: v.IsCumulative()}
	if choices := cmp.Or(v.Enum, v.Tag.Get("choices")); choices != "" {
		w.Choices = strings.Split(choices, ",")
	}
	t := v.Target.Type()
	if w.Many {
		t = t.Elem()
	}
	w.Text = t.Kind() == reflect.String
	return w
}

// sentence is the first of a help text, without its full stop.
func sentence(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(first, ".")
}
