//! The scripts that `dash-users completions SHELL` prints.
//!
//! Each passes the words of the command line, as typed, after `--`, up to the word to complete. It
//! receives one candidate per line, or [`FILES`](super::FILES) if the shell should complete a
//! filename.

/// Bash splits words at `=`, `:` and `@`, and expects only the part after the last of these
/// (including the `@`). Version 3 has no `compopt`.
pub const BASH: &str = r#"_dash_users() {
    local IFS=$'\n' word words=() last="" count=$COMP_CWORD prefix="" globs=""
    COMPREPLY=()
    [[ ${COMP_WORDS[COMP_CWORD]} == [=:@] ]] && ((count += 1))
    for word in "${COMP_WORDS[@]:0:count}"; do
        if [[ ${#words[@]} -gt 0 && ( $word == [=:@] || $last == [=:@] ) ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        last=$word
    done
    if [[ $last == [=:@] ]]; then
        prefix=${words[${#words[@]}-1]}
        [[ $2 == @* ]] && prefix=${prefix%@}
        unset "words[${#words[@]}-1]"
    fi
    # A name is no pattern.
    [[ $- == *f* ]] || globs=1
    set -f
    COMPREPLY=($(DASH_USERS_COMPLETE=bash dash-users -- "${words[@]}" "$prefix$2" 2>/dev/null))
    [[ $globs ]] && set +f
    if [[ ${COMPREPLY-} == *"<files>" ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    else
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
}
complete -o bashdefault -F _dash_users dash-users
"#;

/// Zsh runs the file at the first Tab if it is in `$fpath`.
pub const ZSH: &str = r#"#compdef dash-users
_dash_users() {
    local -a candidates=("${(@f)$(
        DASH_USERS_COMPLETE=zsh dash-users -- "${(@)words[1,CURRENT]}" 2>/dev/null
    )}")
    case $candidates[1] in
        *'<files>')
            compset -P "${(b)candidates[1]%<files>}"
            _files
            ;;
        ?*) _describe -V value candidates ;;
        *) return 1 ;;
    esac
}

if [[ $funcstack[1] == _dash-users ]]; then
    _dash_users "$@"
else
    compdef _dash_users dash-users
fi
"#;

/// Fish passes all words unquoted, except the last.
pub const FISH: &str = r#"complete --keep-order --exclusive --command dash-users --arguments "(DASH_USERS_COMPLETE=fish dash-users -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token) 2>/dev/null)"
"#;
