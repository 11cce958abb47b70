# Completion of {{.Name}} for bash 3.2 and later.
_{{.Name}}() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= flags= values= files= i
	# Bash cuts --flag=value into three words.
	if [[ $word == '=' ]]; then
		word=
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} != -* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done
	[[ $before == --* ]] || before=-$before
	case $command in
	'')
		flags='{{range .Flags}}{{.Name}} {{end}}'
		values='{{range .Commands}}{{.Name}} {{end}}'
		;;
{{- range .Commands}}
	{{.Name}})
		flags='{{range .Flags}}{{.Name}} {{end}}'
		case $before in
		{{- range .Flags}}{{if not .Bool}}
		--{{.Name}}{{if .Short}} | --{{.Short}}{{end}}) flags= {{template "value" .}} ;;
		{{- end}}{{end}}
		*) {{template "value" .Arg}} ;;
		esac
		;;
{{- end}}
	esac
	COMPREPLY=()
	if [[ $flags && $word == -* ]]; then
		local dash=-
		[[ $word == --* ]] && dash=--
		COMPREPLY=($(compgen -P "$dash" -W "$flags" -- "${word#"$dash"}"))
	elif [[ $values ]]; then
		COMPREPLY=($(compgen -W "$values" -- "$word"))
	elif [[ ! $files ]]; then
		compopt +o default 2>/dev/null
	fi
}
complete -o default -F _{{.Name}} {{.Name}}
{{define "value"}}{{if .Choices}}values='{{join .Choices " "}}'{{else if .Files}}files=1{{else}}files={{end}}{{end -}}
