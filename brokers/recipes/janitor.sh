#!/bin/sh
# janitor.sh FOLDER
# Waits until the process that holds the other end of standard input is gone, however it went; then ends what that
# process started (FOLDER/pids/*: one file each, named by process id; FOLDER/containers/*) and removes FOLDER.
cat > /dev/null
for file in "$1"/pids/*; do
  [ -e "$file" ] && kill -KILL "${file##*/}" 2> /dev/null
done
for file in "$1"/containers/*; do
  [ -e "$file" ] && docker rm -f -v "${file##*/}" > /dev/null 2>&1
done
# A dying broker may still write; a second sweep finds what the first one met.
rm -rf "$1" 2> /dev/null || { sleep 1; rm -rf "$1"; }
sleep 1
rm -rf "$1"
