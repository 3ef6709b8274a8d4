# Completion of vbtrace for bash: commands, options and their values, as the tool lists them itself.

_vbtrace() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} values
    local listed
    COMPREPLY=()
    listed=$("${COMP_WORDS[0]}" help --list 2>/dev/null) || return
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$listed" | sort -u) help --version" -- "$current")
    elif [ "$command" = help ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$listed" | sort -u)" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^$command \(-[^ ]*\).*/\1/p" <<<"$listed")" -- "$current")
    elif [[ $before == -* ]]; then
        values=$(sed -n "s/^$command $before \([a-z].*|.*\)/\1/p" <<<"$listed")
        mapfile -t COMPREPLY < <(compgen -W "${values//|/ }" -- "$current")
    fi
} && complete -o default -F _vbtrace vbtrace
