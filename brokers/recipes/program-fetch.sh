#!/bin/bash
# program-fetch.sh SUITE FOLDER PACKAGE PROGRAM [PROGRAM ...]
# Unpacks a package of a Debian suite and the libraries it needs into FOLDER/root, without root and without installing
# anything, and writes FOLDER/program: it starts the first PROGRAM (a path inside the package) through the loader and
# the C library of the same suite, so that it runs on any Linux of the same architecture; the others get their own
# names.
# FOLDER must not be moved afterwards.
# Standard output: lines "progress: ..." for a person. FOLDER/version: the version that was unpacked.
set -euo pipefail
suite=$1
folder=$(cd "$2" && pwd)
package=$3
shift 3
. "$(dirname "$0")/debian.sh"

# The program is in the package itself or in one that it depends on (redis-server is in redis-tools).
names=$(apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances "$package" | awk '/^[a-z]/ { print $1 }' | grep -E "^(lib|gcc-.*-base|zlib1g|${package%%-*}(-|$))" |
  grep -v ^libjs- | sort -u)
# What the suite knows only as an alternative's name cannot be downloaded.
mapfile -t packages < <(apt-cache "${apt[@]}" policy $names |
  awk '/^[a-z]/ { sub(":", "", $1); name = $1 } /Candidate: [0-9]/ { print name }')

cd "$folder/debs"
echo "progress: downloading ${#packages[@]} packages"
apt-get "${apt[@]}" download "${packages[@]}" > /dev/null
echo "progress: unpacking"
for deb in *.deb; do dpkg-deb -x "$deb" "$folder/root"; done
version=$(dpkg-deb -f "$package"_*.deb Version)
version=${version#*:}
echo "${version%%-*}" > "$folder/version"

libc=$(dirname "$(find "$folder/root" -name libc.so.6 | head -n 1)")
loader=$(find "$libc" "$folder/root" -name 'ld-linux-*.so.*' | head -n 1)
libraries=$libc:$folder/root/usr/lib/$(basename "$libc")
name=program
for program; do
  printf '#!/bin/sh\nexec "%s" --inhibit-cache --library-path "%s" "%s" "$@"\n' "$loader" "$libraries" \
    "$folder/root/$program" > "$folder/$name"
  chmod +x "$folder/$name"
  shift
  name=$(basename "${1-}")
done
rm -rf "$folder/debs" "$folder/apt"
