_dash_users() {
    local IFS=$'\013' space=true word words=() last=""
    compopt +o nospace 2>/dev/null && space=false
    for word in "${COMP_WORDS[@]:0:COMP_CWORD}"; do
        if [[ ${#words[@]} -gt 0 && ( $word == [=:] || $last == [=:] ) ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
        last=$word
    done
    COMPREPLY=($(
        _CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=${#words[@]} _CLAP_COMPLETE_COMP_TYPE=$COMP_TYPE \
        _CLAP_COMPLETE_SPACE=$space DASH_USERS_COMPLETE=bash \
        dash-users -- "${words[@]}" "$2" 2>/dev/null
    )) || unset COMPREPLY
    if [[ $space == false && ${COMPREPLY-} =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
complete -o nospace -o bashdefault -F _dash_users dash-users
