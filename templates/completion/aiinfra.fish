# Completion of aiinfra for fish. In ~/.config/fish/config.fish: aiinfra completion fish | source
function __aiinfra_complete
    set -lx _AIINFRA_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp | string collect)
    aiinfra 2>/dev/null
end
complete --command aiinfra --no-files --condition "__aiinfra_complete is-args" --arguments "(__aiinfra_complete get-args)"
