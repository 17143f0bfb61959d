#!/bin/sh
# Denoise whatever is copied into a folder: watch.sh FOLDER [OUTPUT], by default into FOLDER/clean.
# Needs inotifywait (Debian: inotify-tools). Ends with Ctrl-C; start it again and it catches up.
set -eu
folder=${1:?which folder shall I watch?}
output=${2:-$folder/clean}

denoise() {
    # The whole folder, since fadn passes over what is done; a bad file must not end the watch.
    fadn denoise --quiet "$folder" -o "$output" </dev/null || true
}

denoise
inotifywait --monitor --quiet --event close_write,moved_to --format '%f' "$folder" |
    while IFS= read -r name; do
        echo "new: $name" >&2
        denoise
    done
