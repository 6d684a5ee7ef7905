#compdef aiinfra
# Completion of aiinfra for zsh. In ~/.zshrc, after compinit: source <(aiinfra completion zsh)
_aiinfra() {
    eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _AIINFRA_COMPLETE=complete_zsh "${words[1]}" 2>/dev/null)"
}
compdef _aiinfra aiinfra
