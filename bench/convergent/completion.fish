# Completion of {{.Name}} for fish.
{{- $program := .Name}}
complete -c {{$program}} -n __fish_use_subcommand -f
{{- range .Flags}}
complete -c {{$program}} -n __fish_use_subcommand {{template "flag" .}}
{{- end}}
{{- range .Commands}}
complete -c {{$program}} -n __fish_use_subcommand -a {{.Name}} -d '{{quote .Help}}'
{{- $here := printf "-n '__fish_seen_subcommand_from %s'" .Name}}
{{- if not .Arg.Files}}
complete -c {{$program}} {{$here}} -f{{if .Arg.Choices}} -a '{{join .Arg.Choices " "}}'{{end}}
{{- end}}
{{- range .Flags}}
complete -c {{$program}} {{$here}} {{template "flag" .}}
{{- end}}
{{- end}}
{{define "flag" -}}
{{if .Short}}-s {{.Short}} {{end}}-l {{.Name}} -o {{.Name}}{{if .Choices}} -x -a '{{join .Choices " "}}'{{else if .Files}} -r -F{{else if not .Bool}} -x{{end}} -d '{{quote .Help}}'
{{- end -}}
