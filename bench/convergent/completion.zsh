#compdef {{.Name}}
# Completion of {{.Name}} for zsh.
_{{.Name}}() {
	local context state state_descr line
	local -A opt_args
	local -a commands=(
		{{- range .Commands}}
		'{{.Name}}:{{quote .Help}}'
		{{- end}}
	)
	_arguments -C{{range .Flags}} \
		{{template "flag" .}}{{end}} \
		'1: :->command' '*:: :->rest'
	case $state in
	command) _describe command commands ;;
	rest)
		case $words[1] in
		{{- range .Commands}}
		{{.Name}})
			_arguments{{range .Flags}} \
				{{template "flag" .}}{{end}}{{with .Arg}}{{if .Name}} \
				'{{if .Many}}*{{else}}1{{end}}:{{.Name}}:{{template "value" .}}'{{end}}{{end}}
			;;
		{{- end}}
		esac
		;;
	esac
}
if [[ $funcstack[1] == _{{.Name}} ]]; then
	_{{.Name}} "$@"
else
	compdef _{{.Name}} {{.Name}}
fi
{{define "flag" -}}
'({{if .Short}}-{{.Short}} {{end}}-{{.Name}} --{{.Name}})'{{"{"}}{{if .Short}}-{{.Short}},{{end}}-{{.Name}}{{if not .Bool}}={{end}},--{{.Name}}{{if not .Bool}}={{end}}{{"}"}}'[{{quote .Help}}]{{if not .Bool}}:{{.Name}}:{{template "value" .}}{{end}}'
{{- end}}
{{- define "value"}}{{if .Choices}}({{join .Choices " "}}){{else if .Files}}_files{{else}} {{end}}{{end -}}
