# Completion of vbtrace for fish: commands, options and their values, as the tool lists them itself.

function __vbtrace_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l listed ($words[1] help --list 2>/dev/null)
    if test (count $words) -eq 1; or test "$words[2]" = help
        string replace -r ' .*' '' -- $listed | sort -u
        echo help
    else if string match -q -- '-*' $current
        string replace -rf "^$words[2] (-\S+).*" '$1' -- $listed
    else if string match -q -- '-*' $words[-1]
        string replace -rf "^$words[2] $words[-1] ([a-z].*\|.*)" '$1' -- $listed | string split '|'
    end
end

complete -c vbtrace -a '(__vbtrace_complete)'
