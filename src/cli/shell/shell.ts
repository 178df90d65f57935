/** Shells px completes in. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * The script that makes a shell ask `px __complete` at each tab. Nothing that is typed is evaluated. `px` is the executable to ask where
 * the name on the command line leads to none, as with an alias.
 */
export function shellScript(shell: Shell, px: string): string {
  const quoted = `'${px.replaceAll("'", String.raw`'\''`)}'`;
  return scripts[shell].replaceAll('PX', () => quoted);
}

// Bash cuts words at `=` and `:`; what it has cut off already is taken from the answers.
const bash = `# px completions for bash: source <(px completions bash)
_px() {
  local line=\${COMP_LINE:0:COMP_POINT} cur=\${COMP_WORDS[COMP_CWORD]} words px value
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  [[ $cur == [=:] ]] && cur=
  local typed=\${words[\${#words[@]} - 1]}
  local before=\${typed%"$cur"}
  px=$(type -P -- "\${words[0]}") || px=PX
  COMPREPLY=()
  local files=
  while IFS=$'\\t' read -r value _; do
    if [[ $value == :files ]]; then files=1; else COMPREPLY+=("\${value#"$before"}"); fi
  done < <("$px" __complete "\${words[@]:1}" 2>/dev/null)
  if [[ $files ]]; then
    # Bash quotes names of files itself, and all that stands among them.
    compopt -o filenames
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
  elif ((\${#COMPREPLY[@]})); then
    mapfile -t COMPREPLY < <(printf '%q\\n' "\${COMPREPLY[@]}")
  fi
}
complete -F _px px
`;

const zsh = `#compdef px
# px completions for zsh: source <(px completions zsh), or as a file _px in a folder of $fpath
_px() {
  local px=\${commands[px]:-PX} line summary
  local -a offered
  for line in "\${(@f)$("$px" __complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
    elif [[ -n $line ]]; then
      summary=\${line#*$'\\t'}
      offered+=("\${\${line%%$'\\t'*}//:/\\\\:}\${summary:+:$summary}")
    fi
  done
  (( $#offered )) && _describe px offered
}
if [[ \${funcstack[1]} == _px ]]; then _px; else compdef _px px; fi
`;

const fish = `# px completions for fish: px completions fish | source
function __px_complete
    set -l px (command -v px; or echo PX)
    for line in ($px __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c px -f -a '(__px_complete)'
`;

const scripts: Record<Shell, string> = { bash, zsh, fish };
