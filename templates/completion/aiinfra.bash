# Completion of aiinfra for bash 4.4 and newer. In ~/.bashrc: source <(aiinfra completion bash)
_aiinfra() {
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _AIINFRA_COMPLETE=complete_bash "$1" 2>/dev/null))
}
complete -o default -F _aiinfra aiinfra
