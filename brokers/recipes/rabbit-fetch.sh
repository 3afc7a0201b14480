#!/bin/bash
# rabbit-fetch.sh SUITE FOLDER
# Unpacks RabbitMQ and Erlang of a Debian suite into FOLDER/root, without root and without installing anything.
# The result runs on any Linux of the same architecture: every program of it is started through the loader and the C
# library of the same suite. The wrappers hold absolute paths, so FOLDER must not be moved afterwards.
# Standard output: lines "progress: ..." for a person. FOLDER/version: the version that was unpacked.
set -euo pipefail
suite=$1
folder=$(cd "$2" && pwd)
. "$(dirname "$0")/debian.sh"

ssl=$(apt-cache "${apt[@]}" depends erlang-crypto | awk '/Depends: libssl/ { print $2; exit }')
packages=(rabbitmq-server
  erlang-{base,asn1,crypto,eldap,ftp,inets,mnesia,os-mon,parsetools,public-key,runtime-tools,snmp,ssl,syntax-tools,tftp,tools,xmerl}
  libc6 libgcc-s1 libstdc++6 libtinfo6 zlib1g libzstd1 libsctp1 "$ssl")

cd "$folder/debs"
echo "progress: downloading ${#packages[@]} packages"
apt-get "${apt[@]}" download "${packages[@]}" | awk '/^Get:/ && ++n % 5 == 0 { printf "progress: %d downloaded\n", n; fflush() }'
echo "progress: unpacking"
for deb in *.deb; do dpkg-deb -x "$deb" "$folder/root"; done
version=$(dpkg-deb -f rabbitmq-server_*.deb Version)
version=${version#*:}
echo "${version%%-*}" > "$folder/version"

libc=$(dirname "$(find "$folder/root" -name libc.so.6 | head -n 1)")
loader=$(find "$libc" "$folder/root" -name 'ld-linux-*.so.*' | head -n 1)
libraries=$libc:$(dirname "$(find "$folder/root" -name 'libtinfo.so.6' | head -n 1)"):$folder/root/usr/lib/$(basename "$libc")
cd "$folder/root/usr/lib/erlang"
# Debian writes the installation folder into both copies of erl.
sed -i 's#ROOTDIR=/usr/lib/erlang#ROOTDIR="${ERL_ROOTDIR:-/usr/lib/erlang}"#' bin/erl erts-*/bin/erl
find . -type f -perm -u+x ! -name '*.so' ! -name '*.real' | while read -r file; do
  [ "$(head -c 4 "$file" | tail -c 3)" = ELF ] || continue
  mv "$file" "$file.real"
  printf '#!/bin/sh\nexec "%s" --inhibit-cache --library-path "%s" --argv0 "$0" "%s" "$@"\n' \
    "$loader" "$libraries" "$PWD/${file#./}.real" > "$file"
  chmod +x "$file"
done
rm -rf "$folder/debs" "$folder/apt"
