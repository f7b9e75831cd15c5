#!/bin/sh
# Prints the zsh completion of a binary. The completion that the binary itself prints only defines a function when it is autoloaded,
# so that the first TAB of each shell would do nothing.
set -eu
"$1" --completion-script-zsh
# shellcheck disable=SC2016 # zsh expands them.
echo '[[ $funcstack[1] != _ycm_exporter ]] || _ycm_exporter "$@"'
