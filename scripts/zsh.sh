#!/bin/sh
# Prints the completion for zsh of the binary that it is given. The binary's own, autoloaded, only defines the function, so
# that the first TAB of each shell would do nothing.
set -eu
"$1" --completion-script-zsh
# shellcheck disable=SC2016 # It is zsh that expands them.
echo '[[ $funcstack[1] != _ycm_exporter ]] || _ycm_exporter "$@"'
