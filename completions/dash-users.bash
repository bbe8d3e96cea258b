_dash_users() {
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
